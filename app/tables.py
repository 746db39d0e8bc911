"""The tables of the database: runs, sweeps, the logs of both, and presentations."""

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the tables."""


class RunRow(Base):
    """One run: its spec, where it stands, and how far its log goes.

    ``key`` identifies what the run computes; among the runs that may be answered again (queued,
    running, finished) it is unique. ``owner`` is the mark of the visitor who started it, where
    visitors are told apart. ``asked`` is what another server wants of the one that computes, and
    ``server`` is the mark of the server that has claimed the run. Times are seconds since 1970.
    """

    __tablename__ = "runs"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    key: Mapped[str | None]
    version: Mapped[str]
    device: Mapped[str]
    threads: Mapped[int]
    title: Mapped[str]
    preset: Mapped[str | None]
    parent: Mapped[str | None]
    spec: Mapped[str] = mapped_column(Text)
    steps: Mapped[int]
    step: Mapped[int] = mapped_column(default=0)
    created: Mapped[float]
    started: Mapped[float | None]
    ended: Mapped[float | None]
    last_seq: Mapped[int] = mapped_column(default=0)
    log_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    file_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    summary: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(default=False)
    owner: Mapped[str | None]
    asked: Mapped[str | None]
    server: Mapped[str | None]

    __table_args__ = (
        Index(
            "runs_reused",
            "key",
            unique=True,
            sqlite_where=text("status IN ('queued', 'running', 'finished')"),
            postgresql_where=text("status IN ('queued', 'running', 'finished')"),
        ),
        Index("runs_status", "status"),
    )


class EventRow(Base):
    """One event of a run's log, as the JSON text that viewers get."""

    __tablename__ = "events"

    run: Mapped[int] = mapped_column(
        ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    body: Mapped[str] = mapped_column(Text)


class SweepRow(Base):
    """One sweep: what it varies, where it stands, and how far its log goes.

    ``key`` identifies what it computes: the same wish is answered by the same sweep.
    """

    __tablename__ = "sweeps"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    preset: Mapped[str | None]
    wish: Mapped[str] = mapped_column(Text)
    cells: Mapped[int]
    created: Mapped[float]
    ended: Mapped[float | None]
    last_seq: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    asked: Mapped[str | None]


class SweepEventRow(Base):
    """One event of a sweep's log, as the JSON text that viewers get."""

    __tablename__ = "sweep_events"

    sweep: Mapped[int] = mapped_column(
        ForeignKey("sweeps.number", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    body: Mapped[str] = mapped_column(Text)


class PresentationRow(Base):
    """Where one presentation is. ``number`` counts its changes; ``said`` is when it last spoke."""

    __tablename__ = "presentations"

    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    highlight: Mapped[str | None]
    number: Mapped[int]
    said: Mapped[float]


class FollowersRow(Base):
    """How many follow a presentation on one server, and when that server last said so."""

    __tablename__ = "followers"

    presentation: Mapped[str] = mapped_column(
        ForeignKey("presentations.id", ondelete="CASCADE"), primary_key=True
    )
    server: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    said: Mapped[float]
