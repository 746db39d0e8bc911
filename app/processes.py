"""How the server starts its workers, which import torch once and then serve job after job."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.settings import Settings
from newton_core.workers import WorkerProcess

if TYPE_CHECKING:  # it loads torch
    from newton_core.experiment.sources import Source

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class LabWorker:
    """A worker process, and what it has loaded from outside the lab.

    It calls ``entry(settings, connection)`` with the settings' threads and data folder. Code from
    outside is loaded soon after its start, data when a job first asks for them.
    """

    def __init__(self, entry: str, settings: Settings, name: str) -> None:
        environment = dict.fromkeys(_THREAD_VARIABLES, str(settings.threads))
        environment["NEWTON_LAB_DATA_DIR"] = str(settings.data_dir)
        self._started = time.time()
        self._loaded: dict[tuple[str, str], str] = {}
        self.process = WorkerProcess(entry, settings, name, environment)

    def is_outdated(self, sources: "Iterable[Source]") -> bool:
        """Whether it has loaded something that is another one now."""
        return any(
            self._loaded[key] != source.digest
            if (key := (source.kind, source.name)) in self._loaded
            else source.kind == "code" and self._started < source.changed <= time.time()
            for source in sources
        )

    def loads(self, sources: "Iterable[Source]") -> None:
        """Told what its next job depends on."""
        self._loaded |= {(source.kind, source.name): source.digest for source in sources}
