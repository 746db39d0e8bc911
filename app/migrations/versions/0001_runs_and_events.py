"""Runs and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_REUSED = sa.text("status IN ('queued', 'running', 'finished')")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("preset", sa.String(), nullable=True),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("started", sa.Double(), nullable=True),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("log_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
    )
    op.create_index(
        "runs_reused",
        "runs",
        ["key"],
        unique=True,
        sqlite_where=_REUSED,
        postgresql_where=_REUSED,
    )
    op.create_index("runs_status", "runs", ["status"])
    op.create_table(
        "events",
        sa.Column(
            "run",
            sa.Integer(),
            sa.ForeignKey("runs.number", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("events")
    op.drop_table("runs")
