"""What a reproduction found, as records: on the disk, over HTTP and in tables the same."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from newton_core.evidence.protocols import PAPER_SEEDS, Published, ScaleName
from newton_core.experiment.comparison import ComparedArm, Comparison
from newton_core.experiment.events import Number, Record
from newton_core.metrics import MetricDescription
from newton_core.records import finite
from newton_core.statistics import VerdictKind

Verdict = Literal["reproduced", "same direction", "not shown", "opposite"]
"""Our paired gain beside the paper's: its size lies in our interval; the interval is on its side of
zero but apart from its size; the interval contains zero and not its size; or it is on the other."""


class Interval(Record):
    """A mean with its 95 % interval; null ends where there is none."""

    mean: Number
    low: Number = None
    high: Number = None


class PairedGain(Interval):
    """An arm minus the baseline over the same seeds."""

    p_value: Number = Field(None, description="of the paired t-test, for this arm alone")
    adjusted_p: Number = Field(
        None, description="of the permutation test, after Holm's correction over the row's arms"
    )
    shows: VerdictKind | None = Field(None, description="what the difference shows, by that p")
    improved: Number = Field(None, description="share of seeds in which the arm is better")


class PaperNumber(Record):
    """What the paper has for the arm, in the same units."""

    mean: float
    sd: float | None = None


class ArmResult(Record):
    """One arm over all report seeds."""

    label: str
    values: list[Number] = Field(description="of each seed, in their order")
    mean: Number
    diverged: int = Field(0, description="in how many seeds it met NaN or infinity")
    gain: PairedGain | None = Field(None, description="none for the baseline")
    paper: PaperNumber | None = Field(None, description="none where its number is not known")
    beside_paper: Interval | None = Field(
        None,
        description="ours minus the paper's; the interval has the paper's own spread in it where"
        " that is known, else ours alone",
    )
    verdict: Verdict | None = Field(None, description="of the gain, where the paper's is known")


class TuningRecord(Record):
    """How the row's arms were tuned, every arm under the same budget."""

    key: str = Field(description="another one whenever what is tuned, or the budget, is another")
    points: int = Field(description="settings that each arm was tried at")
    seeds: list[int]
    steps: int
    minutes: float = Field(description="that it took on all processes, in all sittings")


class MetricRecord(Record):
    """What is compared."""

    name: str
    title: str
    unit: str
    kind: Literal["share", "number"]
    better: Literal["higher", "lower"] | None
    decimals: int | None


class RowResult(Record):
    """One row of the table."""

    title: str
    metric: MetricRecord
    arms: list[ArmResult] = Field(description="the first is the baseline")
    seeds: list[int]
    note: str = ""
    specs: list[dict[str, Any]] = Field(description="what was run, as tuned; the seed is the first")
    tuning: TuningRecord | None = None
    minutes: float = Field(description="that the report runs took, of one core")

    @property
    def sentences(self) -> list[tuple[ArmResult, str]]:
        """How each gain stands beside the paper's, in words, where the paper's is known."""
        return [(arm, words) for arm in self.arms if (words := verdict_in_words(self, arm))]


class Result(Record):
    """A reproduced table or figure."""

    name: str = Field(description="of its file: the protocol's and the scale's, table1-small")
    protocol: str
    scale: ScaleName
    title: str
    source: str
    note: str = ""
    command: str
    versions: dict[str, str]
    device: str
    processes: int
    date: str = Field(description="of its end, ISO 8601, in UTC")
    complete: bool = Field(description="false while rows are missing")
    minutes: float = Field(description="that all report runs took, of one core")
    tuning_minutes: float
    rows: list[RowResult]


def tuning_minutes(rows: Sequence[RowResult]) -> float:
    """What tuning took for all rows; rows of one tuning count it once."""
    tunings = {row.tuning.key: row.tuning.minutes for row in rows if row.tuning is not None}
    return math.fsum(tunings.values())


def metric_record(metric: MetricDescription) -> MetricRecord:
    """A metric's description, as far as a table needs it."""
    names = MetricRecord.model_fields
    return MetricRecord(**{name: getattr(metric, name) for name in names})


def arm_results(comparison: Comparison, paper: Mapping[str, Published]) -> list[ArmResult]:
    """The arms of a row, each beside the paper's number where there is one."""
    baseline = comparison.arms[0]
    return [
        _arm_result(arm, paper.get(arm.label), paper.get(baseline.label), comparison.metric)
        for arm in comparison.arms
    ]


def _arm_result(
    arm: ComparedArm,
    published: Published | None,
    baseline: Published | None,
    metric: MetricDescription,
) -> ArmResult:
    difference = arm.difference
    gain = None
    if difference is not None:
        gain = PairedGain(
            mean=finite(difference.mean),
            low=finite(difference.low),
            high=finite(difference.high),
            p_value=finite(difference.p_value),
            adjusted_p=None if arm.verdict is None else finite(arm.verdict.adjusted_p),
            shows=None if arm.verdict is None else arm.verdict.kind,
            improved=difference.improved,
        )
    verdict = None
    if gain is not None and published is not None and baseline is not None:
        verdict = verdict_of(gain, published.mean - baseline.mean)
    return ArmResult(
        label=arm.label,
        values=[finite(value) for value in arm.values],
        mean=finite(arm.mean),
        diverged=arm.diverged,
        gain=gain,
        paper=None if published is None else PaperNumber(mean=published.mean, sd=published.sd),
        beside_paper=None if published is None else beside_paper(arm.values, published),
        verdict=verdict,
    )


def beside_paper(values: Sequence[float], published: Published) -> Interval | None:
    """Ours minus the paper's with a 95 % interval: Welch's, or ours alone where no sd is known.

    Args:
        values: ours, one per seed.
        published: the paper's, over its own seeds.

    Returns:
        None for fewer than two values, or where one is not finite; without ends where nothing
        varies.
    """
    from scipy import stats  # takes a second to load

    n = len(values)
    if n < 2 or not all(map(math.isfinite, values)):
        return None
    mean = statistics.fmean(values) - published.mean
    own, freedom = statistics.variance(values) / n, n - 1.0
    theirs = 0.0
    if published.sd is not None:
        theirs = published.sd**2 / PAPER_SEEDS
        parts = own**2 / (n - 1) + theirs**2 / (PAPER_SEEDS - 1)
        freedom = (own + theirs) ** 2 / parts if parts > 0 else freedom
    if own + theirs == 0:
        return Interval(mean=mean)
    half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(own + theirs)
    return Interval(mean=mean, low=mean - half, high=mean + half)


def verdict_of(gain: Interval, published: float) -> Verdict | None:
    """How our paired gain stands beside the paper's; None where we have no interval."""
    if gain.low is None or gain.high is None:
        return None
    if gain.low <= published <= gain.high:
        return "reproduced"
    if holds_zero(gain):
        return "not shown"
    assert gain.mean is not None
    return "same direction" if gain.mean * published > 0 else "opposite"


def holds_zero(gain: Interval) -> bool:
    """Whether no difference at all lies in an interval too."""
    return gain.low is not None and gain.high is not None and gain.low <= 0 <= gain.high


def leaves_open(row: RowResult, arm: ArmResult) -> bool:
    """Whether a gain's interval holds the paper's gain, which is another than zero, and zero."""
    base = row.arms[0]
    if arm.verdict != "reproduced" or arm.gain is None or arm.paper is None or base.paper is None:
        return False
    published = shown(row.metric, abs(arm.paper.mean - base.paper.mean))
    return holds_zero(arm.gain) and published != shown(row.metric, 0.0)


def verdict_in_words(row: RowResult, arm: ArmResult) -> str:
    """A sentence on an arm whose gain the paper has too; empty for others."""
    base = row.arms[0]
    if arm.verdict is None or arm.gain is None or arm.paper is None or base.paper is None:
        return ""
    published = shown(row.metric, arm.paper.mean - base.paper.mean, "+")
    ours = interval_in_words(row.metric, arm.gain)
    as_zero = ", and so does zero" if leaves_open(row, arm) else ""
    ending = {
        "reproduced": f"the paper's {published} lies in it{as_zero}",
        "same direction": f"the same direction as the paper's {published}, of another size",
        "not shown": f"the paper's {published} does not show",
        "opposite": f"the opposite of the paper's {published}",
    }[arm.verdict]
    return f"{row.title}: {arm.label} differs from {base.label} by {ours}; {ending}."


def shown(metric: MetricRecord, value: float | None, sign: str = "") -> str:
    """A value as tables show it: shares in per cent."""
    if value is None or not math.isfinite(value):
        return "-"
    if metric.kind == "share":
        return f"{100 * value:{sign}.1f}"
    if 1000 <= abs(value) < 1e6:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}" if metric.decimals is None else f"{value:{sign}.{metric.decimals}f}"


def interval_in_words(metric: MetricRecord, interval: Interval) -> str:
    """ "+3.1 (+1.2 to +5.0)", or the mean alone where there is no interval."""
    mean = shown(metric, interval.mean, "+")
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} ({shown(metric, interval.low, '+')} to {shown(metric, interval.high, '+')})"
