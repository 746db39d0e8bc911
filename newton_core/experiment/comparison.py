"""Arms over seeds: what each one's runs count as, and its paired difference to the first arm."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from newton_core.experiment.events import ArmSummary, Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription
from newton_core.statistics import PairedDifference, Verdict, judge, paired_difference
from newton_core.tasks import TASKS


@dataclass(frozen=True)
class ComparedArm:
    """One arm over all seeds.

    Attributes:
        arm: its index.
        label: its name.
        values: what each seed counts as, in the metric's units; NaN where nothing is known.
        diverged: in how many seeds it met NaN or infinity.
        missed: in how many seeds it never arrived at the target; 0 where there is none.
        difference: paired with the first arm, seed by seed; None for the first arm itself, and
            where some value is not known.
        verdict: what the difference shows, given those of all other arms; None without one.
        reached: share of the seeds that arrived at the target; None where there is none.
        target_steps, target_seconds: medians over the seeds that arrived; None if none did.
    """

    arm: int
    label: str
    values: tuple[float, ...]
    diverged: int
    missed: int = 0
    difference: PairedDifference | None = None
    verdict: Verdict | None = None
    reached: float | None = None
    target_steps: float | None = None
    target_seconds: float | None = None

    @property
    def mean(self) -> float:
        """Mean over seeds, NaN where some value is not known."""
        return statistics.fmean(self.values)

    @property
    def note(self) -> str:
        """What a reader must know beside the numbers: "diverged in 3 of 3"; mostly empty.

        With a target also how often and how fast it arrived.
        """
        counts = {"never arrived": self.missed, "diverged": self.diverged}
        seeds = len(self.values)
        words = [f"{what} in {n} of {seeds}" for what, n in counts.items() if n]
        if self.target_steps is not None and self.target_seconds is not None:
            words.append(f"median {self.target_steps:,.0f} steps, {self.target_seconds:.2g} s")
        return ", ".join(words)


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


def compare_runs(
    spec: ExperimentSpec, summaries: Sequence[Summary], metric: MetricDescription | None = None
) -> Comparison:
    """Compares the arms of several runs of ``spec``, one seed each.

    Without a target they are compared in ``metric``. With a target, arms stop at different steps,
    and their last values say little: then it is the steps that each took.

    Args:
        spec: of the runs, their seeds apart.
        summaries: of the runs, as their ``finished`` events hold them.
        metric: None means the task's primary one.

    Raises:
        ValueError: no runs, or runs of different numbers of arms.
    """
    if metric is None:
        metric = primary_metric(spec)
    if spec.target is None:
        return compare(summaries, metric)
    return compare_steps(summaries, steps_to(metric, spec.target, spec.steps))


def primary_metric(spec: ExperimentSpec) -> MetricDescription:
    """What the runs of a spec are judged by."""
    task = TASKS.get(spec.task.name)
    return task.describe(task.primary_metric)


def steps_to(metric: MetricDescription, target: float, steps: int) -> MetricDescription:
    """How many updates it takes to a target; its worst value is the whole run."""
    value = f"{target:.1%}".replace("%", " %") if metric.kind == "share" else f"{target:g}"
    return MetricDescription(
        "steps_to_target",
        f"Steps to {metric.title[:1].lower()}{metric.title[1:]} {value}",
        "steps",
        f"Updates until the target was seen; a run that never arrives counts as all {steps:,}.",
        better="lower",
        bounds=(0.0, float(steps)),
        decimals=0,
        sentence="takes {value} steps",
    )


def compare_steps(summaries: Sequence[Summary], metric: MetricDescription) -> Comparison:
    """Compares the steps that arms took to the target of their runs.

    A run that never arrived, for whatever reason, counts as the most steps that it could have
    taken: a lower bound of the truth, so that means of such arms are lower bounds too.

    Args:
        metric: as :func:`steps_to` describes it.
    """
    most = metric.worst
    assert most is not None

    def steps(arm: ArmSummary, _summary: Summary) -> float:
        return float(arm.step) if arm.status == "target" else most

    found = _compare(summaries, metric, steps)
    return replace(found, arms=tuple(_with_arrivals(arm, summaries) for arm in found.arms))


def _with_arrivals(arm: ComparedArm, summaries: Sequence[Summary]) -> ComparedArm:
    """An arm with how often and how fast it arrived at the target."""
    runs = [summary.arms[arm.arm] for summary in summaries]
    arrived = [run for run in runs if run.status == "target"]
    return replace(
        arm,
        missed=len(runs) - len(arrived),
        reached=len(arrived) / len(runs),
        target_steps=float(statistics.median(run.step for run in arrived)) if arrived else None,
        target_seconds=statistics.median(run.seconds for run in arrived) if arrived else None,
    )


def compare(summaries: Sequence[Summary], metric: MetricDescription) -> Comparison:
    """Compares the arms of several runs of one spec, one seed each, in ``metric``.

    A run that diverged counts as the worst value of the metric, and where it has no worst value
    as that of the initial weights: what it had reached before is lost. A run without a finite
    value counts the same.

    Raises:
        ValueError: no runs, or runs of different numbers of arms.
    """
    return _compare(summaries, metric, lambda arm, summary: _counted(arm, summary, metric))


def _compare(
    summaries: Sequence[Summary],
    metric: MetricDescription,
    value: Callable[[ArmSummary, Summary], float],
) -> Comparison:
    if len({len(summary.arms) for summary in summaries}) != 1:
        raise ValueError("a comparison needs runs of the same arms")
    values = [
        tuple(value(arm, summary) for arm, summary in zip(column, summaries, strict=True))
        for column in zip(*(summary.arms for summary in summaries), strict=True)
    ]
    arms = []
    for index, own in enumerate(values):
        runs = [summary.arms[index] for summary in summaries]
        diverged = sum(run.status == "diverged" for run in runs)
        arms.append(ComparedArm(index, runs[0].label, own, diverged))
    return compare_arms(arms, metric)


def compare_arms(arms: Sequence[ComparedArm], metric: MetricDescription) -> Comparison:
    """Compares arms whose values over the same seeds are known: each one with the first.

    Args:
        arms: by index; differences and verdicts that they have already are not looked at.
        metric: of their values.
    """
    base = arms[0].values
    compared = []
    for arm in arms:
        known = arm.arm > 0 and all(map(math.isfinite, (*arm.values, *base)))
        difference = paired_difference(arm.values, base, metric.better) if known else None
        compared.append(replace(arm, difference=difference))
    return Comparison(metric, _judged(compared, metric), len(base))


def _judged(arms: Sequence[ComparedArm], metric: MetricDescription) -> tuple[ComparedArm, ...]:
    """The arms with the verdicts of their family."""
    compared = [arm for arm in arms if arm.difference is not None]
    differences = [arm.difference for arm in compared if arm.difference is not None]
    verdicts = dict(
        zip((arm.arm for arm in compared), judge(differences, metric.better), strict=True)
    )
    return tuple(replace(arm, verdict=verdicts.get(arm.arm)) for arm in arms)


def _counted(arm: ArmSummary, summary: Summary, metric: MetricDescription) -> float:
    """What one run of an arm counts as."""
    reached = arm.metrics.get(metric.name)
    if arm.status != "diverged" and reached is not None:
        return reached
    if metric.worst is not None:
        return metric.worst
    start = summary.initial.get(metric.name)
    return math.nan if start is None else start
