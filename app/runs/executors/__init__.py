"""Executors compute runs: one interface, and worker processes of this machine behind it."""

from app.runs.executors.base import Executor, StopRequest
from app.runs.executors.local import LocalExecutor
from app.settings import Settings

__all__ = ["Executor", "LocalExecutor", "StopRequest", "build_executor"]


def build_executor(settings: Settings) -> Executor:
    """The executor that the settings name, not yet started."""
    return LocalExecutor(settings)
