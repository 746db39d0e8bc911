"""The parent's side of a worker: a process that computes one job after the other."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from newton_core.workers import messages
from newton_core.workers.memory import memory_of
from newton_core.workers.worker import CLOSE_SECONDS, Worker, WorkerLostError

_STARTER = ThreadPoolExecutor(1, "starts workers")
"""Linux ends a worker with the thread that started it: this one lives as long as the process."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def worker_environment(data_dir: Path, threads: int | None = None) -> dict[str, str]:
    """The variables that a worker needs before it loads anything; None leaves the threads."""
    environment = {"NEWTON_LAB_DATA_DIR": str(data_dir)}
    if threads is not None:
        environment |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return environment


class WorkerProcess(Worker):
    """A worker in a process of this machine, which ends with the process that made it.

    Args:
        entry: "module:function", called in the worker with ``settings`` and its
            :class:`~newton_core.workers.child.Connection`.
        settings: to be pickled.
        name: for messages and the process's command line, e.g. "arm worker".
        patience: seconds without a sign of life after which it counts as hung.
        environment: variables that differ from those of this process. They are set before the
            worker loads anything, as the number of threads must be for torch
            (:func:`worker_environment`).

    Raises:
        WorkerLostError: the process cannot be started.
    """

    def __init__(
        self,
        entry: str,
        settings: object,
        name: str,
        patience: float,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(name, patience)
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
        threading.Thread(target=self._write, name=f"to {name}", daemon=True).start()
        self._begin(entry, settings)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def memory(self) -> int:
        """Resident bytes of the process and its children; 0 once it is gone."""
        return memory_of(self.pid)

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
        super().close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_SECONDS)
        self._outbox.put(None)

    def _send(self, message: messages.Order) -> None:
        self._outbox.put(messages.encode(message))

    def _write(self) -> None:
        """Writes what is sent, in a thread: a worker that does not read would block its parent."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as pipe:  # the reader hears of it
            while (body := self._outbox.get()) is not None:
                messages.write_frame(pipe, body)

    def _frames(self) -> Iterator[bytes]:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            yield from messages.read_frames(pipe)
