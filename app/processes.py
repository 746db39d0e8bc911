"""How the server starts its workers, which import torch once and then serve job after job."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.settings import Settings
from newton_core.workers import Worker, WorkerProcess, worker_environment

if TYPE_CHECKING:  # it loads torch
    from newton_core.experiment.sources import Source


class Loaded:
    """What a process has loaded from outside the lab.

    Code is loaded soon after the start, data when a job first asks for them.
    """

    def __init__(self) -> None:
        self._started = time.time()
        self._digests: dict[tuple[str, str], str] = {}

    def is_outdated(self, sources: "Iterable[Source]") -> bool:
        """Whether something that was loaded is another one now."""
        return any(
            self._digests[key] != source.digest
            if (key := (source.kind, source.name)) in self._digests
            else source.kind == "code" and self._started < source.changed <= time.time()
            for source in sources
        )

    def add(self, sources: "Iterable[Source]") -> None:
        """Told what is computed next."""
        self._digests |= {(source.kind, source.name): source.digest for source in sources}


@dataclass(eq=False)
class LabWorker:
    """A worker of this server.

    Attributes:
        process: the worker, of this machine or another.
        pooled: whether it goes back to the others after a job.
        loaded: what it has loaded from outside the lab.
    """

    process: Worker
    pooled: bool = True
    loaded: Loaded = field(default_factory=Loaded)


def start_process(entry: str, settings: Settings, name: str) -> LabWorker:
    """A worker process of this machine, which calls ``entry(settings, connection)``."""
    environment = worker_environment(settings.data_dir, settings.threads)
    return LabWorker(WorkerProcess(entry, settings, name, settings.hang_seconds, environment))
