"""Child processes: how they are started, given jobs, heard, cancelled and ended.

``process`` is the parent's side, ``child`` the worker's, ``messages`` what goes between them. These
modules import nothing heavy, so that a server can start its workers before it loads torch.
"""

from newton_core.workers.process import WorkerProcess, worker_environment
from newton_core.workers.worker import (
    START_SECONDS,
    JobFailedError,
    Worker,
    WorkerHungError,
    WorkerLostError,
)

__all__ = [
    "START_SECONDS",
    "JobFailedError",
    "Worker",
    "WorkerHungError",
    "WorkerLostError",
    "WorkerProcess",
    "worker_environment",
]
