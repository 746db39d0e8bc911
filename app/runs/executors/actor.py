"""What stands on a node of a Ray cluster: an actor that is a worker, and serves one parent.

A worker reads its jobs from one pipe and writes its messages to another, wherever it stands; here
the actor's methods are the other ends of both pipes.
"""

import os
import threading
from collections.abc import Iterator

from newton_core.workers import child, messages
from newton_core.workers.memory import memory_of


class RunActor:
    """Serves its parent as a worker process does, in a thread of its own."""

    def __init__(self) -> None:
        jobs, to_worker = os.pipe()
        from_worker, told = os.pipe()
        self._jobs = os.fdopen(to_worker, "wb")
        self._messages = os.fdopen(from_worker, "rb")
        ends = os.fdopen(jobs, "rb"), os.fdopen(told, "wb")
        threading.Thread(target=child.serve, args=ends, name="run worker", daemon=True).start()

    def send(self, body: bytes) -> None:
        """Hands a message of the parent to the worker."""
        messages.write_frame(self._jobs, body)

    def told(self) -> Iterator[bytes]:
        """All messages of the worker, as long as it lives."""
        yield from messages.read_frames(self._messages)

    def memory(self) -> int:
        """Resident bytes of the actor's process and its children."""
        return memory_of(os.getpid())
