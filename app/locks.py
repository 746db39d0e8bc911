"""Who may write a database: one server at a time, by a lock that can be lost and taken again."""

import os
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

_ADVISORY_KEY = 0x4E4C4142
"""Names our lock among the advisory locks of a PostgreSQL database ("NLAB")."""

FREE_LOOKS = 3
"""So often in a row a lock must be found free before a server takes it that was not its owner."""
_HOLDER = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0"
    " AND objid = :key AND database = (SELECT oid FROM pg_database WHERE datname ="
    " current_database())"
)
_SOON_MISSED = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 2}
"""PostgreSQL lets the lock go 15 s after the machine of its owner has vanished without a word."""


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
        is_held: whether this server has the right, as far as it knows.
        is_shared: whether a server without the right may work beside the one that has it.
    """

    is_cheap: bool
    is_held = True
    is_shared = False

    @abstractmethod
    def check(self) -> None:
        """Makes sure that the lock is held; one that broke is taken again if nobody has it.

        Raises:
            DatabaseUnavailableError: that cannot be told now.
            LockLostError: another server has it.
        """

    def claim(self) -> bool:
        """Takes a lock that is not held, once nobody else has had it for some calls in a row."""
        return self.is_held

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

    def __init__(self, engine: Engine, *, may_share: bool = False) -> None:
        """Takes the lock.

        Args:
            engine: of the database.
            may_share: goes on without the lock if another server has it.

        Raises:
            DatabaseInUseError: another server has it.
        """
        self.is_shared = may_share
        self._engine = engine
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._free_looks = 0
        self.is_held = self._take()
        if not self.is_held and not may_share:
            raise DatabaseInUseError(
                f"another newton-lab server works on {engine.url.render_as_string()}: stop it,"
                " or give this one another database with NEWTON_LAB_DATABASE_URL"
            )

    def check(self) -> None:
        """See :class:`DatabaseLock`. A server that never had the lock only asks for an answer."""
        with self._turn:
            try:
                if self.is_shared and not self.is_held:
                    self._is_free()
                    return
                self.is_held = self._is_kept() or self._take()
            except DBAPIError as error:
                self._free_looks = 0
                raise DatabaseUnavailableError("PostgreSQL does not answer") from error
        if not self.is_held:
            raise LockLostError(
                "the connection that held the PostgreSQL lock broke, and another server has taken"
                " the lock: this server ends its runs"
            )

    def claim(self) -> bool:
        """See :class:`DatabaseLock`. An owner whose connection broke comes before all others."""
        with self._turn:
            if self.is_held:
                return True
            try:
                self._free_looks = self._free_looks + 1 if self._is_free() else 0
                self.is_held = self._free_looks >= FREE_LOOKS and self._take()
            except DBAPIError:
                self._free_looks = 0
                raise
            return self.is_held

    def _is_free(self) -> bool:
        with self._engine.connect() as connection:
            return connection.scalar(_HOLDER, {"key": _ADVISORY_KEY}) is None

    def _is_kept(self) -> bool:
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
        for setting, value in _SOON_MISSED.items():
            self._connection.execute(text(f"SET {setting} = {value}"))
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
