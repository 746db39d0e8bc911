"""The worker's side: jobs come on standard input, messages go to standard output."""

import contextlib
import ctypes
import importlib
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import IO, Generic, NoReturn, TypeVar

from newton_core.workers import messages
from newton_core.workers.loading import quick_imports
from newton_core.workers.memory import keep_blocks

BEAT_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1

Task = TypeVar("Task")
logger = logging.getLogger(__name__)


def main(parent: int) -> None:
    """Serves the parent, a process's number, from a process that was started for that."""
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what anything prints must not get between the messages
    serve(incoming, outgoing)


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Calls the entry function that the parent's first message names."""
    keep_blocks()
    frames = messages.read_frames(incoming)
    for body in frames:
        start = pickle.loads(body)
        connection = Connection(frames, outgoing)
        module, _, function = start.entry.partition(":")
        with quick_imports():
            entry = getattr(importlib.import_module(module), function)
        entry(start.settings, connection)


def _end_with(parent: int) -> None:
    """Has Linux end this process with its parent, even while it imports and runs no thread."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


class Connection:
    """Serves the parent one job after the other, until the parent is gone."""

    def __init__(self, frames: Iterator[bytes], outgoing: IO[bytes]) -> None:
        self._frames = frames
        self._outgoing = outgoing
        self._sending = threading.Lock()
        self._sent = 0.0
        self._jobs: queue.SimpleQueue[messages.Submit] = queue.SimpleQueue()
        self._cancelled = 0
        threading.Thread(target=self._listen, name="from the parent", daemon=True).start()

    def serve(self, compute: "Callable[[Job[Task]], None]") -> NoReturn:
        """Has every job computed; an error ends the job alone."""
        self.send(messages.Ready())
        while True:
            submitted = self._jobs.get()
            number = submitted.job
            try:
                if not self.is_cancelled(number):
                    compute(Job(self, number, pickle.loads(submitted.task)))
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                self.send(messages.Failed(number, text, traceback.format_exc()))
            else:
                self.send(messages.Done(number))

    def send(self, message: messages.Message) -> None:
        """Sends a message; any thread may."""
        body = messages.encode(message)
        with self._sending:
            try:
                messages.write_frame(self._outgoing, body)
            except OSError:
                os._exit(0)  # nobody is left to compute for
            self._sent = time.monotonic()

    def beat(self) -> None:
        """Sends a heartbeat, unless a message was sent just now."""
        if time.monotonic() - self._sent >= BEAT_SECONDS:
            self.send(messages.Heartbeat())

    def is_cancelled(self, job: int) -> bool:
        """Whether the parent no longer wants a job."""
        return job <= self._cancelled

    def _listen(self) -> None:
        """Takes messages in while a job is computed.

        Tasks stay pickled here: two threads that import modules at once can find them half loaded.
        """
        try:
            for body in self._frames:
                match pickle.loads(body):
                    case messages.Submit() as submitted:
                        self._cancelled = max(self._cancelled, submitted.job - 1)
                        self._jobs.put(submitted)
                    case messages.Cancel(job):
                        self._cancelled = max(self._cancelled, job)
        except Exception:
            logger.exception("a message of the parent could not be read")
        finally:
            os._exit(0)


class Job(Generic[Task]):
    """A job that is being computed.

    Attributes:
        number: of the job.
        task: what was submitted.
    """

    def __init__(self, connection: Connection, number: int, task: Task) -> None:
        self.task = task
        self._connection = connection
        self.number = number

    def cancelled(self) -> bool:
        """Whether to leave the job; that it asks tells the parent that it goes on."""
        self._connection.beat()
        return self._connection.is_cancelled(self.number)

    def send(self, value: object) -> None:
        """Sends a part of what is computed."""
        self._connection.send(messages.Output(self.number, value))

    @contextlib.contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Tells the parent from a thread that the process lives, however long a step takes."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(BEAT_SECONDS):
                self._connection.beat()

        threading.Thread(target=beat, name="heartbeats", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
