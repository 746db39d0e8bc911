"""The local executor: worker processes of this machine."""

from app.processes import LabWorker, PooledWorker
from app.runs.executors.pool import PoolExecutor


class LocalExecutor(PoolExecutor):
    """Worker processes on this machine."""

    name = "local"

    def _new_worker(self) -> PooledWorker:
        return LabWorker("app.runs.worker:main", self._settings, "worker")
