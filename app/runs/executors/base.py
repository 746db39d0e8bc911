"""The one interface of everything that computes runs."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from app.runs.records import Job, LoggedEvent

Sink = Callable[[Sequence[LoggedEvent]], None]
"""Takes consecutive events of a run, in order."""


class ExecutorError(RuntimeError):
    """The executor cannot be used; the message says why and what to do."""


class StopRequest:
    """Asks a run to stop: first politely, or at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._at_once = threading.Event()

    def ask(self, *, at_once: bool = False) -> None:
        """Requests the stop; ``at_once`` leaves no time to end well."""
        if at_once:
            self._at_once.set()
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether the run is to stop."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits for the request, ``seconds`` at most, and returns whether there is one."""
        return self._asked.wait(seconds)

    @property
    def at_once(self) -> bool:
        """Whether the run is to end at once, without a last event."""
        return self._at_once.is_set()


class Executor(ABC):
    """Computes runs, ``slots`` of them at a time, each in a call of :meth:`execute`.

    Whatever happens to what computes a run (killed, hung, out of memory), ``execute`` returns,
    no other run is affected, and the slot can be used again.
    """

    name: str
    slots: int

    @abstractmethod
    def start(self) -> None:
        """Begins to get ready.

        Raises:
            ExecutorError: what it needs is not there.
        """

    @abstractmethod
    def wait_until_ready(self, timeout: float) -> bool:
        """Waits until a run would start without delay.

        Returns:
            False once ``timeout`` seconds have passed since :meth:`start`.
        """

    @abstractmethod
    def execute(self, job: Job, sink: Sink, stop: StopRequest) -> str | None:
        """Computes one run, in the caller's thread.

        Args:
            job: what to compute.
            sink: gets the events as they come; ``started`` has number 1, those after it go on
                from ``job.taken_over + 2``.
            stop: looked at all the time.

        Returns:
            None if the run's own last event went to ``sink``; else why it did not, in words.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends everything that :meth:`start` began; no run is in progress."""
