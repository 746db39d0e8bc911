"""How the arms of a run are shared out between the run's process and its workers."""

import logging
from collections.abc import Mapping, Sequence

from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import ArmWorker, ArmWorkerLostError, RemoteArm
from newton_core.training.stepper import ArmStepper

logger = logging.getLogger(__name__)


class Sharing:
    """The workers of one run: called when there are arms to share, lent to once ready.

    A run never waits for a worker to get ready, and goes on without one that is lost.
    """

    def __init__(self, workers: Sequence[ArmWorker]) -> None:
        self._free = list(workers)
        self._called: dict[ArmWorker, int] = {}
        self._busy: dict[ArmWorker, int] = {}

    def share(
        self, spec: ExperimentSpec, step: int, steppers: list[ArmStepper], running: Sequence[int]
    ) -> None:
        """Lends arms that are computed here and have done ``step``, if a worker is ready.

        Args:
            spec: of the run.
            step: the last one that is done.
            steppers: of all arms; those that are lent are replaced.
            running: indices of the arms that still train.
        """
        if not (self._free or self._called):
            return
        here = {i: arm for i in running if isinstance(arm := steppers[i], LocalArm)}
        if len(here) < 2:
            return
        self._call(spec, len(here) - 1)
        ready = [worker for worker in list(self._called) if self._is_ready(worker)]
        _, *shares = _shares(here, len(ready) + 1)
        for worker, share in zip(ready, shares, strict=True):
            job = self._called.pop(worker)
            try:
                worker.lend(job, step, share)
            except ArmWorkerLostError as loss:
                logger.warning("%s", loss)
                continue
            self._busy[worker] = job
            for index, arm in share.items():
                steppers[index] = RemoteArm(worker, job, arm)

    def rest(self) -> None:
        """Has all workers leave what they still do for the run."""
        for worker, job in (self._called | self._busy).items():
            worker.rest(job)

    def _call(self, spec: ExperimentSpec, most: int) -> None:
        while self._free and len(self._called) < most:
            worker = self._free.pop(0)
            try:
                self._called[worker] = worker.prepare(spec)
            except ArmWorkerLostError as loss:
                logger.warning("%s", loss)

    def _is_ready(self, worker: ArmWorker) -> bool:
        try:
            return worker.is_ready(self._called[worker])
        except ArmWorkerLostError as loss:
            logger.warning("%s", loss)
            del self._called[worker]
            return False


def _shares(arms: Mapping[int, LocalArm], parts: int) -> list[dict[int, LocalArm]]:
    """The arms in ``parts`` of about the same cost so far, the cheapest part first."""
    shares: list[dict[int, LocalArm]] = [{} for _ in range(parts)]

    def cost(share: Mapping[int, LocalArm]) -> tuple[float, int]:
        return sum((arm.arm.seconds for arm in share.values()), 0.0), len(share)

    for index in sorted(arms, key=lambda i: -arms[i].arm.seconds):
        min(shares, key=cost)[index] = arms[index]
    return sorted(shares, key=cost)
