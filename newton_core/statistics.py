"""Paired comparisons over seeds: how sure is it that one arm beats another?"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import special  # scipy.stats takes a second to load


@dataclass(frozen=True)
class PairedDifference:
    """Differences of one arm to the baseline, seed by seed.

    Attributes:
        seeds: number of pairs.
        mean: mean difference.
        low, high: 95 % confidence interval of the mean (Student's t); infinite for one seed.
        p_value: two-sided paired t-test; NaN where the differences do not vary.
        median: median difference, which a single broken seed does not move.
        first_quartile, third_quartile: bounds of the middle half of the differences.
        improved: share of seeds in which the arm is better than the baseline.
    """

    seeds: int
    mean: float
    low: float
    high: float
    p_value: float
    median: float
    first_quartile: float
    third_quartile: float
    improved: float


def paired_difference(
    arm: Sequence[float],
    baseline: Sequence[float],
    better: Literal["higher", "lower"] | None = "higher",
) -> PairedDifference:
    """Compares two arms over the same seeds; positive means that ``arm`` is larger.

    Args:
        arm: one value per seed.
        baseline: the other arm's values, same seeds, same order.
        better: which values are better; None, where nobody knows, counts the higher ones.

    Raises:
        ValueError: no pairs, unequal lengths, or values that are not finite.
    """
    if len(arm) != len(baseline) or not arm:
        raise ValueError(
            f"paired values need the same seeds: got {len(arm)} and {len(baseline)} of them"
        )
    differences = [a - b for a, b in zip(arm, baseline, strict=True)]
    if not all(map(math.isfinite, differences)):
        raise ValueError("values to compare must be finite")
    count, mean = len(differences), statistics.fmean(differences)
    half, p_value = math.inf, math.nan
    if count > 1:
        error = statistics.stdev(differences) / math.sqrt(count)
        half = float(special.stdtrit(count - 1, 0.975)) * error
        if error > 0:
            p_value = 2 * float(special.stdtr(count - 1, -abs(mean / error)))
    first, median, third = (
        statistics.quantiles(differences, n=4, method="inclusive")
        if count > 1
        else [differences[0]] * 3
    )
    return PairedDifference(
        seeds=count,
        mean=mean,
        low=mean - half,
        high=mean + half,
        p_value=p_value,
        median=median,
        first_quartile=first,
        third_quartile=third,
        improved=sum(d < 0 if better == "lower" else d > 0 for d in differences) / count,
    )
