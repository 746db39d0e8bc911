"""How many seeds it takes to see an effect, and what so many seeds can see."""

import math
import warnings

from newton_core.statistics.family import ALPHA

POWER = 0.8
"""Chance to see an effect that is there, by which experiments are usually planned."""
MOST_SEEDS = 1_000_000


def seeds_needed(effect_size: float, *, power: float = POWER, comparisons: int = 1) -> int:
    """Seeds that a paired t-test needs to see an effect.

    Args:
        effect_size: mean over standard deviation of the differences, see
            :attr:`~newton_core.statistics.PairedDifference.effect_size`.
        power: chance to see it.
        comparisons: of the family; each is tested at 0.05 / ``comparisons``, as Holm's first is.

    Raises:
        ValueError: an effect of zero or no number, a power outside (0, 1), no comparison.
    """
    if not math.isfinite(effect_size) or effect_size == 0:
        raise ValueError(f"no number of seeds shows an effect of {effect_size:g}")
    if not 0 < power < 1 or comparisons < 1:
        raise ValueError("the power lies between 0 and 1, and a family has at least 1 comparison")
    from statsmodels.stats.power import TTestPower

    test, size = TTestPower(), abs(effect_size)

    def enough(seeds: int) -> bool:
        with warnings.catch_warnings(action="ignore"):  # of overflow, where all is certain
            found = test.power(size, seeds, ALPHA / comparisons, alternative="two-sided")
        return not found < power  # NaN: certain

    if not enough(MOST_SEEDS):
        return MOST_SEEDS
    low, high = 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def detectable_effect(seeds: int, *, power: float = POWER, comparisons: int = 1) -> float:
    """The smallest effect size that so many seeds see; infinite for one seed."""
    if seeds < 2:
        return math.inf
    from statsmodels.stats.power import TTestPower

    with warnings.catch_warnings(action="ignore"):
        found = TTestPower().solve_power(
            nobs=seeds, alpha=ALPHA / comparisons, power=power, alternative="two-sided"
        )
    return float(found)
