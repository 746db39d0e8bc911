"""Arms that an earlier run has trained already: their events are repeated, not computed again.

No arm depends on its neighbours, so a run in which one arm changes shares all others with the run
before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from newton_core.experiment.events import (
    CurvatureEvent,
    Diverged,
    Evaluation,
    Event,
    Examples,
    Landscape,
    Metrics,
    Notice,
    Spike,
    parse_event,
)
from newton_core.metrics import METRIC_NAMES
from newton_core.training.context import RunContext
from newton_core.training.snapshots import ArmSnapshot, SnapshotError, list_snapshots, load_snapshot
from newton_core.training.stepper import StepReport


@dataclass(frozen=True)
class Replay:
    """The events of another run of the same arms, and the states that it saved.

    Attributes:
        arms: indices of the arms that are taken from it.
        until: the last step that is taken from it. It has a snapshot there, from which these arms
            go on training.
        events: its events in order, as JSON texts or parsed, of at least these arms. They begin at
            the snapshot that this run starts from; those after ``until`` are not used.
        snapshots: folder with its snapshots: one for each step up to ``until`` at which this run
            saves one.
    """

    arms: frozenset[int]
    until: int
    events: Sequence[Event | str]
    snapshots: Path

    _loaded: dict[int, list[ArmSnapshot]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def state(self, arm: int, step: int) -> ArmSnapshot:
        """An arm's complete state at a step that has a snapshot.

        Raises:
            SnapshotError: it has none, or too few arms.
        """
        if step not in self._loaded:  # one file holds all arms, which are asked for in turn
            path = list_snapshots(self.snapshots).get(step)
            if path is None:
                raise SnapshotError(f"the replay has no snapshot of step {step}")
            _, states = load_snapshot(path)
            if not self.arms <= set(range(len(states))):
                raise SnapshotError(f"{path} holds {len(states)} arms, too few for the replay")
            self._loaded.clear()
            self._loaded[step] = states
        return self._loaded[step][arm]


class ReplayedArm:
    """An arm whose updates were made by another run, up to a step."""

    def __init__(self, context: RunContext, index: int, replay: Replay) -> None:
        self._context = context
        self._index = index
        self._replay = replay
        self._seconds = 0.0
        self._logged: dict[int, tuple[float, ...]] = {}
        self._spikes: dict[int, tuple[float, float]] = {}
        self._ends: dict[int, str] = {}
        self._evaluations: dict[int, list[Evaluation | CurvatureEvent | Examples | Notice]] = {}
        self._landscapes: dict[int, Landscape] = {}
        for said in replay.events:
            event = parse_event(said) if isinstance(said, str) else said
            if getattr(event, "arm", None) == index:
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Metrics):
            unknown = [None] * len(event.steps)  # metrics that a later version added
            columns = [event.values.get(name, unknown) for name in METRIC_NAMES]
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
            self._landscapes[event.step] = event
        elif isinstance(event, Evaluation | CurvatureEvent | Examples | Notice):
            self._evaluations.setdefault(event.step, []).append(event)

    def advance(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.stepper.ArmStepper`.

        Raises:
            SnapshotError: the replay does not reach this step.
        """
        if step in self._ends:
            return StepReport("diverged", self._seconds, reason=self._ends[step])
        metrics = self._logged.get(step)
        if metrics is not None:
            self._seconds = metrics[METRIC_NAMES.index("seconds")]
        elif step > self._replay.until or step in self._context.schedule.logged:
            raise SnapshotError(f"the replay of arm {self._index} says nothing of step {step}")
        evaluation = tuple(self._evaluations.get(step, ()))
        landscapes = (self._landscapes[step],) if step in self._landscapes else ()
        report = StepReport(
            "running", self._seconds, metrics, self._spikes.get(step),
            evaluation=evaluation, landscapes=landscapes,
        )  # fmt: skip
        tested = report.test_metrics
        if tested is not None and self._context.reaches_target(tested):
            return replace(report, status="target")
        return report

    def state(self, step: int) -> ArmSnapshot:
        """See :class:`~newton_core.training.stepper.ArmStepper`.

        Raises:
            SnapshotError: the replay has no snapshot of this step.
        """
        return self._replay.state(self._index, step)

    def restore(self, state: ArmSnapshot) -> None:
        """See :class:`~newton_core.training.stepper.ArmStepper`: all else is in the replay."""
        self._seconds = state["seconds"]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
