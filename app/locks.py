"""Who may write a database: one server at a time, by a lock that can be lost and taken again."""

import os
import threading
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.exc import DBAPIError

_ADVISORY_KEY = 0x4E4C4142
"""Names our lock among the advisory locks of a PostgreSQL database ("NLAB")."""

FREE_LOOKS = 3
"""So often in a row a lock must be found free before a server takes it that was not its owner."""
BEAT_SECONDS = 1.0
APPLICATION = "newton-lab"
"""Sessions of one server are called this and its mark, so that they can be ended together."""
_HOLDER = text(
    "SELECT pid, state_change FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
).bindparams(key=_ADVISORY_KEY)
_END_SESSIONS = text(
    "SELECT count(pg_terminate_backend(other.pid)) FROM pg_stat_activity holder"
    " JOIN pg_stat_activity other ON other.pid = holder.pid OR (other.datname = holder.datname"
    f" AND other.application_name = holder.application_name AND other.application_name LIKE"
    f" '{APPLICATION} %')"
    " WHERE holder.pid = :pid AND holder.state_change = :beat"
)
_SOON_MISSED = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 2}
"""PostgreSQL lets the lock go 15 s after the machine of its owner has vanished without a word."""

logger = structlog.get_logger(__name__)


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


class _Holder(NamedTuple):
    """The session that has the lock, and when it last asked something (by PostgreSQL's clock)."""

    pid: int
    beat: datetime | None


class AdvisoryLock(DatabaseLock):
    """A PostgreSQL advisory lock, which lasts as long as the connection that took it.

    A server that hangs keeps its connections, and so the lock. Therefore the owner sends a query
    over the lock's connection every second, whatever else it does, and the other servers look
    whether it does. One that has looked ``patience`` times without seeing a new query ends all
    sessions of the owner: what the owner had not stored is rolled back, and the lock is free. When
    the owner wakes, each of its new connections first checks that the owner still holds the lock,
    so it writes nothing before it knows that it has lost it. Looks are counted instead of seconds,
    because a clock may jump and the server that looks may have been hanging too.
    """

    is_cheap = False

    def __init__(
        self, engine: Engine, own: Engine, *, may_share: bool = False, patience: int = 30
    ) -> None:
        """Takes the lock.

        Args:
            engine: of the database; its connections are let in by the lock.
            own: another one of the same database without a pool, for the lock's connection.
            may_share: goes on without the lock if another server has it.
            patience: looks that find the owner silent before it loses the lock.

        Raises:
            DatabaseInUseError: another server has it.
        """
        self.is_shared = may_share
        self._engine, self._own = engine, own
        self._patience = patience
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._pid: int | None = None
        self._free_looks = 0
        self._silent_looks = 0
        self._seen: _Holder | None = None
        self._closed = threading.Event()
        self.is_held = self._take()
        if not self.is_held and not may_share:
            raise DatabaseInUseError(
                f"another newton-lab server works on {engine.url.render_as_string()}: stop it,"
                " or give this one another database with NEWTON_LAB_DATABASE_URL"
            )
        event.listen(engine, "connect", self._admit)
        threading.Thread(target=self._beat, name="newton-lab-beat", daemon=True).start()

    def check(self) -> None:
        """See :class:`DatabaseLock`. A server that never had the lock only asks for an answer."""
        try:
            if self.is_shared and not self.is_held:
                self._holder()
            else:
                self._keep()
        except DBAPIError as error:
            with self._turn:
                self._free_looks = self._silent_looks = 0
            raise DatabaseUnavailableError("PostgreSQL does not answer") from error

    def claim(self) -> bool:
        """See :class:`DatabaseLock`. An owner whose connection broke comes before all others."""
        with self._turn:
            if self.is_held:
                return True
            try:
                holder = self._holder()
                self._free_looks = self._free_looks + 1 if holder is None else 0
                self._end_if_silent(holder)
                self.is_held = self._free_looks >= FREE_LOOKS and self._take()
            except DBAPIError:
                self._free_looks = self._silent_looks = 0
                raise
            return self.is_held

    def _holder(self) -> _Holder | None:
        with self._engine.connect() as connection:
            row = connection.execute(_HOLDER).one_or_none()
        return None if row is None else _Holder(*row)

    def _end_if_silent(self, holder: _Holder | None) -> None:
        is_same = holder is not None and holder.beat is not None and holder == self._seen
        self._silent_looks = self._silent_looks + 1 if is_same else 0
        self._seen = holder
        if holder is None or self._silent_looks < self._patience:
            return
        logger.warning("the server that owns the queue hangs: its sessions are ended")
        try:
            with self._engine.connect() as connection:
                connection.execute(_END_SESSIONS, {"pid": holder.pid, "beat": holder.beat})
        except DBAPIError as error:
            self._silent_looks = 0  # it is tried again as late as this, not every second
            reason = str(error.orig).splitlines()[0]
            logger.warning("PostgreSQL does not let this server end them", reason=reason)

    def _admit(self, connection: Any, _record: object) -> None:
        """Lets an owner's new connection in if the lock is still its own, or can be taken again."""
        if not self.is_held:
            return
        with connection.cursor() as cursor:
            cursor.execute(str(_HOLDER.compile(compile_kwargs={"literal_binds": True})))
            row = cursor.fetchone()
        connection.rollback()
        if row is None or row[0] != self._pid:
            self._keep()

    def _keep(self) -> None:
        with self._turn:
            self.is_held = self._is_kept() or self._take()
        if not self.is_held:
            raise LockLostError(
                "the connection that held the PostgreSQL lock broke, and another server has taken"
                " the lock: this server ends its runs"
            )

    def _beat(self) -> None:
        """The owner's signs of life; one that fails is left to the next check."""
        while not self._closed.wait(BEAT_SECONDS):
            with self._turn:
                if self.is_held and self._connection is not None:
                    self._is_kept()

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
        self._connection = self._own.connect()
        for setting, value in _SOON_MISSED.items():
            self._connection.execute(text(f"SET {setting} = {value}"))
        taken = bool(self._connection.scalar(select(func.pg_try_advisory_lock(_ADVISORY_KEY))))
        self._pid = self._connection.scalar(select(func.pg_backend_pid()))
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
        self._closed.set()
        with self._turn:
            self._drop()
