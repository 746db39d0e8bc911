"""The disk's quota: which runs are kept, and which go first when room is needed."""

import threading
from collections.abc import Callable

import structlog

from app.database import RunRow
from app.runs.store import RunStore
from app.settings import Settings

logger = structlog.get_logger(__name__)


class DiskRoom:
    """Keeps the logs and snapshots of all runs within the quota."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._quota = settings.disk_mb * 1_000_000
        self._store = store
        self._turn = threading.Lock()

    def pin(self, run: RunRow, pinned: bool) -> bool:
        """Keeps a run from being removed to make room, or no longer.

        Returns:
            False if it would take more than the pinned runs' half of the disk.
        """
        size = run.log_bytes + run.file_bytes
        most = self._quota // 2 - size
        if pinned and not run.pinned and self._store.bytes_used(pinned=True) > most:
            return False
        self._store.set_pinned(run.id, pinned)
        return True

    def make(self, remove: Callable[[str], None]) -> None:
        """Removes the oldest ended runs that are not pinned until the quota is kept.

        Pinned runs take half of it at most: one that grew beyond is no reason to remove all others.
        """
        with self._turn:
            room = self._quota - min(self._store.bytes_used(pinned=True), self._quota // 2)
            while self._store.bytes_used(pinned=False) > room:
                oldest = self._store.oldest_removable()
                if oldest is None:
                    logger.warning("the disk quota is passed by runs that are going")
                    return
                logger.info("removing an old run to make room", run=oldest.id)
                remove(oldest.id)
