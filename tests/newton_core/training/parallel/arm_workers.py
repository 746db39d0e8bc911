import time
from collections.abc import Mapping
from typing import Self

from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import PATIENCE_SECONDS, ArmWorker


class PatientArmWorker(ArmWorker):
    """A run waits for it, so that runs of a few steps are shared too; remembers its shares."""

    def __init__(self, not_before: int = 0, patience: float = PATIENCE_SECONDS) -> None:
        """Is not ready before the run has asked ``not_before`` times, once a step."""
        super().__init__(patience)
        self.shares: list[tuple[int, frozenset[int]]] = []
        self.not_before = not_before

    def __enter__(self) -> Self:
        return self

    def is_ready(self, job: int) -> bool:
        self.not_before -= 1
        if self.not_before >= 0:
            return False
        patience = time.monotonic() + 120
        while not super().is_ready(job):
            assert time.monotonic() < patience, "the arm worker does not get ready"
            time.sleep(0.005)
        return True

    def train(self, job: int, step: int, arms: Mapping[int, LocalArm]) -> None:
        super().train(job, step, arms)
        self.shares.append((step, frozenset(arms)))
