"""Where runs and their events are stored: SQLite by default, PostgreSQL by setting."""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.locks import (
    APPLICATION,
    AdvisoryLock,
    DatabaseInUseError,
    DatabaseLock,
    DatabaseStartError,
    DatabaseUnavailableError,
    FileDatabaseLock,
    LockLostError,
)
from app.settings import Settings
from app.tables import (
    Base,
    EventRow,
    FollowersRow,
    PresentationRow,
    RunRow,
    SweepEventRow,
    SweepRow,
)

__all__ = [
    "Base",
    "Database",
    "DatabaseInUseError",
    "DatabaseStartError",
    "DatabaseUnavailableError",
    "EventRow",
    "FollowersRow",
    "LockLostError",
    "PresentationRow",
    "RunRow",
    "SweepEventRow",
    "SweepRow",
    "migrate",
]

MIGRATIONS = Path(__file__).with_name("migrations")
TELL_SECONDS = 10.0
SILENT_SECONDS = 15.0
"""A look at the database that takes longer says: connections are open, and no answer comes."""
SILENCE = f"the database has not answered for {SILENT_SECONDS:.0f} s"
SCHEMA_SECONDS = 10.0
_OUR_MISTAKES = (IntegrityError, DataError, ProgrammingError)
"""Errors that a second attempt does not mend."""
_NO_SHARED_MEMORY = ("SQLITE_IOERR_SHM", "SQLITE_IOERR_LOCK", "SQLITE_PROTOCOL")
_POSTGRES_ARGUMENTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,  # a machine that vanishes without a word is noticed in 25 s
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

logger = structlog.get_logger(__name__)


class Database:
    """An engine with its schema up to date, owned by one server at a time.

    Others may share a PostgreSQL database with its owner: they read all of it, and write what the
    owner is to do.

    Writers of one SQLite file take turns through a lock of this process, which is quicker and
    fairer than SQLite's own polling. After a write that failed, the next one first makes sure that
    the database is still this server's.
    """

    def __init__(self, engine: Engine, lock: DatabaseLock | None = None) -> None:
        self.engine = engine
        self._lock = lock
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
        )
        self._in_trouble = False
        self._told = -TELL_SECONDS
        self._asked: float | None = None

    @classmethod
    def open(cls, settings: Settings, *, may_share: bool = False) -> "Database":
        """Locks the database for this server and brings its schema up to date.

        Args:
            settings: of the server.
            may_share: opens a PostgreSQL database although another server owns it.

        Raises:
            DatabaseInUseError: another server has it.
            DatabaseStartError: it cannot be used for another reason.
        """
        with _start_in_words(settings):
            return cls._open(settings, may_share)

    @classmethod
    def _open(cls, settings: Settings, may_share: bool) -> "Database":
        if settings.postgres_url is None:
            lock: DatabaseLock = FileDatabaseLock(settings.sqlite_file)
            engine = _sqlite_engine(settings.sqlite_file)
        else:
            mark = {"application_name": f"{APPLICATION} {secrets.token_hex(6)}"}
            url, arguments = settings.postgres_url, _POSTGRES_ARGUMENTS | mark
            engine = create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=arguments)
            own = create_engine(url, poolclass=NullPool, connect_args=arguments)
            try:
                lock = AdvisoryLock(
                    engine, own, may_share=may_share, patience=settings.takeover_seconds
                )
            except BaseException:
                engine.dispose()
                raise
        database = cls(engine, lock)
        try:
            if settings.postgres_url is None:
                _require_wal(engine, settings.sqlite_file)
            if database.is_owner:
                migrate(engine)
            else:
                _wait_for_schema(engine)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def is_owner(self) -> bool:
        """Whether this server computes what is in the database, as far as it knows."""
        return self._lock is None or self._lock.is_held

    @property
    def is_shared(self) -> bool:
        """Whether other servers may read and write this database too."""
        return self._lock is not None and self._lock.is_shared

    @property
    def is_silent(self) -> bool:
        """Whether `check` or `claim` waits for longer than an answer can take."""
        asked = self._asked
        return asked is not None and time.monotonic() > asked + SILENT_SECONDS

    def claim(self) -> bool:
        """Makes a shared database this server's if no other has been its owner for some looks."""
        with self._timed(), self._explained():
            return self._lock is not None and self._lock.claim()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session to read with.

        Raises:
            DatabaseUnavailableError: the database cannot be read just now.
        """
        with self._explained(), Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self, *, owned: bool = False) -> Iterator[Session]:
        """A session whose changes are stored together when the block ends, or not at all.

        Args:
            owned: for what the owner alone may write, so that two servers never do.

        Raises:
            LockLostError: another server owns the database (where ``owned``).
            DatabaseUnavailableError: the database cannot be written just now. Where the connection
                broke in the last moment, the changes may be stored nevertheless.
        """
        with self._turn:
            try:
                with self._explained():
                    if self._lock and (self._in_trouble or self._lock.is_cheap):
                        self._lock.check()
                    if owned and not self.is_owner:
                        raise LockLostError("another server owns the queue now")
                    with Session(self.engine) as session, session.begin():
                        yield session
            except DatabaseUnavailableError:
                self._in_trouble = True
                raise
            self._in_trouble = False

    def check(self) -> None:
        """Makes sure that the database is this server's and, after a failed write, takes writes.

        Raises:
            DatabaseUnavailableError: it cannot be used just now.
            LockLostError: another server has it.
        """
        with self._timed():
            if self._lock:
                self._lock.check()
            if self._in_trouble:
                with self.write() as session:
                    session.execute(text("UPDATE alembic_version SET version_num = version_num"))

    @contextmanager
    def _timed(self) -> Iterator[None]:
        self._asked = time.monotonic()
        try:
            yield
        finally:
            self._asked = None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tells outages from our own mistakes, and leaves out the server's paths and addresses.

        A database that hangs is asked nothing more: who asks would hang with it.
        """
        if self.is_silent:
            raise DatabaseUnavailableError(SILENCE)
        try:
            yield
        except _OUR_MISTAKES:
            raise
        except (DBAPIError, PoolTimeoutError) as error:
            self._tell(str(error).splitlines()[0])
            raise DatabaseUnavailableError(self._in_words(error)) from error

    def _tell(self, reason: str) -> None:
        """Logs an outage only now and then: all who wait for its end meet it twice a second."""
        now = time.monotonic()
        if now > self._told + TELL_SECONDS:
            self._told = now
            logger.warning("the database failed", reason=reason)

    def _in_words(self, error: DBAPIError | PoolTimeoutError) -> str:
        if isinstance(error, PoolTimeoutError):
            return "all connections to the database are in use"
        if self.engine.dialect.name == "sqlite":
            return f"the database cannot be used: {error.orig}"
        return "PostgreSQL does not answer, or takes no changes"

    def reclaim(self) -> None:
        """Gives pages of removed runs back to the file system (PostgreSQL does so by itself)."""
        if self.engine.dialect.name == "sqlite":
            with self._turn, self._explained(), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA incremental_vacuum")
                connection.commit()

    def close(self) -> None:
        """Closes all connections and lets the next server in."""
        if self._lock:
            self._lock.release()
        self.engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _wait_for_schema(engine: Engine) -> None:
    """Waits for the owner, which may be making the tables; another schema is never changed here."""
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    deadline = time.monotonic() + SCHEMA_SECONDS
    while True:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found == wanted:
            return
        if time.monotonic() > deadline:
            raise DatabaseStartError(
                f"the server that owns this database keeps it in another form ({found}, not"
                f" {wanted}): run the same version of newton-lab on all servers, or stop that one"
                " first"
            )
        time.sleep(0.1)


@contextmanager
def _start_in_words(settings: Settings) -> Iterator[None]:
    """A message for a database that cannot be opened: what, where, and what to do."""
    elsewhere = "give the lab another folder with --data-dir or NEWTON_LAB_DATA_DIR"
    place: object = settings.sqlite_file
    folder = settings.data_dir
    if settings.database_url is not None:
        elsewhere = "check NEWTON_LAB_DATABASE_URL"
        folder = settings.sqlite_file.parent
    if settings.postgres_url is not None:
        place = "the PostgreSQL database"
    try:
        yield
    except CommandError as error:
        raise DatabaseStartError(
            f"{place} was written by another version of newton-lab ({error}): use that version,"
            f" or {elsewhere}"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        if isinstance(error, PermissionError) and hasattr(os, "geteuid"):
            user = os.geteuid()
            reason = (
                f"{reason} for user {user}; make that user its owner (on the machine that has it,"
                f" also where a container mounts it: sudo chown -R {user} FOLDER)"
            )
            elsewhere = f"or {elsewhere}"
        raise DatabaseStartError(
            f"cannot use the data folder {folder}: {reason}; {elsewhere}"
        ) from error
    except ArgumentError as error:
        raise DatabaseStartError(f"{place} cannot be found: {error}; {elsewhere}") from error
    except (DBAPIError, sqlite3.Error) as error:
        origin = error.orig if isinstance(error, DBAPIError) else error
        reason = " ".join(str(origin).split())
        unlike = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
        if getattr(origin, "sqlite_errorname", "") in unlike:
            words = f"{place} is no database, or it is damaged: move it away, or {elsewhere}"
        else:
            words = f"{place} cannot be used: {reason}; {elsewhere}"
        raise DatabaseStartError(words) from error


def _sqlite_engine(file: Path) -> Engine:
    """An engine that never makes the file: one that is gone must be missed."""
    address = f"{file.as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    engine = create_engine(f"sqlite:///{file}", creator=connect, pool_size=10, max_overflow=50)
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _require_wal(engine: Engine, file: Path) -> None:
    """Without a write-ahead log viewers and runs would wait for each other, and locks may lie."""
    mode, reason = "", ""
    try:
        with engine.connect() as connection:
            mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DBAPIError as error:
        name = getattr(error.orig, "sqlite_errorname", "")
        if not name.startswith(_NO_SHARED_MEMORY):
            raise
        reason = f" ({error.orig})"
    if reason or mode != "wal":
        raise DatabaseStartError(
            f"the file system of {file} refuses SQLite's write-ahead log{reason}, as network"
            " folders (NFS) do: put the data folder on a disk of this machine with --data-dir or"
            " NEWTON_LAB_DATA_DIR, or use PostgreSQL with NEWTON_LAB_DATABASE_URL"
        )


def migrate(engine: Engine) -> None:
    """Brings the schema of a new or older database up to date."""
    config = _config()
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
