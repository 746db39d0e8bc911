"""A limit on the new runs of one address."""

import threading
import time
from collections import deque

WINDOW_SECONDS = 60.0


class Throttle:
    """Counts the new runs of each address in the last minute; a limit of 0 allows everything."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._starts: dict[str, deque[float]] = {}

    def allows(self, client: str) -> bool:
        """Whether this address may start one more."""
        if self._limit == 0:
            return True
        with self._lock:
            self._forget(time.monotonic() - WINDOW_SECONDS)
            return len(self._starts.get(client, ())) < self._limit

    def count(self, client: str) -> None:
        """Notes that this address started one."""
        if self._limit:
            with self._lock:
                self._starts.setdefault(client, deque()).append(time.monotonic())

    def _forget(self, before: float) -> None:
        for client, starts in list(self._starts.items()):
            while starts and starts[0] < before:
                starts.popleft()
            if not starts:
                del self._starts[client]
