"""Arms that an earlier run has trained already: their events are said again, not computed again.

No arm depends on its neighbours, so a run in which one arm changes has the others in common with
the run before, to the end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from newton_core.training.bench import Bench
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
from newton_core.training.sources import StepReport


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

    _loaded: dict[int, list[dict[str, Any]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def state(self, arm: int, step: int) -> dict[str, Any]:
        """An arm's complete state at a step that has a snapshot.

        Raises:
            SnapshotError: it has none, or too few arms.
        """
        if step not in self._loaded:  # one file holds all arms, which are asked for in turn
            path = list_snapshots(self.snapshots).get(step)
            if path is None:
                raise SnapshotError(f"the recording has no snapshot of step {step}")
            _, states = load_snapshot(path)
            if not self.arms <= set(range(len(states))):
                raise SnapshotError(f"{path} holds {len(states)} arms, too few for the recording")
            self._loaded.clear()
            self._loaded[step] = states
        return self._loaded[step][arm]


class RecordedArm:
    """An arm whose updates were made by another run, up to a step."""

    def __init__(self, bench: Bench, index: int, recording: Recording) -> None:
        self._bench = bench
        self._index = index
        self._recording = recording
        self._seconds = 0.0
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

    def at(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.sources.ArmSource`.

        Raises:
            SnapshotError: the recording does not reach this step.
        """
        if step in self._ends:
            return StepReport("diverged", self._seconds, reason=self._ends[step])
        metrics = self._logged.get(step)
        if metrics is not None:
            self._seconds = metrics[METRIC_NAMES.index("seconds")]
        elif step > self._recording.until or step in self._bench.schedule.logged:
            raise SnapshotError(f"the recording of arm {self._index} says nothing of step {step}")
        evaluation = tuple(self._evaluations.get(step, ()))
        slices = (self._slices[step],) if step in self._slices else ()
        report = StepReport(
            "running", self._seconds, metrics, self._spikes.get(step),
            evaluation=evaluation, slices=slices,
        )  # fmt: skip
        tested = report.test_metrics
        if tested is not None and self._bench.reaches_target(tested):
            return replace(report, status="target")
        return report

    def state(self, step: int) -> dict[str, Any]:
        """See :class:`~newton_core.training.sources.ArmSource`.

        Raises:
            SnapshotError: the recording has no snapshot of this step.
        """
        return self._recording.state(self._index, step)

    def restore(self, state: dict[str, Any]) -> None:
        """See :class:`~newton_core.training.sources.ArmSource`: all else is in the recording."""
        self._seconds = state["seconds"]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
