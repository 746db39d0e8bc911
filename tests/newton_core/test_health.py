"""Shares beyond thresholds, from norms and from histograms."""

import math

import pytest
import torch

from newton_core.health import gradient_health, histogram_shares
from newton_core.training.diagnostics import norm_histogram

NORMS = torch.tensor([0.0, 1e-9, 0.1, 0.2, 0.3, 0.4, 20.0, 1e5, math.nan, math.inf])


def test_shares_and_tail_of_known_norms() -> None:
    found = gradient_health(NORMS)
    assert (found.vanishing, found.exploding, found.non_finite) == (0.2, 0.2, 0.2)
    assert found.median == pytest.approx(0.25)
    assert found.largest == 1e5
    assert found.tail == pytest.approx(4e5)
    assert found.q90 < found.q99 < found.largest


def test_thresholds_are_the_caller_s() -> None:
    found = gradient_health(NORMS, vanishing=0.15, exploding=0.35)
    assert (found.vanishing, found.exploding) == (0.3, 0.3)


def test_nothing_finite_is_no_crash() -> None:
    found = gradient_health(torch.tensor([math.nan, math.inf]))
    assert found.non_finite == 1
    assert math.isnan(found.median)
    assert gradient_health(torch.zeros(3)).vanishing == 1


@pytest.mark.parametrize(("vanishing", "exploding"), [(1.0, 0.1), (-1.0, 1.0)])
def test_thresholds_ascend(vanishing: float, exploding: float) -> None:
    with pytest.raises(ValueError, match="ascend"):
        gradient_health(NORMS, vanishing, exploding)
    with pytest.raises(ValueError, match="no gradient"):
        gradient_health(NORMS[:0])


def test_a_histogram_says_the_same_at_its_edges() -> None:
    histogram = norm_histogram(NORMS)
    assert histogram_shares(
        histogram.log10_edges, histogram.counts, histogram.zero, histogram.non_finite
    ) == pytest.approx((0.2, 0.2, 0.2))


def test_a_threshold_inside_a_bin_shares_it_out() -> None:
    edges, counts = [-2.0, -1.0, 0.0, 1.0], [4, 8, 4]
    below, above, none = histogram_shares(
        edges, counts, zero=2, non_finite=2, vanishing=10**-0.75, exploding=10**0.5
    )
    assert below == pytest.approx((4 + 2 + 2) / 20)
    assert above == pytest.approx(2 / 20)
    assert none == 2 / 20
    assert histogram_shares(edges, [0, 0, 0], 0, 0) == (0.0, 0.0, 0.0)
