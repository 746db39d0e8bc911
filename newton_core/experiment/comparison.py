"""Arms over seeds: what each one's runs count as, and its paired difference to the first arm."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from newton_core.experiment.events import ArmSummary, Summary
from newton_core.metrics import MetricDescription
from newton_core.statistics import PairedDifference, paired_difference


@dataclass(frozen=True)
class ComparedArm:
    """One arm over all seeds.

    Attributes:
        arm: its index.
        label: its name.
        values: what each seed counts as, in the metric's units; NaN where nothing is known.
        diverged: in how many seeds it met NaN or infinity.
        difference: paired with the first arm, seed by seed; None for the first arm itself, and
            where some value is not known.
    """

    arm: int
    label: str
    values: tuple[float, ...]
    diverged: int
    difference: PairedDifference | None = None

    @property
    def mean(self) -> float:
        """Mean over seeds, NaN where some value is not known."""
        return statistics.fmean(self.values)

    @property
    def note(self) -> str:
        """What a reader must know beside the numbers: "diverged in 3 of 3"; mostly empty."""
        return f"diverged in {self.diverged} of {len(self.values)}" if self.diverged else ""


@dataclass(frozen=True)
class Comparison:
    """All arms over the same seeds, by index: labels of older runs need not be distinct.

    Attributes:
        metric: what is compared.
        arms: in the order of the spec; the first is the baseline.
        seeds: how many runs of each.
    """

    metric: MetricDescription
    arms: tuple[ComparedArm, ...]
    seeds: int


def compare(summaries: Sequence[Summary], metric: MetricDescription) -> Comparison:
    """Compares the arms of several runs of one spec, one seed each, in ``metric``.

    A run that diverged counts as the worst value of the metric, and where it has no worst value
    as that of the initial weights: what it had reached before is lost. A run without a finite
    value counts the same.

    Raises:
        ValueError: no runs, or runs of different numbers of arms.
    """
    if len({len(summary.arms) for summary in summaries}) != 1:
        raise ValueError("a comparison needs runs of the same arms")
    values = [
        tuple(
            _counted(arm, summary, metric) for arm, summary in zip(column, summaries, strict=True)
        )
        for column in zip(*(summary.arms for summary in summaries), strict=True)
    ]
    arms = []
    for index, own in enumerate(values):
        known = index > 0 and all(map(math.isfinite, (*own, *values[0])))
        runs = [summary.arms[index] for summary in summaries]
        arms.append(
            ComparedArm(
                arm=index,
                label=runs[0].label,
                values=own,
                diverged=sum(run.status == "diverged" for run in runs),
                difference=paired_difference(own, values[0], metric.better) if known else None,
            )
        )
    return Comparison(metric, tuple(arms), len(summaries))


def _counted(arm: ArmSummary, summary: Summary, metric: MetricDescription) -> float:
    """What one run of an arm counts as."""
    reached = arm.metrics.get(metric.name)
    if arm.status != "diverged" and reached is not None:
        return reached
    if metric.worst is not None:
        return metric.worst
    start = summary.initial.get(metric.name)
    return math.nan if start is None else start
