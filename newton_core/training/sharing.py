"""How the arms of a run are shared out between the run's process and its companions."""

import logging
from collections.abc import Mapping, Sequence

from newton_core.training.bench import ComputedArm
from newton_core.training.companion import Companion, CompanionLostError, LentArm
from newton_core.training.sources import ArmSource
from newton_core.training.spec import ExperimentSpec

logger = logging.getLogger(__name__)


class Sharing:
    """The companions of one run: called when there are arms to share, lent to once ready.

    A run never waits for a companion to get ready, and goes on without one that is lost.
    """

    def __init__(self, companions: Sequence[Companion]) -> None:
        self._free = list(companions)
        self._called: dict[Companion, int] = {}
        self._busy: dict[Companion, int] = {}

    def share(
        self, spec: ExperimentSpec, step: int, sources: list[ArmSource], running: Sequence[int]
    ) -> None:
        """Lends arms that are computed here and have done ``step``, if a companion is ready.

        Args:
            spec: of the run.
            step: the last one that is done.
            sources: of all arms; those that are lent are replaced.
            running: indices of the arms that still train.
        """
        if not (self._free or self._called):
            return
        here = {i: arm for i in running if isinstance(arm := sources[i], ComputedArm)}
        if len(here) < 2:
            return
        self._call(spec, len(here) - 1)
        ready = [companion for companion in list(self._called) if self._is_ready(companion)]
        _, *shares = _shares(here, len(ready) + 1)
        for companion, share in zip(ready, shares, strict=True):
            job = self._called.pop(companion)
            try:
                companion.lend(job, step, share)
            except CompanionLostError as loss:
                logger.warning("%s", loss)
                continue
            self._busy[companion] = job
            for index, arm in share.items():
                sources[index] = LentArm(companion, job, arm)

    def rest(self) -> None:
        """Has all companions leave what they still do for the run."""
        for companion, job in (self._called | self._busy).items():
            companion.rest(job)

    def _call(self, spec: ExperimentSpec, most: int) -> None:
        while self._free and len(self._called) < most:
            companion = self._free.pop(0)
            try:
                self._called[companion] = companion.prepare(spec)
            except CompanionLostError as loss:
                logger.warning("%s", loss)

    def _is_ready(self, companion: Companion) -> bool:
        try:
            return companion.is_ready(self._called[companion])
        except CompanionLostError as loss:
            logger.warning("%s", loss)
            del self._called[companion]
            return False


def _shares(arms: Mapping[int, ComputedArm], parts: int) -> list[dict[int, ComputedArm]]:
    """The arms in ``parts`` of about the same cost so far, the cheapest part first."""
    shares: list[dict[int, ComputedArm]] = [{} for _ in range(parts)]

    def cost(share: Mapping[int, ComputedArm]) -> tuple[float, int]:
        return sum((arm.arm.seconds for arm in share.values()), 0.0), len(share)

    for index in sorted(arms, key=lambda i: -arms[i].arm.seconds):
        min(shares, key=cost)[index] = arms[index]
    return sorted(shares, key=cost)
