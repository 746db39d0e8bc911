"""A second process that computes some of a run's arms, so that a run can use a second core.

Threads would wait for each other: a step of a small network is mostly Python, which runs one
thread at a time (``benchmarks/arm_workers.py`` measures what processes gain).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch

from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import data_dir
from newton_core.training.local_arm import LocalArm
from newton_core.training.snapshots import ArmSnapshot
from newton_core.training.stepper import StepReport
from newton_core.workers import WorkerLostError, WorkerProcess, worker_environment
from newton_core.workers.messages import Done, Failed, Output

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Prepare:
    """A task: read the data of a spec (JSON text), build its network, set torch's threads."""

    spec: str
    threads: int


@dataclass(frozen=True)
class Train:
    """A task: train arms of the prepared spec to the end, after ``step``, the last that is done.

    Attributes:
        arms: by index, an arm's complete state and whether its images have been emitted.
    """

    step: int
    arms: Mapping[int, tuple[ArmSnapshot, bool]]


@dataclass(frozen=True)
class Trained:
    """An output: one step of the arms that still train.

    Attributes:
        arms: by index, the report and, at the steps of snapshots and at an arm's end, its state.
    """

    step: int
    arms: Mapping[int, tuple[StepReport, ArmSnapshot | None]]


class ArmWorker:
    """A process that trains arms of one run at a time, and stays warm between runs.

    It starts when it is first needed, and computes the same numbers. Use it as a context manager,
    or :meth:`close` it. A run that prepares it takes it from the run before, which then goes on
    by itself. All methods are for one thread; those that take a job raise
    :class:`~newton_core.workers.WorkerLostError` if the process is gone or has another job.

    Args:
        patience: seconds without a sign of life after which the process counts as hung.
    """

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._process: WorkerProcess | None = None
        self._data_dir: Path | None = None
        self._job = 0
        self._prepared = False
        self._lost: str | None = None
        self._reports: dict[tuple[int, int], tuple[StepReport, ArmSnapshot | None]] = {}

    @property
    def pid(self) -> int | None:
        """Number of the process, while there is one."""
        return self._process.pid if self._process is not None else None

    def prepare(self, spec: ExperimentSpec) -> int:
        """Has the process get ready for the arms of a run, without waiting for it.

        Returns:
            The number of the job, which the other methods take.

        Raises:
            WorkerLostError: it cannot be started.
        """
        process = self._running()
        self._job += 1
        self._prepared = False
        self._lost = None
        self._reports.clear()
        process.submit(Prepare(spec.model_dump_json(), torch.get_num_threads()))
        return self._job

    def is_ready(self, job: int) -> bool:
        """Whether it waits for the arms of that job."""
        self._check(job)
        while not self._prepared and self._receive(0.0):
            pass
        return self._prepared

    def train(self, job: int, step: int, arms: Mapping[int, LocalArm]) -> None:
        """Hands over arms that have done ``step``."""
        states = {i: (arm.state(step), arm.pictured) for i, arm in arms.items()}
        self._check(job).submit(Train(step, states))

    def report(self, job: int, arm: int, step: int) -> tuple[StepReport, ArmSnapshot | None]:
        """Waits for an arm's report of a step, and its state where snapshots are due."""
        while job != self._job or (arm, step) not in self._reports:
            self._check(job)
            self._receive(LOOK_SECONDS)
        return self._reports.pop((arm, step))

    def cancel(self, job: int) -> None:
        """Asks it to stop what it still does for that job."""
        if job == self._job and self._process is not None:
            self._process.cancel(self._patience)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.close()
        self._process = None

    def __enter__(self) -> "ArmWorker":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _running(self) -> WorkerProcess:
        """The process, started anew if it has ended or reads data from another folder."""
        folder = data_dir()
        if self._process is None or not self._process.is_alive or self._data_dir != folder:
            self.close()
            entry = "newton_core.training.parallel.entry:main"
            environment = worker_environment(folder)
            self._process = WorkerProcess(entry, None, "arm worker", self._patience, environment)
            self._data_dir = folder
        return self._process

    def _check(self, job: int) -> WorkerProcess:
        if job != self._job:
            raise WorkerLostError("an arm worker was called away by another run")
        if self._lost is not None or self._process is None:
            raise WorkerLostError(self._lost or "the arm worker was closed")
        return self._process

    def _receive(self, timeout: float) -> bool:
        """Takes one message in; false if there is none."""
        assert self._process is not None
        try:
            message = self._process.receive(timeout)
        except WorkerLostError as loss:
            self.close()
            self._lose(str(loss))
        match message:
            case Done():
                self._prepared = True
            case Output(value=Trained(step, arms)):
                self._reports.update({(i, step): report for i, report in arms.items()})
            case Failed(error=error):
                self._lose(f"an arm worker failed: {error}")
        return message is not None

    def _lose(self, reason: str) -> NoReturn:
        self._lost = reason  # its other arms hear the same reason
        raise WorkerLostError(reason)
