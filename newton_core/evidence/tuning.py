"""Tuning: learning rate and damping of every arm, chosen under one budget.

A baseline at its author's first guess loses to anything that was tuned. So each arm, vanilla and
the controls too, is tried at the same number of settings on the same seeds.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from newton_core.evidence.cells import CellStore, arm_alone
from newton_core.evidence.computing import Progress, compute_cells
from newton_core.evidence.seeds import FIRST_TUNING_SEED, check_tuning_seeds, with_seeds
from newton_core.experiment.arms import ArmSpec
from newton_core.experiment.comparison import compare_runs, primary_metric
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription, on_validation

BUDGET = 16
"""Settings that each arm is tried at, if nobody says otherwise."""
SEEDS = tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + 3))

_RATE_DECADES = 0.5
_DAMPING_DECADES = 1.0
"""Distance of neighbours in the first round: the damping is known to matter less."""
MOST_BUDGET = 64
"""An arm with the learning rate alone has no more settings that differ."""

Point = tuple[int, ...]


@dataclass(frozen=True)
class Knob:
    """A positive setting of an arm that is tuned on a logarithmic scale.

    Attributes:
        name: the field of :class:`ArmSpec`.
        centre: where the search begins.
        decades: distance of neighbours in the first round; half of it in the second.
    """

    name: str
    centre: float
    decades: float

    def at(self, place: int) -> float:
        """The value ``place`` half neighbours from the centre, rounded to two digits."""
        value = float(f"{self.centre * 10 ** (place * self.decades / 2):.2g}")
        low, high = _bounds(self.name)
        return min(max(value, low), high)


def _bounds(name: str) -> tuple[float, float]:
    """The range of a field of an arm."""
    found = {type(rule).__name__: rule for rule in ArmSpec.model_fields[name].metadata}
    return float(found["Ge"].ge), float(found["Le"].le)


def knobs_of(arm: ArmSpec) -> tuple[Knob, ...]:
    """What is tuned of an arm: its learning rate, and its damping or clip norm if it has one.

    An arm with the learning rate alone gets as many settings, closer together.
    """
    if arm.curvature != "none":
        second = Knob("tikhonov", arm.tikhonov, _DAMPING_DECADES)
    elif arm.gradient == "clip":
        second = Knob("clip_norm", arm.clip_norm, _DAMPING_DECADES)
    else:
        return (Knob("lr", arm.lr, _RATE_DECADES / 2),)
    return Knob("lr", arm.lr, _RATE_DECADES), second


@dataclass(frozen=True)
class Trial:
    """One setting of an arm that was tried.

    Attributes:
        settings: of the arm.
        values: what each seed counts as, in the metric's units.
        mean: of the values; NaN where one is not known.
    """

    settings: Mapping[str, float]
    values: tuple[float, ...]
    mean: float


@dataclass(frozen=True)
class ArmTuning:
    """All that was tried of one arm.

    Attributes:
        label: the arm's.
        trials: in the order in which they were chosen.
        best: one of them.
        at_border: settings whose best value is the smallest or the largest that was tried, so
            that a better one may lie beyond.
    """

    label: str
    trials: tuple[Trial, ...]
    best: Trial
    at_border: tuple[str, ...]


@dataclass(frozen=True)
class Tuning:
    """What tuning found.

    Attributes:
        spec: the spec with each arm at its best settings.
        metric: by what they were chosen.
        seeds: on which.
        budget: settings that each arm was tried at.
        arms: in the spec's order.
        seconds: that it took, cells that were there before apart.
        cell_seconds: that all cells took, of one core; also those that were there before.
    """

    spec: ExperimentSpec
    metric: MetricDescription
    seeds: tuple[int, ...]
    budget: int
    arms: tuple[ArmTuning, ...]
    seconds: float
    cell_seconds: float


def tune(
    spec: ExperimentSpec,
    *,
    budget: int = BUDGET,
    seeds: Sequence[int] = SEEDS,
    store: CellStore,
    processes: int | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Tuning:
    """Chooses learning rate and damping of each arm by the task's primary metric.

    The metric is measured on the validation part if there is one, because the data come with it or
    the spec has a ``validation_share``. Otherwise it is measured on the test part, on seeds that no
    report uses.

    The first half of the budget is a coarse lattice around the arm's own settings. The second half
    is a lattice twice as fine around the best of the first, and reaches beyond the border of the
    first if the best lies there. The same spec gives the same tuning.

    Args:
        spec: its seed does not matter.
        budget: settings that each arm is tried at.
        seeds: 10,000 and up, the same for all arms.
        store: cells that are there are not computed again.
        processes: see :func:`compute_cells`.
        stop: see :func:`compute_cells`.
        on_progress: told of each cell, by round.

    Raises:
        SeedError: a report seed would choose.
        ValueError: no budget, one that is too large, or no seeds.
        CellError, CellsStoppedError: see :func:`compute_cells`.
    """
    check_tuning_seeds(seeds)
    if budget < 1 or not seeds:
        raise ValueError("tuning needs a budget of at least one setting, and at least one seed")
    if budget > MOST_BUDGET:
        raise ValueError(
            f"a budget of {budget} is too large: an arm that has only a learning rate to tune has"
            f" no more than {MOST_BUDGET} settings, and every arm is to have the same"
        )
    began = time.monotonic()
    cell_seconds = 0.0
    searches = [_Search(spec, index) for index in range(len(spec.arms))]
    for size in (math.ceil(budget / 2), budget):
        asked = [(search, point) for search in searches for point in search.propose(size)]
        specs = [one for search, point in asked for one in with_seeds(search.spec(point), seeds)]
        summaries = compute_cells(
            specs, store, processes=processes, stop=stop, on_progress=on_progress
        )
        cell_seconds += math.fsum(arm.seconds for found in summaries for arm in found.arms)
        for place, (search, point) in enumerate(asked):
            search.take(point, summaries[place * len(seeds) : (place + 1) * len(seeds)])
    arms = tuple(search.result() for search in searches)
    tuned = tuple(
        arm.model_copy(update=dict(found.best.settings))
        for arm, found in zip(spec.arms, arms, strict=True)
    )
    return Tuning(
        spec=spec.model_copy(update={"arms": tuned}),
        metric=searches[0].metric,
        seeds=tuple(seeds),
        budget=budget,
        arms=arms,
        seconds=time.monotonic() - began,
        cell_seconds=cell_seconds,
    )


class _Search:
    """The search of one arm's settings on a lattice around its own."""

    def __init__(self, spec: ExperimentSpec, index: int) -> None:
        self._arm = spec.arms[index]
        self._alone = arm_alone(spec, index)
        self._knobs = knobs_of(self._arm)
        self._trials: dict[Point, Trial] = {}
        self._asked: dict[tuple[float, ...], Point] = {}
        self.metric = primary_metric(spec)
        """What the arm's runs are compared by, once there are some."""

    def propose(self, size: int) -> list[Point]:
        """Points not yet tried, so that ``size`` are tried in all.

        The first ones are whole neighbours around the centre, later ones half neighbours around
        the best.
        """
        step = 1 if self._trials else 2
        centre = self._best() if self._trials else (0,) * len(self._knobs)
        found = []
        for offset in _nearest(len(self._knobs), size):
            if len(self._asked) >= size:
                break
            point = tuple(c + step * o for c, o in zip(centre, offset, strict=True))
            values = tuple(knob.at(p) for knob, p in zip(self._knobs, point, strict=True))
            if values not in self._asked:  # two places can meet at the end of a range
                self._asked[values] = point
                found.append(point)
        return found

    def spec(self, point: Point) -> ExperimentSpec:
        """The arm alone, at a point."""
        arm = self._arm.model_copy(update=self._settings(point))
        return self._alone.model_copy(update={"arms": (arm,)})

    def take(self, point: Point, summaries: Sequence[Summary]) -> None:
        """Takes the runs at a point."""
        metric = primary_metric(self._alone)
        validated = on_validation(metric)
        if self._alone.target is None and all(validated.name in s.initial for s in summaries):
            metric = validated  # with a target, arms stop by that part, and steps are compared
        found = compare_runs(self._alone, summaries, metric)
        self.metric = found.metric
        arm = found.arms[0]
        self._trials[point] = Trial(self._settings(point), arm.values, arm.mean)

    def result(self) -> ArmTuning:
        """What was found."""
        best = self._trials[self._best()]
        border = []
        for knob in self._knobs:
            tried = [trial.settings[knob.name] for trial in self._trials.values()]
            if len(set(tried)) > 1 and best.settings[knob.name] in (min(tried), max(tried)):
                border.append(knob.name)
        return ArmTuning(self._arm.label, tuple(self._trials.values()), best, tuple(border))

    def _settings(self, point: Point) -> dict[str, float]:
        return {knob.name: knob.at(p) for knob, p in zip(self._knobs, point, strict=True)}

    def _best(self) -> Point:
        """The best point; among equals the first that was tried, the nearest to the centre."""
        sign = -1.0 if self.metric.better == "lower" else 1.0

        def goodness(point: Point) -> float:
            mean = self._trials[point].mean
            return sign * mean if math.isfinite(mean) else -math.inf

        return max(self._trials, key=goodness)


def _nearest(dimensions: int, reach: int) -> list[Point]:
    """Points of a lattice, ``reach`` neighbours to each side, the nearest to its centre first."""
    side = range(-reach, reach + 1)
    points: list[Point] = [()]
    for _ in range(dimensions):
        points = [(*point, place) for point in points for place in side]
    return sorted(points, key=lambda p: (max(map(abs, p)), sum(map(abs, p)), p))
