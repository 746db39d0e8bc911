"""How the arms of a run are shared out between the run's process and its workers."""

import logging
from collections.abc import Mapping, Sequence

from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.snapshots import ArmSnapshot
from newton_core.training.stepper import ArmStepper, StepReport
from newton_core.workers import WorkerLostError

logger = logging.getLogger(__name__)


class RemoteArm:
    """An arm that a worker trains; if that is lost, the arm is trained here after all."""

    def __init__(self, worker: ArmWorker, job: int, local: LocalArm) -> None:
        """The worker has the arm in its present state."""
        self._worker: ArmWorker | None = worker
        self._job = job
        self._local = local

    def advance(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.stepper.ArmStepper`.

        If the worker is lost, all since the last state that it sent is computed again, at most a
        twentieth of the run.
        """
        if self._worker is not None:
            try:
                report, state = self._worker.report(self._job, self._local.index, step)
            except WorkerLostError as loss:
                logger.warning("%s; arm %d goes on without", loss, self._local.index)
                self._worker = None
            else:
                if state is not None:
                    self.restore(state)
                self._local.pictured |= bool(report.evaluation)
                return report
        for behind in range(self._local.arm.step + 1, step):
            self._local.advance(behind)
        return self._local.advance(step)

    def state(self, step: int) -> ArmSnapshot:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        return self._local.state(step)

    def restore(self, state: ArmSnapshot) -> None:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        self._local.restore(state)


class Sharing:
    """The workers of one run: prepared when there are arms to share, given arms once ready.

    A run never waits for a worker to get ready, and goes on without one that is lost.
    """

    def __init__(self, workers: Sequence[ArmWorker]) -> None:
        self._free = list(workers)
        self._preparing: list[tuple[ArmWorker, int]] = []
        self._jobs: list[tuple[ArmWorker, int]] = []

    def share(
        self, spec: ExperimentSpec, step: int, steppers: list[ArmStepper], running: Sequence[int]
    ) -> None:
        """Hands over arms that are trained here and have done ``step``, if a worker is ready.

        Args:
            spec: of the run.
            step: the last one that is done.
            steppers: of all arms; those that are handed over are replaced.
            running: indices of the arms that still train.
        """
        if not (self._free or self._preparing):
            return
        here = {i: arm for i in running if isinstance(arm := steppers[i], LocalArm)}
        if len(here) < 2:
            return
        while self._free and len(self._preparing) < len(here) - 1:
            self._prepare(self._free.pop(0), spec)
        ready = [entry for entry in list(self._preparing) if self._is_ready(*entry)]
        _, *shares = _shares(here, len(ready) + 1)
        for (worker, job), share in zip(ready, shares, strict=True):
            worker.train(job, step, share)
            for index, arm in share.items():
                steppers[index] = RemoteArm(worker, job, arm)

    def cancel(self) -> None:
        """Asks all workers to stop what they still do for the run."""
        for worker, job in self._jobs:
            worker.cancel(job)

    def _prepare(self, worker: ArmWorker, spec: ExperimentSpec) -> None:
        try:
            entry = worker, worker.prepare(spec)
        except WorkerLostError as loss:
            logger.warning("%s", loss)
        else:
            self._preparing.append(entry)
            self._jobs.append(entry)

    def _is_ready(self, worker: ArmWorker, job: int) -> bool:
        """Whether it can be given arms. From then on, or once it is lost, it no longer prepares."""
        try:
            if not worker.is_ready(job):
                return False
        except WorkerLostError as loss:
            logger.warning("%s", loss)
            ready = False
        else:
            ready = True
        self._preparing.remove((worker, job))
        return ready


def _shares(arms: Mapping[int, LocalArm], parts: int) -> list[dict[int, LocalArm]]:
    """The arms in ``parts`` of about the same cost so far, the cheapest part first."""
    shares: list[dict[int, LocalArm]] = [{} for _ in range(parts)]

    def cost(share: Mapping[int, LocalArm]) -> tuple[float, int]:
        return sum((arm.arm.seconds for arm in share.values()), 0.0), len(share)

    for index in sorted(arms, key=lambda i: -arms[i].arm.seconds):
        min(shares, key=cost)[index] = arms[index]
    return sorted(shares, key=cost)
