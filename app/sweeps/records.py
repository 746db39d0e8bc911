"""What a sweep was asked for, and what its log says; a number that is not finite is null."""

import math
from collections.abc import Sequence

from pydantic import Field

from newton_core.evidence import FIRST_TUNING_SEED, Axis, Cell, SweptCell
from newton_core.evidence.grid import Scalar
from newton_core.experiment.comparison import (
    ComparedArm,
    Comparison,
    compare_arms,
    primary_metric,
    steps_to,
)
from newton_core.experiment.events import Number, Record
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription
from newton_core.records import finite
from newton_core.settings import Settings, setting
from newton_core.statistics import paired_difference

MOST_SEEDS = 50
MOST_AXES = 4
MOST_VALUES = 1000


class SweptAxis(Settings):
    """One setting of a spec and the values that it takes."""

    path: str = setting(..., "E.g. arms.1.tikhonov or loss.temperature.", max_length=200)
    values: tuple[Scalar, ...] = setting(
        ..., "As they stand in the spec.", min_length=1, max_length=MOST_VALUES
    )

    def as_axis(self) -> Axis:
        """The axis as :func:`newton_core.evidence.expand` takes it."""
        return Axis(self.path, self.values)


class SweepWish(Settings):
    """A grid over a spec, its seeds, and the seeds that test its best combination."""

    spec: ExperimentSpec
    grid: tuple[SweptAxis, ...] = setting(
        ..., "What varies; the last one fastest.", min_length=1, max_length=MOST_AXES
    )
    seeds: int = setting(3, "Tuning seeds, from 10,000 on.", ge=1, le=MOST_SEEDS)
    report_seeds: int = setting(
        10, "Report seeds of the best combination, from 0; 0: none.", ge=0, le=MOST_SEEDS
    )

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The grid as :func:`newton_core.evidence.expand` takes it."""
        return tuple(axis.as_axis() for axis in self.grid)

    @property
    def tuning_seeds(self) -> range:
        """Those that every combination is run on."""
        return range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + self.seeds)


class SweptDifference(Record):
    """A paired difference to the first arm; positive means larger."""

    mean: float
    low: Number = Field(description="of the 95 % interval; null for a single seed")
    high: Number


class SweptArm(Record):
    """One arm of one combination over its seeds."""

    label: str
    mean: Number
    values: list[Number] = Field(description="by seed")
    diverged: int = Field(description="in how many seeds")
    difference: SweptDifference | None


class SweptRecord(Record):
    """One combination of a grid."""

    index: int = Field(description="its place, the last axis moving fastest")
    settings: dict[str, Scalar]
    mean: Number = Field(description="the best of the arms that the grid varies, or of all")
    difference: SweptDifference | None = Field(description="of that arm")
    arms: list[SweptArm]
    error: str | None = Field(description="why a run of it could not be computed")


class ReportedArm(SweptArm):
    """One arm of the best combination on report seeds."""

    low: Number = Field(description="of the 95 % interval of its mean")
    high: Number
    missed: int = Field(0, description="in how many seeds it never arrived at the target")
    reached: Number = Field(None, description="share of the seeds that arrived at the target")
    target_steps: Number = Field(None, description="median over the seeds that arrived")
    target_seconds: Number = Field(None, description="median over the seeds that arrived")


class SweepReport(Record):
    """The best combination on seeds that chose nothing."""

    index: int
    settings: dict[str, Scalar]
    seeds: int = Field(description="from 0 on")
    arms: list[ReportedArm]
    error: str | None = Field(None, description="why a run of it could not be computed")


class SweepEnd(Record):
    """How a sweep ended, if not as it should."""

    error: str | None = None


class SweptMetric(Record):
    """What the numbers of a sweep are."""

    name: str
    title: str
    kind: str
    better: str | None
    decimals: int | None


def metric_of(spec: ExperimentSpec) -> MetricDescription:
    """What the runs of a spec are compared in."""
    metric = primary_metric(spec)
    return metric if spec.target is None else steps_to(metric, spec.target, spec.steps)


def swept_record(swept: SweptCell, arms: Sequence[int]) -> SweptRecord:
    """One combination as the log says it; it counts by the best of ``arms``."""
    cell, found = swept.cell, swept.comparison
    settings = dict(cell.settings)
    if found is None:
        return SweptRecord(
            index=cell.index, settings=settings, mean=None, difference=None, arms=[],
            error=swept.error,
        )  # fmt: skip
    records = [SweptArm(**_arm(found, index)) for index in range(len(found.arms))]
    value = swept.value(arms, found.metric.better)
    counted = next((records[arm] for arm in arms if records[arm].mean == value), None)
    return SweptRecord(
        index=cell.index,
        settings=settings,
        mean=finite(value),
        difference=counted.difference if counted is not None else None,
        arms=records,
        error=None,
    )


def report_record(cell: Cell, found: Comparison) -> SweepReport:
    """The best combination as the log says it, each arm with an interval of its own."""
    arms = []
    for index, arm in enumerate(found.arms):
        known = all(finite(value) is not None for value in arm.values)
        # the difference to nothing is the value itself
        own = paired_difference(arm.values, [0.0] * found.seeds) if known else None
        arms.append(
            ReportedArm(
                **_arm(found, index),
                low=finite(own.low) if own else None,
                high=finite(own.high) if own else None,
                missed=arm.missed,
                reached=arm.reached,
                target_steps=arm.target_steps,
                target_seconds=arm.target_seconds,
            )
        )
    return SweepReport(index=cell.index, settings=dict(cell.settings), seeds=found.seeds, arms=arms)


def reported_comparison(report: SweepReport, metric: MetricDescription) -> Comparison:
    """The comparison that a report was made of."""
    arms = [
        ComparedArm(
            index,
            arm.label,
            tuple(math.nan if value is None else value for value in arm.values),
            arm.diverged,
            missed=arm.missed,
            reached=arm.reached,
            target_steps=arm.target_steps,
            target_seconds=arm.target_seconds,
        )
        for index, arm in enumerate(report.arms)
    ]
    return compare_arms(arms, metric)


def _arm(found: Comparison, index: int) -> dict[str, object]:
    arm = found.arms[index]
    difference = arm.difference and SweptDifference(
        mean=arm.difference.mean,
        low=finite(arm.difference.low),
        high=finite(arm.difference.high),
    )
    return {
        "label": arm.label,
        "mean": finite(arm.mean),
        "values": [finite(value) for value in arm.values],
        "diverged": arm.diverged,
        "difference": difference,
    }
