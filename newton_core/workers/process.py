"""The parent's side of a worker: a process that computes one job after the other."""

import contextlib
import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from newton_core.workers import messages

START_SECONDS = 120.0
"""Within this time a worker that is started must be ready."""
INBOX_MESSAGES = 256
"""A worker waits once so many of its messages have not been received."""

_STARTER = ThreadPoolExecutor(1, "starts workers")
"""Linux ends a worker with the thread that started it: this one lives as long as the process."""

logger = logging.getLogger(__name__)


class WorkerLostError(RuntimeError):
    """The worker is gone or of no more use; the message says what is known."""


class WorkerProcess:
    """A process that is warm, computes one job at a time, and ends with the process that made it.

    Nothing here waits for the worker but :meth:`receive`, and that for a limited time, so that a
    worker that hangs or is stopped delays nobody. Call the methods from one thread at a time;
    :meth:`kill` and :meth:`close` may be called from any.

    Args:
        entry: "module:function", called in the worker with ``settings`` and its
            :class:`~newton_core.workers.child.Connection`.
        settings: to be pickled.
        name: for messages and the process's command line, e.g. "arm worker".
        environment: variables that differ from those of this process. They are set before the
            worker loads anything, as the number of threads must be for torch.

    Raises:
        WorkerLostError: the process cannot be started.
    """

    def __init__(
        self, entry: str, settings: object, name: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.ready = False
        """Whether it has loaded everything."""
        self._job = 0
        self._lost = False
        self._inbox: queue.Queue[messages.Message | None] = queue.Queue(INBOX_MESSAGES)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        program = f"import sys; sys.path[:] = {sys.path!r}; from newton_core.workers import child"
        call = f"child.main({os.getpid()})"
        try:
            self._process = _STARTER.submit(
                subprocess.Popen,
                [sys.executable, "-c", f"{program}; {call}", f"newton-lab {name}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C is for this process to handle
            ).result()
        except (OSError, RuntimeError) as error:  # RuntimeError: this process is ending
            raise WorkerLostError(f"no {name} process could be started: {error}") from error
        self._reader = threading.Thread(target=self._read, name=f"from {name}", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name=f"to {name}", daemon=True).start()
        self._send(messages.Start(entry, settings))

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return not self._lost and self._process.poll() is None

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
            WorkerLostError: the process has ended, and all that it sent has been received.
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
            WorkerLostError: the process has ended.
        """
        while self.receive(0.0) is not None:
            pass
        if not self.is_alive:
            raise WorkerLostError(self.exit_reason())
        return self.ready

    def exit_reason(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            return f"the {self.name} process closed its connection"
        if code < 0:
            return (
                f"the {self.name} process was killed (signal {signal.Signals(-code).name}):"
                " perhaps the machine ran out of memory, or somebody ended it"
            )
        return f"the {self.name} process ended unexpectedly (exit code {code})"

    def kill(self) -> None:
        """Ends the process, whatever it does, without waiting for its end."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process, and waits for its end."""
        self._lost = True
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self._outbox.put(None)
        while self._reader.is_alive():  # it may wait for room in the inbox
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=0.01)

    def _send(self, message: messages.Start | messages.Submit | messages.Cancel) -> None:
        self._outbox.put(messages.encode(message))

    def _write(self) -> None:
        """Writes what is sent, in a thread: a worker that does not read would block its parent."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as pipe:  # the reader hears of it
            while (body := self._outbox.get()) is not None:
                messages.write_frame(pipe, body)

    def _read(self) -> None:
        """Fills the inbox; None is the last that comes."""
        assert self._process.stdout is not None
        try:
            with self._process.stdout as pipe:
                for body in messages.read_frames(pipe):
                    message = pickle.loads(body)
                    if not isinstance(message, messages.Heartbeat) or self._inbox.empty():
                        self._inbox.put(message)
        except Exception:
            logger.exception("a message of the %s process could not be read", self.name)
        finally:
            self._inbox.put(None)
