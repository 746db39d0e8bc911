"""Leases: computations in progress, in whatever process, and since when each is going."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

CLOCK_SECONDS = 1.0
"""File systems tell the time so coarsely that a file may look older than what came before it."""


class Lease:
    """A computation in progress: a locked file that is named after its beginning.

    The lock ends with its process, however that ends, so that nobody waits for the dead.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(file, thread_local=False)  # any thread may end it
        self._lock.acquire()

    def release(self) -> None:
        """Ends it; a second time does nothing."""
        if self._lock.is_locked:
            self._lock.release()
            self._file.unlink(missing_ok=True)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()


class Leases:
    """All leases of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self) -> Lease:
        """A new one.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._alone():
            return Lease(self._folder / f"{time.time_ns()}-{secrets.token_hex(4)}.lease")

    @contextmanager
    def oldest(self) -> Iterator[float]:
        """When the oldest of those that are going began, in seconds since 1970; none can begin
        meanwhile. Infinite if there is none.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._alone():
            going = [file for file in self._folder.glob("*.lease") if _is_held(file)]
            began = [int(file.name.partition("-")[0]) / 1e9 - CLOCK_SECONDS for file in going]
            yield min(began, default=float("inf"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / "turn.lock"):
            yield


def _is_held(file: Path) -> bool:
    """Whether its process lives; what a dead one has left is removed."""
    try:
        with FileLock(file, timeout=0):
            file.unlink(missing_ok=True)
    except Timeout:
        return True
    return False
