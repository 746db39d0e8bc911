"""The server's own processes: each imports torch once, then serves one job after the other.

Nothing heavy is imported at the top: in a new process, the number of threads must be set before
torch is loaded.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeAlias

from app.settings import Settings

Wire: TypeAlias = "Connection[Any, Any]"
Main: TypeAlias = Callable[[Wire, Settings], None]

_spawn = multiprocessing.get_context("spawn")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def start_process(main: Main, settings: Settings, name: str) -> tuple[SpawnProcess, Wire]:
    """Starts ``main(connection, settings)`` in a process of its own.

    Returns:
        The process, and this side of the connection to it.
    """
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(
        target=main,
        args=(theirs, settings),
        name=name,
        daemon=True,
    )
    process.start()
    theirs.close()  # theirs alone: its end is how we notice that the process is gone
    return process, ours


def settle_in(settings: Settings) -> None:
    """What a new process does first: it takes torch's threads and the data folder over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(settings.threads)))
    os.environ["NEWTON_LAB_DATA_DIR"] = str(settings.data_dir)
    import torch

    torch.set_num_threads(settings.threads)


def take_orders(connection: Wire) -> "tuple[queue.SimpleQueue[Any], set[str | int]]":
    """Listens to the server in a thread: jobs to do, and names of jobs to stop.

    A text or a number is the name of a job, everything else is a job. Without a server there is
    nothing left to do: the process ends.
    """
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped: set[str | int] = set()

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = connection.recv()
                if isinstance(message, str | int):
                    stopped.add(message)
                else:
                    jobs.put(message)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return jobs, stopped
