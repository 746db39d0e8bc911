"""The parent's side of any worker: jobs go there, messages come back."""

import contextlib
import queue
import time
from abc import ABC, abstractmethod

from newton_core.workers import messages

START_SECONDS = 120.0
"""Within this time a worker that is started must be ready."""
INBOX_MESSAGES = 256
"""A worker waits once so many of its messages have not been received."""


class WorkerLostError(RuntimeError):
    """The worker has ended or cannot be used any more; the message says why."""


class Worker(ABC):
    """Something that is warm and computes one job at a time.

    Nothing here waits for the worker but :meth:`receive`, and that for a limited time, so that a
    worker that hangs or is stopped delays nobody. Call the methods from one thread at a time;
    :meth:`kill` and :meth:`close` may be called from any.

    Args:
        name: for messages, e.g. "arm worker".
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = False
        """Whether it has loaded everything."""
        self._job = 0
        self._lost = False
        self._inbox: queue.Queue[messages.Message | None] = queue.Queue(INBOX_MESSAGES)

    @property
    @abstractmethod
    def is_alive(self) -> bool:
        """Whether the worker has not ended."""

    def submit(self, task: object) -> None:
        """Hands over the next job; one that is still being computed is cancelled."""
        self._job += 1
        self._send(messages.Submit(self._job, messages.encode(task)))

    def cancel(self) -> None:
        """Asks the worker to leave the job, which then ends with ``Done``."""
        self._send(messages.Cancel(self._job))

    def receive(self, timeout: float) -> messages.Message | None:
        """The next message about the present job, or None if none comes in ``timeout`` seconds.

        Raises:
            WorkerLostError: the worker has ended, and all that it sent has been received.
        """
        deadline = time.monotonic() + timeout
        while not self._lost:
            try:
                message = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            match message:
                case None:
                    self._lost = True
                case messages.Ready():
                    self.ready = True
                    return message
                case messages.Heartbeat():
                    return message
                case _ if message.job == self._job:
                    return message
        raise WorkerLostError(self.exit_reason())

    def is_ready(self) -> bool:
        """Whether the worker, which has no job, waits for one.

        Raises:
            WorkerLostError: the worker has ended.
        """
        while self.receive(0.0) is not None:
            pass
        if not self.is_alive:
            raise WorkerLostError(self.exit_reason())
        return self.ready

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
    def close(self) -> None:
        """Ends the worker, and waits for its end."""

    @abstractmethod
    def _send(self, message: messages.Start | messages.Submit | messages.Cancel) -> None:
        """Sends a message without waiting."""

    def _take(self, body: bytes) -> None:
        """Puts a message that has come into the inbox; a heartbeat only where nothing else is."""
        message = messages.decode(body)
        if not isinstance(message, messages.Heartbeat) or self._inbox.empty():
            self._inbox.put(message)

    def _empty_inbox(self) -> None:
        """Drops a message, so that a thread that waits for room can put its own in."""
        with contextlib.suppress(queue.Empty):
            self._inbox.get(timeout=0.01)
