"""What servers that share a database ask of its owner, and which server claimed a run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    for table in ("runs", "sweeps"):
        op.add_column(table, sa.Column("asked", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("server", sa.String(), nullable=True))


def downgrade() -> None:
    """Undoes this revision."""
    for table in ("runs", "sweeps"):
        op.drop_column(table, "asked")
    op.drop_column("runs", "server")
