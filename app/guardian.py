"""Watches what a server needs: its lock, its disk, and the threads of its queue."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.database import (
    SILENCE,
    SILENT_SECONDS,
    Database,
    DatabaseUnavailableError,
    LockLostError,
)
from app.role import Role
from app.runs.desk import RunDesk
from app.settings import Settings

LOOK_SECONDS = 1.0
STALE_SECONDS = 2.0 * SILENT_SECONDS
"""A look that takes longer hangs, and not in the database: a network's folder can do that."""
LEAST_DISK_BYTES = 1_000_000

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Condition:
    """What was found at the last look.

    Attributes:
        reasons: why runs cannot be served; empty if they can.
        lock: whether the database is this server's.
        free_mb: room on the disk of the data folder, in megabytes; 0 if the folder is gone.
        slots: threads that serve the queue.
    """

    reasons: tuple[str, ...]
    lock: bool
    free_mb: int
    slots: int


class Guardian:
    """A thread that looks every second; what it found last can be asked for at no cost.

    A server that has lost its lock ends its runs, for another server may have started them again.
    Where servers share the database it goes on beside the new owner, and takes the queue over when
    that one is gone (then it calls ``on_owner``); else it stops (``on_lost``).
    """

    def __init__(self, settings: Settings, database: Database, queue: RunDesk, role: Role) -> None:
        self._settings = settings
        self._database = database
        self._queue = queue
        self._role = role
        self._slots = 0
        self._closed = threading.Event()
        self._looked = time.monotonic()
        self._found = Condition((), True, _free_mb(settings.data_dir), 0)
        self._thread: threading.Thread | None = None
        self.on_lost: Callable[[], None] = _do_nothing
        self.on_owner: Callable[[], None] = _do_nothing
        self.lost: str | None = None

    def start(self) -> None:
        """Begins to look; the queue has been started."""
        self._slots = self._queue.slots if self._role.is_owner else 0
        self._found = self._look()
        self._thread = threading.Thread(target=self._watch, name="newton-lab-guardian", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(SILENT_SECONDS)

    @property
    def condition(self) -> Condition:
        """What was found at the last look, which may have been too long ago."""
        found = self._found
        if self.lost is not None:
            return found
        if self._database.is_silent:
            return Condition((*found.reasons, SILENCE), False, found.free_mb, found.slots)
        if time.monotonic() > self._looked + STALE_SECONDS:
            late = f"the data folder has not answered for {STALE_SECONDS:.0f} s"
            return Condition((*found.reasons, late), found.lock, 0, found.slots)
        return found

    def _watch(self) -> None:
        while self.lost is None and not self._closed.wait(LOOK_SECONDS):
            before, self._found = self._found, self._look()
            self._change_role()
            self._looked = time.monotonic()
            if self._found.reasons != before.reasons:
                logger.warning("condition changed", reasons=self._found.reasons or "none: all well")
            if before.reasons and not self._found.reasons:
                self._reconcile()
        if self.lost is not None:
            logger.error("the lock is lost", reason=self.lost)
            self._queue.close()
            self.on_lost()

    def _change_role(self) -> None:
        """Follows the lock of a shared database: whoever has it owns the queue."""
        if not self._database.is_shared or self._closed.is_set():
            return
        try:
            if self._role.is_owner and not self._database.is_owner:
                logger.warning("another server owns the queue now: this one serves viewers")
                self._role.step_back()
                self._slots = 0
            elif not self._role.is_owner and self._database.claim():
                logger.warning("the queue had no owner: this server takes it over")
                self._role.take_over()
                self._slots = self._queue.slots
                self.on_owner()
        except DatabaseUnavailableError:
            logger.warning("the database went away again")

    def _reconcile(self) -> None:
        try:
            self._queue.reconcile()
        except DatabaseUnavailableError:
            logger.warning("the database went away again")

    def _look(self) -> Condition:
        reasons = []
        lock = True
        try:
            self._database.check()
        except DatabaseUnavailableError as error:
            reasons.append(str(error))
            lock = False
            if isinstance(error, LockLostError) and not self._database.is_shared:
                self.lost = str(error)
        free = _free_mb(self._settings.data_dir)
        if free * 1_000_000 < LEAST_DISK_BYTES:
            reasons.append(f"{free} MB are free on the disk of the data folder, or it is gone")
        if _is_read_only(self._settings.data_dir):
            reasons.append("the data folder is read-only")
        slots = self._queue.slots
        if slots < self._slots:
            ended = self._slots - slots
            reasons.append(f"{ended} of {self._slots} threads that follow runs have ended")
        return Condition(tuple(reasons), lock and self._database.is_owner, free, slots)


def _free_mb(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free // 1_000_000
    except OSError:
        return 0


def _is_read_only(folder: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _do_nothing() -> None:
    """Nobody needs to be told."""
