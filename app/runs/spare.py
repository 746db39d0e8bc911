"""What the queue's slots do while no run waits."""

from typing import Protocol

from app.runs.executors.base import Executor, StopRequest


class SpareTask(Protocol):
    """Something that a slot computes while no run waits."""

    @property
    def name(self) -> str:
        """For the server's log, unlike that of any other task."""

    def compute(self, executor: Executor, stop: StopRequest) -> None:
        """Computes it; once ``stop`` is asked, whoever gave the task gives it again later."""


class SpareWork(Protocol):
    """Where slots look for something to do while no run waits."""

    def take(self) -> SpareTask | None:
        """The next task, at once; None if there is none just now."""
