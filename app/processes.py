"""How the server starts its workers, which import torch once and then serve job after job."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.settings import Settings
from newton_core.workers import Worker, WorkerProcess

if TYPE_CHECKING:  # it loads torch
    from newton_core.experiment.sources import Source

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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


class PooledWorker:
    """A worker, and what it has loaded from outside the lab.

    Args:
        process: the worker.
        pooled: whether it goes back to the others after a job.
    """

    def __init__(self, process: Worker, *, pooled: bool = True) -> None:
        self.process = process
        self.pooled = pooled
        self.loaded = Loaded()


class LabWorker(PooledWorker):
    """A worker process of this machine.

    It calls ``entry(settings, connection)`` with the settings' threads and data folder.
    """

    process: WorkerProcess

    def __init__(self, entry: str, settings: Settings, name: str) -> None:
        super().__init__(WorkerProcess(entry, settings, name, environment_of(settings)))


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that a worker needs before it loads anything."""
    environment = dict.fromkeys(_THREAD_VARIABLES, str(settings.threads))
    environment["NEWTON_LAB_DATA_DIR"] = str(settings.data_dir)
    return environment
