"""Arms that an earlier run has trained already: their events are said again, not computed again.

No arm depends on its neighbours, so a run in which one arm changes has the others in common with
the run before, to the end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from newton_core.tasks import Batch
from newton_core.training.arm import Arm, DivergedError, Observation
from newton_core.training.events import (
    METRIC_NAMES,
    CurvatureEvent,
    Diverged,
    Evaluation,
    Event,
    Examples,
    Landscape,
    Metrics,
    Spike,
)
from newton_core.training.snapshots import SnapshotError, list_snapshots, load_snapshot
from newton_core.training.spec import ExperimentSpec


@dataclass(frozen=True)
class Recording:
    """What another run of the same arms said, and the states that it left.

    Attributes:
        arms: indices of the arms that are taken from it.
        until: the last step that is: one of its snapshots, from which these arms go on by
            themselves.
        events: its events of at least these arms, in order, from the snapshot on that this run
            starts from to that step; what it said later is not used.
        snapshots: folder with its snapshots, which has one for each that this run is to leave up to
            that step.
    """

    arms: frozenset[int]
    until: int
    events: Sequence[Event]
    snapshots: Path

    def states(self, step: int) -> dict[int, dict[str, Any]]:
        """The recorded arms' complete states at a step that has a snapshot.

        Raises:
            SnapshotError: it has none, or another number of arms.
        """
        path = list_snapshots(self.snapshots).get(step)
        if path is None:
            raise SnapshotError(f"the recording has no snapshot of step {step}")
        _, states = load_snapshot(path)
        if not self.arms <= set(range(len(states))):
            raise SnapshotError(f"{path} holds {len(states)} arms, too few for the recording")
        return {arm: states[arm] for arm in self.arms}


class RecordedArm(Arm):
    """An arm whose updates were made by another run, up to a step.

    Until then its network stays as it was; the state of that step is to be restored afterwards.
    """

    def __init__(
        self, spec: ExperimentSpec, index: int, model: nn.Module, recording: Recording
    ) -> None:
        super().__init__(spec, index, model)
        self._until = recording.until
        self._logged: dict[int, tuple[float, ...]] = {}
        self._spikes: dict[int, tuple[float, float]] = {}
        self._ends: dict[int, str] = {}
        self._evaluations: dict[int, list[Evaluation | CurvatureEvent | Examples]] = {}
        self._slices: dict[int, Landscape] = {}
        for event in recording.events:
            if getattr(event, "arm", None) == index:
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Metrics):
            columns = [event.values[name] for name in METRIC_NAMES]
            rows = zip(*columns, strict=True)
            self._logged.update(
                (step, tuple(map(_number, row)))
                for step, row in zip(event.steps, rows, strict=True)
            )
        elif isinstance(event, Spike):
            self._spikes[event.step] = (_number(event.norm), _number(event.median))
        elif isinstance(event, Diverged):
            self._ends[event.step] = event.reason
        elif isinstance(event, Landscape):
            self._slices[event.step] = event
        elif isinstance(event, Evaluation | CurvatureEvent | Examples):
            self._evaluations.setdefault(event.step, []).append(event)

    def is_recorded(self, step: int) -> bool:
        """Whether the arm is not computed at this step."""
        return step <= self._until

    def update(self, batch: Batch, step: int, *, observe: bool) -> Observation:
        """What the recorded update saw; from its end on, an update.

        Raises:
            DivergedError: that update ended the arm.
            SnapshotError: the recording does not reach this step.
        """
        if not self.is_recorded(step):
            return super().update(batch, step, observe=observe)
        if step in self._ends:
            raise DivergedError(self._ends[step])
        metrics = self._logged.get(step) if observe else None
        if observe and metrics is None:
            raise SnapshotError(f"the recording of arm {self.index} says nothing of step {step}")
        self.step = step
        if metrics is not None:
            self.seconds = metrics[METRIC_NAMES.index("seconds")]
        return Observation(metrics, self._spikes.get(step))

    def evaluation(self, step: int) -> list[Evaluation | CurvatureEvent | Examples]:
        """What was said of the arm when it was evaluated at this step."""
        said = self._evaluations.get(step, [])
        for event in said:
            if isinstance(event, Evaluation):
                self.last_evaluation = event.model_dump(exclude={"type", "seq", "arm", "step"})
        return said

    def slices(self, step: int) -> list[Landscape]:
        """The landscape at this step, where one was due."""
        return [self._slices[step]] if step in self._slices else []


def _number(value: float | None) -> float:
    return math.nan if value is None else value
