"""The local executor: worker processes of this machine."""

from app.processes import LabWorker, start_process
from app.runs.executors.pool import ENTRY, PoolExecutor


class LocalExecutor(PoolExecutor):
    """Worker processes on this machine."""

    name = "local"

    def _new_worker(self) -> LabWorker:
        return start_process(ENTRY, self._settings, "worker")
