import math
import statistics

import pytest
import scipy.stats

from newton_core.statistics import paired_difference


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
