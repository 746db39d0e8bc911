"""What stands on a node of a Ray cluster: an actor that is a worker, and serves one parent.

A worker reads its jobs from one pipe and writes its messages to another, wherever it stands; here
the actor's methods are the other ends of both pipes.
"""

import importlib
import os
import threading
from collections.abc import Iterator

from app.settings import Settings
from newton_core.workers import messages
from newton_core.workers.child import Connection
from newton_core.workers.memory import keep_blocks, memory_of


class RunActor:
    """Calls ``entry(settings, connection)`` in a thread of its own.

    Args:
        entry: "module:function".
        settings: of the server.
    """

    def __init__(self, entry: str, settings: Settings) -> None:
        keep_blocks()
        jobs, to_worker = os.pipe()
        from_worker, told = os.pipe()
        self._jobs = os.fdopen(to_worker, "wb")
        self._messages = os.fdopen(from_worker, "rb")
        frames, outgoing = messages.read_frames(os.fdopen(jobs, "rb")), os.fdopen(told, "wb")
        module, _, function = entry.partition(":")

        def serve() -> None:
            importlib.import_module(module).__dict__[function](
                settings, Connection(frames, outgoing)
            )

        threading.Thread(target=serve, name="run worker", daemon=True).start()

    def send(self, body: bytes) -> None:
        """Hands a message of the parent to the worker."""
        messages.write_frame(self._jobs, body)

    def told(self) -> Iterator[bytes]:
        """All messages of the worker, as long as it lives."""
        yield from messages.read_frames(self._messages)

    def memory(self) -> int:
        """Resident bytes of the actor's process and its children."""
        return memory_of(os.getpid())
