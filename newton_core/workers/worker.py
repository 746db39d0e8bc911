"""The parent's side of any worker: jobs go there, messages come back."""

import contextlib
import logging
import math
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from newton_core.workers import messages

START_SECONDS = 120.0
"""Within this time a worker that is started must be ready."""
LOOK_SECONDS = 0.1
PER_SECOND = 25
"""So often at most one hears what a job sends: what comes between is given together."""
MOST_TOGETHER = 500
CLOSE_SECONDS = 5.0
INBOX_MESSAGES = 256
"""A worker waits once so many of its messages have not been received."""

logger = logging.getLogger(__name__)


class WorkerLostError(RuntimeError):
    """The worker has ended or cannot be used any more; the message says why."""


class WorkerHungError(WorkerLostError):
    """The worker gave no sign of life for as long as one waits, and has been ended."""


class JobFailedError(RuntimeError):
    """The job met an error, "type: message"; the worker is good for more.

    Attributes:
        traceback: of the error, in the worker.
    """

    def __init__(self, failed: messages.Failed) -> None:
        super().__init__(failed.error)
        self.traceback = failed.traceback


class Worker(ABC):
    """Something that is warm and computes one job at a time.

    Nothing here waits for the worker but :meth:`receive`, and that for a limited time, so that a
    worker that hangs or is stopped delays nobody. Call the methods from one thread at a time;
    :meth:`kill` and :meth:`close` may be called from any.

    Args:
        name: for messages, e.g. "arm worker".
        patience: seconds without a sign of life after which a worker that has a job counts as
            hung. One that still starts has ``START_SECONDS``.
    """

    def __init__(self, name: str, patience: float) -> None:
        self.name = name
        self.ready = False
        """Whether it has loaded everything."""
        self._patience = patience
        self._job = 0
        self._has_job = False
        self._heard = time.monotonic()
        self._stop_seconds, self._stop_by = 0.0, math.inf
        self._loss: WorkerLostError | None = None
        self._inbox: queue.Queue[messages.Message | None] = queue.Queue(INBOX_MESSAGES)
        self._reader = threading.Thread(target=self._read, name=f"from {name}", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the worker has not ended, as far as is known."""
        return self._loss is None and self._reader.is_alive()

    def submit(self, task: object) -> None:
        """Hands over the next job; one that is still being computed is cancelled."""
        self._job += 1
        self._has_job, self._stop_by = True, math.inf
        self._heard = time.monotonic()
        self._send(messages.Submit(self._job, messages.encode(task)))

    def cancel(self, seconds: float) -> None:
        """Asks the worker to leave the job, which then ends with ``Done``.

        Args:
            seconds: a worker that has not left the job by then is ended.
        """
        if self._has_job and self._stop_by == math.inf:
            self._stop_seconds, self._stop_by = seconds, time.monotonic() + seconds
            self._send(messages.Cancel(self._job))

    def receive(self, timeout: float) -> messages.Answer | None:
        """The next message about the present job, or None if none comes in ``timeout`` seconds.

        Raises:
            WorkerLostError: the worker has ended, and all that it sent has been received; or it
                hung or did not leave a job in time, and has been ended for that.
        """
        until = time.monotonic() + timeout
        while self._loss is None:
            try:
                message = self._inbox.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self._check_time()
                return None
            self._heard = time.monotonic()
            match message:
                case None:
                    self._loss = WorkerLostError(self.exit_reason())
                case messages.Ready():
                    self.ready = True
                case messages.Output(job) if job == self._job:
                    self._check_time()
                    return message
                case messages.Done(job) | messages.Failed(job) if job == self._job:
                    self._has_job, self._stop_by = False, math.inf
                    return message
        raise self._loss.with_traceback(None)

    def results(
        self, task: object, stop: Callable[[], bool], stop_seconds: float
    ) -> Iterator[list[object]]:
        """Hands over a job once the worker is ready, and gives what it sends, to its end.

        Args:
            task: to be submitted.
            stop: looked at all the time; once it says so, the job is cancelled or not begun.
            stop_seconds: a worker that has not left the job by then is ended.

        Yields:
            What has come since the last time, in order, perhaps nothing. It yields at least about
            ten times a second, so that the caller can check limits of its own, and at most
            ``PER_SECOND`` times.

        Raises:
            JobFailedError: the job met an error.
            WorkerLostError: see :meth:`receive`.
        """
        while not self.ready:
            if stop():
                return
            self.receive(LOOK_SECONDS)
        self.submit(task)
        gathered = 0.0
        while True:
            if stop():
                self.cancel(stop_seconds)
            values, last = self._gather(gathered + 1 / PER_SECOND)
            gathered = time.monotonic()
            yield values
            match last:
                case messages.Failed():
                    raise JobFailedError(last)
                case messages.Done():
                    return

    def is_ready(self) -> bool:
        """Whether the worker, which has no job, waits for one.

        Raises:
            WorkerLostError: the worker has ended, or did not get ready in time.
        """
        while self.receive(0.0) is not None:
            pass
        return self.ready

    def close(self) -> None:
        """Ends the worker, and waits for its end."""
        self._loss = self._loss or WorkerLostError(f"the {self.name} was closed")
        self.kill()
        until = time.monotonic() + CLOSE_SECONDS
        while self._reader.is_alive() and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):  # the reader may wait for room
                self._inbox.get(timeout=0.01)

    @abstractmethod
    def memory(self) -> int:
        """Resident bytes of the worker and its children; 0 once it is gone."""

    @abstractmethod
    def exit_reason(self) -> str:
        """How the worker ended, in words."""

    @abstractmethod
    def kill(self) -> None:
        """Ends the worker, whatever it does, without waiting for its end."""

    @abstractmethod
    def _send(self, message: messages.Order) -> None:
        """Sends a message without waiting."""

    @abstractmethod
    def _frames(self) -> Iterator[bytes]:
        """The pickles of all messages that the worker sends, to its end."""

    def _begin(self, entry: str, settings: object) -> None:
        """Has the worker call its entry function, and begins to read what it sends."""
        self._reader.start()
        self._send(messages.Start(entry, settings))

    def _gather(self, until: float) -> tuple[list[object], messages.Answer | None]:
        """What the job sends up to a time, together, and the last message, if there is one."""
        values: list[object] = []
        last = self.receive(LOOK_SECONDS)
        with contextlib.suppress(WorkerLostError):  # raised again when the next one is awaited
            while isinstance(last, messages.Output):
                values.append(last.value)
                if len(values) == MOST_TOGETHER:
                    break
                last = self.receive(max(0.0, until - time.monotonic()))
        return values, last

    def _check_time(self) -> None:
        """Ends a worker that has hung, or has not left its job in time.

        Raises:
            WorkerLostError: it was ended.
        """
        now = time.monotonic()
        if now > self._stop_by:
            words = f"the {self.name} process did not stop within {self._stop_seconds:g} s"
            self._loss = WorkerLostError(words)
        elif not self.ready and now - self._heard > START_SECONDS:
            words = f"no {self.name} process was ready within {START_SECONDS:g} s"
            self._loss = WorkerLostError(words)
        elif self.ready and self._has_job and now - self._heard > self._patience:
            words = f"the {self.name} process hung: no sign of life for {self._patience:g} s"
            self._loss = WorkerHungError(words)
        if self._loss is not None:
            self.kill()
            raise self._loss

    def _read(self) -> None:
        """Fills the inbox, with a heartbeat only where nothing else is, and ends with None."""
        try:
            for body in self._frames():
                message = messages.decode(body)
                if not isinstance(message, messages.Heartbeat) or self._inbox.empty():
                    self._inbox.put(message)
        except Exception:  # of any kind, in a body torn by a kill: the process counts as lost
            logger.exception("a message of the %s process could not be read", self.name)
        finally:
            self._inbox.put(None)
