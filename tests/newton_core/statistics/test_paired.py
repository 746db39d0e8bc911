import itertools
import math
import statistics

import numpy as np
import pytest
import scipy.stats

from newton_core.statistics import paired, paired_difference


def test_against_scipy_s_paired_t_test() -> None:
    arm, base = [3.1, 2.0, 5.5, 4.0], [1.0, 2.5, 3.0, 3.9]
    found = paired_difference(arm, base)
    reference = scipy.stats.ttest_rel(arm, base)
    interval = reference.confidence_interval(0.95)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx(statistics.fmean(arm) - statistics.fmean(base))
    assert found.improved == 0.75
    assert found.first_quartile <= found.median <= found.third_quartile


def test_one_seed_has_no_interval() -> None:
    found = paired_difference([2.0], [1.0])
    assert (found.mean, found.low, found.high) == (1.0, -math.inf, math.inf)
    assert math.isnan(found.p_value)


def test_equal_differences_have_a_point_interval_and_no_p_value() -> None:
    found = paired_difference([2.0, 3.0], [1.0, 2.0])
    assert found.low == found.high == 1.0
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(("arm", "base"), [([], []), ([1.0], [1.0, 2.0]), ([math.nan], [1.0])])
def test_bad_pairs_are_refused(arm, base):
    with pytest.raises(ValueError, match=r"paired values need|must be finite"):
        paired_difference(arm, base)


def test_every_number_against_scipy() -> None:
    differences = [0.4, -0.1, 1.3, 0.8, 2.1, 0.2, -0.7]
    found = paired_difference(differences, [0.0] * 7)
    assert found.wilcoxon_p == pytest.approx(scipy.stats.wilcoxon(differences).pvalue)
    assert found.interquartile_mean == pytest.approx(scipy.stats.trim_mean(differences, 0.25))
    flips = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=7)
    ]
    extreme = sum(total >= abs(sum(differences)) - 1e-9 for total in flips)
    assert found.permutation_p == pytest.approx(extreme / 2**7)
    assert found.effect_size == pytest.approx(
        statistics.fmean(differences) / statistics.stdev(differences)
    )


@pytest.mark.parametrize(("seeds", "smallest"), [(1, 1.0), (5, 1 / 16), (7, 1 / 64)])
def test_the_smallest_p_that_so_many_seeds_can_say(seeds: int, smallest: float) -> None:
    found = paired_difference([1.0 + 0.1 * i for i in range(seeds)], [0.0] * seeds)
    assert found.smallest_p == smallest
    assert found.permutation_p == pytest.approx(smallest)
    assert found.wilcoxon_smallest_p == found.wilcoxon_p == pytest.approx(smallest)


def test_the_smallest_p_of_ranks_knows_of_ties_zeros_and_many_seeds() -> None:
    signs = [1, -1] * 8
    many = paired_difference([s * (1.0 + 0.1 * i) for i, s in enumerate(signs)], [0.0] * 16)
    assert many.wilcoxon_smallest_p == pytest.approx(2.0**-15)
    assert many.smallest_p == pytest.approx(2e-4), "so many flips are drawn"
    some = paired_difference([0.0, 0.0, 1.0, -2.0, 3.0], [0.0] * 5)
    assert some.wilcoxon_smallest_p == pytest.approx(2 / 2**3), "two seeds do not differ"


@pytest.mark.parametrize(("seeds", "method"), [(5, "t"), (10, "t"), (20, "bca")])
def test_the_interval_covers_and_the_test_errs_as_often_as_they_say(
    seeds: int, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of normal differences around 1, in 1,000 tries, whose binomial error is 0.7 %."""
    monkeypatch.setattr(paired, "RESAMPLES", 999)  # ten times as quick, and hardly less exact
    random = np.random.default_rng(seeds)
    drawn = [random.normal(0.0, 1.0, seeds) for _ in range(1000)]
    found = [paired_difference([*(1.0 + noise)], [0.0] * seeds) for noise in drawn]
    assert {f.method for f in found} == {method}
    assert 0.92 <= statistics.fmean(f.low <= 1.0 <= f.high for f in found) <= 0.97
    size = statistics.fmean(paired._permutation_p([*noise]) <= 0.05 for noise in drawn)
    assert size <= 0.065


def test_twenty_equal_differences_have_a_point_interval() -> None:
    found = paired_difference([1.0] * 20, [0.0] * 20)
    assert (found.low, found.high, found.method) == (1.0, 1.0, "t")
    none = paired_difference([1.0] * 20, [1.0] * 20)
    assert (none.permutation_p, none.improved) == (1.0, 0.0)
    assert math.isnan(none.wilcoxon_p)
