"""Who may write a database: one server at a time, by a lock that can be lost and taken again."""

import os
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

_ADVISORY_KEY = 0x4E4C4142
"""Names our lock among the advisory locks of a PostgreSQL database ("NLAB")."""


class DatabaseStartError(RuntimeError):
    """The database cannot be opened; the message says what, where, and what to do."""


class DatabaseInUseError(DatabaseStartError):
    """Another server works on this database; the message says which file and what to do."""


class DatabaseUnavailableError(RuntimeError):
    """The database cannot be used just now; the message says why, and it may be tried again."""


class LockLostError(DatabaseUnavailableError):
    """Another server has the database now: this one must not write to it any more."""


class DatabaseLock(ABC):
    """The right to write one database.

    Attributes:
        is_cheap: whether :meth:`check` takes microseconds, so that each write can ask first.
    """

    is_cheap: bool

    @abstractmethod
    def check(self) -> None:
        """Makes sure that the lock is held; one that broke is taken again if nobody has it.

        Raises:
            DatabaseUnavailableError: that cannot be told now.
            LockLostError: another server has it.
        """

    @abstractmethod
    def release(self) -> None:
        """Lets the next server in."""


class FileDatabaseLock(DatabaseLock):
    """A lock file beside an SQLite file: both must stay the files that they were.

    SQLite goes on writing to a file that was removed, and what it writes is gone with it.
    """

    is_cheap = True

    def __init__(self, file: Path) -> None:
        """Takes the lock and makes the file if need be.

        Raises:
            DatabaseInUseError: another server has it.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(file.with_suffix(".lock"), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise DatabaseInUseError(
                f"another newton-lab server works on {file}: stop it, or give this one another"
                " folder with NEWTON_LAB_DATA_DIR"
            ) from None
        file.touch()
        self._held = {path: _identity(path) for path in (file, Path(self._lock.lock_file))}

    def check(self) -> None:
        """See :class:`DatabaseLock`."""
        for path, identity in self._held.items():
            try:
                found = _identity(path)
            except OSError as error:
                raise DatabaseUnavailableError(
                    f"the data folder or its {path.suffix} file is gone ({error.strerror}): bring"
                    " it back, or start the server again"
                ) from error
            if found != identity:
                raise LockLostError(
                    "the data folder was replaced by another one, which may have a server of its"
                    " own: this server ends its runs and stops"
                )

    def release(self) -> None:
        """See :class:`DatabaseLock`."""
        self._lock.release()


def _identity(path: Path) -> tuple[int, int]:
    state = os.stat(path)
    return state.st_dev, state.st_ino


class AdvisoryLock(DatabaseLock):
    """A PostgreSQL advisory lock, which lasts as long as the connection that took it."""

    is_cheap = False

    def __init__(self, engine: Engine) -> None:
        """Takes the lock.

        Raises:
            DatabaseInUseError: another server has it.
        """
        self._engine = engine
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        if not self._take():
            raise DatabaseInUseError(
                f"another newton-lab server works on {engine.url.render_as_string()}: stop it,"
                " or give this one another database with NEWTON_LAB_DATABASE_URL"
            )

    def check(self) -> None:
        """See :class:`DatabaseLock`."""
        with self._turn:
            try:
                held = self._is_held() or self._take()
            except DBAPIError as error:
                raise DatabaseUnavailableError("PostgreSQL does not answer") from error
        if not held:
            raise LockLostError(
                "the connection that held the PostgreSQL lock broke, and another server has taken"
                " the lock: this server ends its runs and stops"
            )

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.scalar(select(1))
            self._connection.rollback()
        except DBAPIError:
            self._drop()
            return False
        return True

    def _take(self) -> bool:
        self._connection = self._engine.connect()
        taken = bool(self._connection.scalar(select(func.pg_try_advisory_lock(_ADVISORY_KEY))))
        self._connection.commit()  # the lock belongs to the connection, not to the transaction
        if not taken:
            self._drop()
        return taken

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def release(self) -> None:
        """See :class:`DatabaseLock`."""
        with self._turn:
            self._drop()
