"""Paired comparisons over seeds: how sure is it that one arm beats another?"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

# scipy takes a second to load: it is imported where it is used.

BOOTSTRAP_FROM = 20
"""From so many seeds on, the interval is a bootstrap, which needs no normal distribution."""
RESAMPLES = 9_999
_SEED = 0
"""The same differences give the same interval."""


@dataclass(frozen=True)
class PairedDifference:
    """Differences of one arm to the baseline, seed by seed.

    Attributes:
        seeds: number of pairs.
        mean: mean difference.
        low, high: 95 % confidence interval of the mean; infinite for one seed.
        p_value: two-sided paired t-test; NaN where the differences do not vary.
        median: median difference, which a single broken seed does not move.
        first_quartile, third_quartile: bounds of the middle half of the differences.
        improved: share of seeds in which the arm is better than the baseline.
        method: how the interval is computed: by Student's t, or from 20 seeds on by the
            bias-corrected and accelerated bootstrap (Efron 1987), widened for small samples
            (Hesterberg 2015). At 20 seeds of normal differences it covers 95 %; without the
            widening it would cover 92 %.
        permutation_p: two-sided sign-flip permutation test of the mean, exact up to 13 seeds. It
            assumes only that without an effect a difference is as likely to be its negative.
        wilcoxon_p: two-sided Wilcoxon signed-rank test; NaN where no seed differs.
        smallest_p: the smallest p-value that the permutation test can reach with so many seeds:
            2 / 2^n, which is 1/16 at five.
        wilcoxon_smallest_p: the smallest that Wilcoxon's test can reach if differences of these
            sizes all have one sign. Up to 13 seeds it equals ``smallest_p``, provided that no two
            differences are equal and none is zero.
        interquartile_mean: mean of the middle half of the differences.
        effect_size: mean over standard deviation of the differences (Cohen's d_z); NaN where they
            do not vary.
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
    method: Literal["t", "bca"] = "t"
    permutation_p: float = math.nan
    wilcoxon_p: float = math.nan
    smallest_p: float = math.nan
    wilcoxon_smallest_p: float = math.nan
    interquartile_mean: float = math.nan
    effect_size: float = math.nan


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
    spread = statistics.stdev(differences) if count > 1 else 0.0
    low, high, method = _interval(differences, mean, spread)
    p_value = math.nan
    if spread > 0:
        error = spread / math.sqrt(count)
        from scipy import special

        p_value = 2 * float(special.stdtr(count - 1, -abs(mean / error)))
    first, median, third = (
        statistics.quantiles(differences, n=4, method="inclusive")
        if count > 1
        else [differences[0]] * 3
    )
    return PairedDifference(
        seeds=count,
        mean=mean,
        low=low,
        high=high,
        p_value=p_value,
        median=median,
        first_quartile=first,
        third_quartile=third,
        improved=sum(d < 0 if better == "lower" else d > 0 for d in differences) / count,
        method=method,
        permutation_p=_permutation_p(differences),
        wilcoxon_p=_wilcoxon_p(differences),
        smallest_p=max(2.0 ** (1 - count), 2 / (RESAMPLES + 1)),
        wilcoxon_smallest_p=_wilcoxon_p([abs(d) for d in differences]),
        interquartile_mean=_interquartile_mean(differences),
        effect_size=mean / spread if spread > 0 else math.nan,
    )


def _interval(
    differences: Sequence[float], mean: float, spread: float
) -> tuple[float, float, Literal["t", "bca"]]:
    """The 95 % interval of the mean, and what it is."""
    from scipy import special

    count = len(differences)
    if count >= BOOTSTRAP_FROM and spread > 0:
        from scipy import stats

        # A bootstrap of few values is too narrow: it is widened as Student's t would be.
        wide = math.sqrt(count / (count - 1)) * float(special.stdtrit(count - 1, 0.975))
        found = stats.bootstrap(
            (differences,), np.mean, n_resamples=RESAMPLES, method="BCa",
            confidence_level=2 * float(special.ndtr(wide)) - 1, rng=np.random.default_rng(_SEED),
        ).confidence_interval  # fmt: skip
        if math.isfinite(found.low) and math.isfinite(found.high):
            return float(found.low), float(found.high), "bca"
    if count == 1:
        return -math.inf, math.inf, "t"
    half = float(special.stdtrit(count - 1, 0.975)) * spread / math.sqrt(count)
    return mean - half, mean + half, "t"


def _permutation_p(differences: Sequence[float]) -> float:
    """Two-sided p-value of the mean when signs are flipped at random."""
    if len(differences) == 1 or not any(differences):
        return 1.0  # every flip is as extreme
    from scipy import stats

    return float(
        stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", vectorized=True,
            n_resamples=RESAMPLES, rng=np.random.default_rng(_SEED),
        ).pvalue
    )  # fmt: skip


def _wilcoxon_p(differences: Sequence[float]) -> float:
    """Two-sided p-value of the signed ranks; seeds that do not differ say nothing."""
    if not any(differences):
        return math.nan
    from scipy import stats

    return float(stats.wilcoxon([d for d in differences if d]).pvalue)


def _interquartile_mean(differences: Sequence[float]) -> float:
    from scipy import stats

    return float(stats.trim_mean(differences, 0.25))
