"""Where runs and their events are stored: SQLite by default, PostgreSQL by setting."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from filelock import FileLock, Timeout
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Text,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.settings import Settings

MIGRATIONS = Path(__file__).with_name("migrations")
_ADVISORY_KEY = 0x4E4C4142
"""Names our lock among the advisory locks of a PostgreSQL database ("NLAB")."""


class DatabaseInUseError(RuntimeError):
    """Another server works on this database; the message says which file and what to do."""


class Base(DeclarativeBase):
    """Base of the tables."""


class RunRow(Base):
    """One run: its spec, where it stands, and how far its log goes.

    ``key`` identifies what the run computes; among the runs that may be answered again (queued,
    running, finished) it is unique. Times are seconds since 1970.
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


class Database:
    """An engine with its schema up to date, held by one server at a time.

    Writers of one SQLite file take turns through a lock of this process, which is quicker and
    fairer than SQLite's own polling.
    """

    def __init__(self, engine: Engine, guard: AbstractContextManager[Any]) -> None:
        self.engine = engine
        self._guard = guard
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
        )

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """Locks the database for this server and brings its schema up to date.

        Raises:
            DatabaseInUseError: another server has it.
        """
        if settings.database_url is None:
            return cls._open_sqlite(settings.sqlite_file)
        engine = create_engine(settings.database_url, pool_pre_ping=True, pool_size=10)
        guard = _postgres_lock(engine)
        try:
            guard.__enter__()
        except BaseException:
            engine.dispose()
            raise
        return cls._migrated(engine, guard)

    @classmethod
    def _open_sqlite(cls, file: Path) -> "Database":
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_suffix(".lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise DatabaseInUseError(
                f"another newton-lab server works on {file}: stop it, or give this one another"
                " folder with NEWTON_LAB_DATA_DIR"
            ) from None
        engine = create_engine(f"sqlite:///{file}", pool_size=10, max_overflow=50)
        event.listen(engine, "connect", _set_up_sqlite)
        return cls._migrated(engine, lock)

    @classmethod
    def _migrated(cls, engine: Engine, guard: AbstractContextManager[Any]) -> "Database":
        database = cls(engine, guard)
        try:
            migrate(engine)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session to read with."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are stored together when the block ends, or not at all."""
        with self._turn, Session(self.engine) as session, session.begin():
            yield session

    def reclaim(self) -> None:
        """Gives pages of removed runs back to the file system (PostgreSQL does so by itself)."""
        if self.engine.dialect.name == "sqlite":
            with self._turn, self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA incremental_vacuum")
                connection.commit()

    def close(self) -> None:
        """Closes all connections and lets the next server in."""
        self._guard.__exit__(None, None, None)
        self.engine.dispose()


def migrate(engine: Engine) -> None:
    """Brings the schema of a new or older database up to date."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "auto_vacuum=INCREMENTAL",  # takes effect where the file is new
        "journal_mode=WAL",  # readers never wait for the writer
        "synchronous=NORMAL",  # a crash of the process loses nothing
        "foreign_keys=ON",
        "busy_timeout=10000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def _postgres_lock(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(_ADVISORY_KEY))):
            raise DatabaseInUseError(
                f"another newton-lab server works on {engine.url.render_as_string()}: stop it,"
                " or give this one another database with NEWTON_LAB_DATABASE_URL"
            )
        connection.commit()  # the lock belongs to the connection, not to the transaction
        yield connection
