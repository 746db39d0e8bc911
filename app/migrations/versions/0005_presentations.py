"""Presentations, and how many follow them on each server."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "presentations",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("highlight", sa.String(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("said", sa.Double(), nullable=False),
    )
    op.create_table(
        "followers",
        sa.Column(
            "presentation",
            sa.String(),
            sa.ForeignKey("presentations.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("server", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("said", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("followers")
    op.drop_table("presentations")
