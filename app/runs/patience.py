"""Tries again while the database is away, so that an outage ends no run and no thread."""

import threading
from collections.abc import Callable
from typing import TypeVar

from app.database import DatabaseUnavailableError
from app.runs.executors.base import StopRequest

Result = TypeVar("Result")
RETRY_SECONDS = 0.5


class Patience:
    """Repeats work until the database takes it, or until nobody wants to wait any longer."""

    def __init__(self, *, ended: bool = False) -> None:
        self._ended = threading.Event()
        if ended:
            self.end()

    def end(self) -> None:
        """Lets everything that waits try once more; from then on nothing waits."""
        self._ended.set()

    def insist(self, work: Callable[[bool], Result], stop: StopRequest | None = None) -> Result:
        """The result of ``work(again)``; ``again`` says whether it was tried before.

        Args:
            work: what needs the database. A try that failed may have been stored all the same.
            stop: ends the waiting once it is asked.

        Raises:
            DatabaseUnavailableError: the last try failed, and there is to be no other.
        """
        again = False
        while True:
            try:
                return work(again)
            except DatabaseUnavailableError:
                if self._ended.is_set() or (stop is not None and stop.asked):
                    raise
            again = True
            self._ended.wait(RETRY_SECONDS)


IMPATIENT = Patience(ended=True)
"""Tries once: for answers to requests, whose senders try again themselves."""
