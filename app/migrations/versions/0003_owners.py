"""Who started a run or a sweep, where a shared lab tells its visitors apart."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    for table in ("runs", "sweeps"):
        op.add_column(table, sa.Column("owner", sa.String(), nullable=True))


def downgrade() -> None:
    """Undoes this revision."""
    for table in ("runs", "sweeps"):
        op.drop_column(table, "owner")
