"""Verdicts of a family, and how many seeds it takes."""

import math
import statistics

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from newton_core.statistics import (
    detectable_effect,
    judge,
    p_in_words,
    paired_difference,
    seeds_needed,
)
from newton_core.statistics.family import fewest_seeds


def clear(seeds: int, size: float = 1.0):
    return paired_difference([size + 0.01 * i for i in range(seeds)], [0.0] * seeds)


def test_adjusted_p_values_are_statsmodels_own() -> None:
    random = np.random.default_rng(0)
    family = [
        paired_difference([*random.normal(shift, 1.0, 10)], [0.0] * 10) for shift in (0, 1, 2)
    ]
    raw = [found.permutation_p for found in family]
    expected = multipletests(raw, 0.05, method="holm")[1]
    assert [verdict.adjusted_p for verdict in judge(family)] == pytest.approx(list(expected))


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (3, 7), (6, 8)])
def test_too_few_seeds_are_said_where_nothing_could_be_shown(comparisons: int, seeds: int) -> None:
    assert fewest_seeds(comparisons) == seeds
    enough = judge([clear(seeds)] * comparisons)
    assert {verdict.kind for verdict in enough} == {"better"}
    few = judge([clear(seeds - 1)] * comparisons)
    assert {verdict.kind for verdict in few} == {"too few seeds"}


def test_lower_can_be_better_and_nothing_shown_is_no_equality() -> None:
    noise = paired_difference([1.0, -1.0, 0.5, -0.4, 0.1, -0.2, 0.3, -0.6], [0.0] * 8)
    kinds = [verdict.kind for verdict in judge([clear(8), clear(8, -1.0), noise], "lower")]
    assert kinds == ["worse", "better", "not shown"]
    assert judge([]) == ()


def test_seeds_that_are_needed_are_those_of_statsmodels() -> None:
    for size in (0.5, 1.0, 2.0):
        exact = TTestPower().solve_power(size, power=0.8, alpha=0.05)
        assert seeds_needed(size) == seeds_needed(-size) == math.ceil(exact)
    assert seeds_needed(1.0, comparisons=3) > seeds_needed(1.0)
    assert seeds_needed(1e-9) == 1_000_000
    assert seeds_needed(1e6) == 2
    for wrong in (0.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="no number of seeds"):
            seeds_needed(wrong)


def test_what_so_many_seeds_see_is_seen_as_often_as_the_power_says() -> None:
    size = detectable_effect(10)
    random = np.random.default_rng(3)
    tries = [paired_difference([*random.normal(size, 1.0, 10)], [0.0] * 10) for _ in range(500)]
    assert 0.75 <= statistics.fmean(found.p_value <= 0.05 for found in tries) <= 0.85
    assert detectable_effect(1) == math.inf


def test_a_p_value_is_never_said_to_be_zero() -> None:
    assert p_in_words(2 / 2**20) == "< 0.001"
    assert p_in_words(0.0005) == "0.001"
    assert p_in_words(0.125) == "0.125"
