"""Entry functions of workers for tests. They load nothing heavy."""

import ctypes
import os
import signal
import sys
import time
from typing import Any

from newton_core.workers import WorkerProcess
from newton_core.workers.child import Connection, Job


def main(greeting: str, connection: Connection) -> None:
    """Computes tasks (name, argument)."""

    def compute(job: Job[tuple[str, Any]]) -> None:
        name, argument = job.task
        if name == "echo":
            job.send((greeting, argument))
        elif name == "variable":
            job.send(os.environ.get(argument))
        elif name == "fail":
            raise ValueError(argument)
        elif name == "unpicklable":
            job.send(lambda: argument)
        elif name == "count":
            for number in range(argument):
                job.send(number)
        elif name == "until cancelled":
            job.send("begun")
            while not job.cancelled():
                time.sleep(0.01)
        elif name == "slow step":
            with job.heartbeats():
                time.sleep(argument)
        elif name == "torn":
            job.send("whole")
            length = (argument).to_bytes(8, "big")
            connection._outgoing.write(length + bytes(argument // 2))
            connection._outgoing.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        elif name == "unreadable":
            body = b"no pickle"
            connection._outgoing.write(len(body).to_bytes(8, "big") + body)
            connection._outgoing.flush()
            time.sleep(60)

    connection.serve(compute)


def exit_at_once(code: int, _connection: Connection) -> None:
    raise SystemExit(code)


def load_for_long(_settings: object, _connection: Connection) -> None:
    """As the import of a large library does, lets no other thread run."""
    ctypes.PyDLL(None).sleep(60)


def be_parent() -> None:
    """Starts a worker that loads for long, says its number, and waits."""
    entry = "tests.newton_core.workers.entries:load_for_long"
    worker = WorkerProcess(entry, None, "worker", 60.0, {})
    sys.stdout.write(f"{worker.pid}\n")
    sys.stdout.flush()
    time.sleep(60)
