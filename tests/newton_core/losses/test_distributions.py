from collections.abc import Callable

import mpmath
import pytest
import torch
from torch.testing import assert_close

from newton_core.losses.distributions import (
    Cauchy,
    Distribution,
    Gaussian,
    Logistic,
    Optimal,
    Reciprocal,
    cdf,
    log_cdf,
)

Exact = Callable[[mpmath.mpf], mpmath.mpf]


def _optimal(v: mpmath.mpf) -> mpmath.mpf:
    if abs(v) <= 0.25:
        return v + mpmath.mpf(1) / 2
    return -1 / (16 * v) if v < 0 else 1 - 1 / (16 * v)


EXACT: list[tuple[Distribution, Exact]] = [
    (Logistic(), lambda v: 1 / (1 + mpmath.exp(-v))),
    (Cauchy(), lambda v: mpmath.atan(v) / mpmath.pi + mpmath.mpf(1) / 2),
    (Gaussian(), lambda v: mpmath.erfc(-v / mpmath.sqrt(2)) / 2),
    (Reciprocal(), lambda v: v / (1 + 2 * abs(v)) + mpmath.mpf(1) / 2),
    (Optimal(), _optimal),
]
POINTS = [-1e4, -300.0, -51.0, -49.0, -20.0, -8.5, -7.5, -3.0, -1.0, -0.3, -0.2]
POINTS += [0.1, 0.2, 0.3, 1.0, 3.0, 9.0, 20.0, 1e4]

by_distribution = pytest.mark.parametrize(
    ("distribution", "exact"), EXACT, ids=lambda item: type(item).__name__
)
by_dtype = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-5)], ids=str
)


@by_dtype
@by_distribution
def test_logarithm_and_its_derivatives_to_the_ends_of_both_tails(
    distribution: Distribution, exact: Exact, dtype: torch.dtype, tolerance: float
) -> None:
    """Relative errors against 60 digits, where plain float64 would have lost them all."""
    v = torch.tensor(POINTS, dtype=dtype)
    got = (distribution.log_cdf(v), distribution.log_slope(v), distribution.log_curvature(v))
    with mpmath.workdps(60):
        for i, point in enumerate(v.tolist()):
            at = mpmath.mpf(point)
            f, f1, f2 = exact(at), mpmath.diff(exact, at), mpmath.diff(exact, at, 2)
            wanted = (mpmath.log(f), f1 / f, f2 / f - (f1 / f) ** 2)
            for tensor, want in zip(got, wanted, strict=True):
                error = abs(mpmath.mpf(tensor[i].item()) - want)
                # The reference's own differences carry some 30 digits.
                assert error <= tolerance * max(abs(want), 1e-20), point


@by_distribution
def test_cdf_and_its_derivatives(distribution: Distribution, exact: Exact) -> None:
    v = torch.tensor(POINTS, dtype=torch.float64)
    got = (distribution.cdf(v), distribution.density(v), distribution.density_slope(v))
    with mpmath.workdps(60):
        for order, tensor in enumerate(got):
            wanted = [float(mpmath.diff(exact, mpmath.mpf(point), order)) for point in POINTS]
            assert_close(tensor, torch.tensor(wanted, dtype=torch.float64), rtol=1e-11, atol=1e-15)


@by_distribution
def test_symmetry_and_ties(distribution: Distribution, exact: Exact) -> None:
    v = torch.linspace(-30, 30, 601, dtype=torch.float64)
    assert_close(distribution.cdf(v) + distribution.cdf(-v), torch.ones_like(v))
    zero = torch.zeros(1, dtype=torch.float64)
    assert distribution.cdf(zero).item() == 0.5
    assert distribution.density(zero).item() == pytest.approx(float(mpmath.diff(exact, 1e-12)))
    assert distribution.density_slope(zero).item() == 0.0  # sign(0) = 0 at the kinks


@by_distribution
def test_automatic_differentiation_gives_the_closed_forms(
    distribution: Distribution, exact: Exact
) -> None:
    v = torch.tensor([-40.0, -2.0, -0.25, 0.0, 0.1, 3.0], dtype=torch.float64, requires_grad=True)
    for function, first, second in (
        (cdf, distribution.density, distribution.density_slope),
        (log_cdf, distribution.log_slope, distribution.log_curvature),
    ):
        (slope,) = torch.autograd.grad(function(distribution, v).sum(), v, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), v)
        assert_close(slope.detach(), first(v.detach()))
        assert_close(curvature, second(v.detach()))


def test_third_derivatives_are_torch_s() -> None:
    v = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: torch.autograd.grad(
        log_cdf(Cauchy(), x).sum(), x, create_graph=True)[0], v)  # fmt: skip


@by_dtype
@by_distribution
def test_non_finite_and_enormous_arguments(
    distribution: Distribution, exact: Exact, dtype: torch.dtype, tolerance: float
) -> None:
    nan = torch.tensor([torch.nan], dtype=dtype)
    assert distribution.cdf(nan).isnan().all()
    assert distribution.log_cdf(nan).isnan().all()
    enormous = torch.tensor([-1e15, 1e15], dtype=dtype)
    for function in (
        distribution.cdf,
        distribution.density,
        distribution.density_slope,
        distribution.log_cdf,
        distribution.log_slope,
        distribution.log_curvature,
    ):
        assert function(enormous).isfinite().all()
