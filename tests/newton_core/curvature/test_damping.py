"""What sets the damping: the curvature's size, or how well the quadratic predicts."""

import math

import pytest
import torch

from newton_core.curvature import CurvatureError, LevenbergMarquardt, NewtonStep
from newton_core.curvature.damping import (
    damped,
    decrease_ratio,
    mean_curvature,
    predicted_decrease,
)
from newton_core.curvature.surrogate import curvature_matrices
from newton_core.losses import Derivatives, build_loss
from newton_core.losses.plain import derivatives_of
from tests.newton_core.curvature.cases import normal, positive, symmetric

STEPS = [
    NewtonStep("fisher", 0.3),
    NewtonStep("hessian", 9.0, "batch_mean", "raw"),
    NewtonStep("hessian", 0.3, "batch_mean", "clip"),
    NewtonStep("hessian", 9.0, "per_sample", "raw"),
    NewtonStep("hessian", 0.3, "per_sample", "saddle_free"),
]
every_step = pytest.mark.parametrize(
    "step", STEPS, ids=lambda s: "-".join(map(str, vars(s).values()))
)


def batch(hessian: torch.Tensor | None = None) -> Derivatives:
    return Derivatives(
        normal(6), normal(6, 3, seed=1), symmetric(6, 3) if hessian is None else hessian
    )


@every_step
def test_a_relative_damping_is_a_share_of_the_mean_absolute_eigenvalue(step: NewtonStep) -> None:
    derivatives = batch()
    eigenvalues = torch.linalg.eigvalsh(curvature_matrices(derivatives, step))
    expected = eigenvalues.abs().mean().item()
    assert mean_curvature(derivatives, step) == pytest.approx(expected)
    found = damped(step, derivatives, "relative")
    assert found.tikhonov == pytest.approx(step.tikhonov * expected)
    assert damped(step, derivatives, "fixed") is step
    assert damped(step, derivatives, "levenberg_marquardt") is step


def test_of_a_definite_matrix_that_is_its_trace_over_m_and_never_zero() -> None:
    derivatives = batch(positive(6, 3))
    assert derivatives.hessian is not None
    trace = derivatives.hessian.mean(0).trace().item()
    assert mean_curvature(derivatives, NewtonStep("hessian")) == pytest.approx(trace / 3)
    flat = batch(torch.zeros(6, 3, 3, dtype=torch.float64))
    assert damped(NewtonStep("hessian"), flat, "relative").tikhonov == 1e-12


def test_a_damping_relative_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a Fisher matrix or a Hessian"):
        damped(NewtonStep("none"), batch(), "relative")
    with pytest.raises(CurvatureError, match="the Hessian of 6 of 6 samples"):
        damped(NewtonStep("hessian"), batch(torch.full((6, 3, 3), math.nan)), "relative")


@every_step
def test_the_predicted_decrease_is_the_quadratics(step: NewtonStep) -> None:
    derivatives = batch()
    g, d = derivatives.gradient, step.direction(derivatives)
    C = curvature_matrices(derivatives, step)
    expected = (g * d).sum(1) - torch.einsum("ni,nij,nj->n", d, C, d) / 2
    found = predicted_decrease(g, d, step.tikhonov)
    assert found == pytest.approx(expected.mean().item(), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("tikhonov", [1e-6, 1.0, 1e6, 1e9])
def test_on_a_quadratic_loss_the_ratio_is_one(tikhonov: float, dtype: torch.dtype) -> None:
    """Also where the decrease is far below the loss's rounding."""
    loss, y, target = build_loss("squared_error"), normal(9, 4, dtype=dtype), normal(9, 4, seed=2)
    step = NewtonStep("hessian", tikhonov)
    derivatives = derivatives_of(loss, y, target.to(dtype))
    direction = step.direction(derivatives)
    predicted = predicted_decrease(derivatives.gradient, direction, tikhonov)
    after = loss(y - direction, target.to(dtype))
    ratio = decrease_ratio(loss(y, target.to(dtype)), after, predicted)
    assert ratio == pytest.approx(1.0, abs=0.1 if dtype == torch.float32 else 1e-6)


def test_a_ratio_that_is_not_defined_is_nan() -> None:
    value = torch.ones(3)
    for predicted, after in ((0.0, 1.0), (-1.0, 0.5), (math.nan, 0.5), (1.0, math.inf)):
        assert math.isnan(decrease_ratio(value, after * value, predicted))
    assert decrease_ratio(value, 1.5 * value, 1.0) == pytest.approx(-0.5, abs=1e-5)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.9, 0.05), (0.5, 0.1), (0.25, 0.1), (0.2, 0.4), (-3.0, 0.4), (math.nan, 0.4)],
)
def test_the_damping_follows_the_ratio(ratio: float, expected: float) -> None:
    assert LevenbergMarquardt(grow=4.0).following(0.1, ratio) == pytest.approx(expected)


def test_the_damping_stays_between_its_floor_and_the_largest() -> None:
    rule = LevenbergMarquardt(floor=0.08)
    assert rule.following(0.1, 1.0) == 0.08
    assert rule.following(9e8, math.nan) == 1e9
