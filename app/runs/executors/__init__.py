"""Executors compute runs: one interface, worker processes or a Ray cluster behind it."""

from app.runs.executors.base import Executor, ExecutorError, StopRequest
from app.runs.executors.cluster import RayExecutor
from app.runs.executors.local import LocalExecutor
from app.settings import Settings

__all__ = [
    "Executor",
    "ExecutorError",
    "LocalExecutor",
    "RayExecutor",
    "StopRequest",
    "build_executor",
]


def build_executor(settings: Settings) -> Executor:
    """The executor that the settings name, not yet started.

    Raises:
        ExecutorError: it needs a library that is not installed.
    """
    return RayExecutor(settings) if settings.executor == "ray" else LocalExecutor(settings)
