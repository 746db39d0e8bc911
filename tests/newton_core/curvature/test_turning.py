"""How far curvature turns a gradient: nothing with much damping, all that it can with little."""

import math

import pytest
import torch

from newton_core.curvature import CurvatureError, NewtonStep, turn, turn_over_tikhonov
from newton_core.losses import Derivatives
from tests.newton_core.curvature.cases import normal, positive

STEPS = [NewtonStep("hessian"), NewtonStep("fisher")]


def test_the_angle_is_that_of_the_step_at_every_damping() -> None:
    derivatives = Derivatives(normal(20), normal(20, 3), positive(20, 3))
    for step, curve in zip(STEPS, turn_over_tikhonov(derivatives, STEPS), strict=True):
        assert curve.curvature == step.curvature
        assert curve.tikhonov[-1] / curve.tikhonov[0] == pytest.approx(1e8)
        assert curve.tikhonov[-1] == pytest.approx(100 * curve.largest)
        taken = NewtonStep(step.curvature, curve.tikhonov[17].item()).direction(derivatives)
        assert curve.degrees[17] == pytest.approx(turn(derivatives.gradient, taken), abs=1e-6)
        assert (curve.degrees.diff() <= 1e-9).all(), "damping takes the turn away"
        assert curve.degrees[-1] < 1


def test_a_multiple_of_the_identity_turns_nothing() -> None:
    """On the complement of a common shift, along which no gradient points."""
    shift = torch.ones(1, 4, dtype=torch.float64)
    H = (2 * torch.eye(4, dtype=torch.float64) - 0.5).expand(9, 4, 4)
    g = normal(9, 4) - normal(9, 4).mean(1, keepdim=True)
    curve, *_ = turn_over_tikhonov(Derivatives(normal(9), g, H), STEPS[:1], blind=shift)
    assert curve.degrees.max() < 1e-6
    assert curve.complement_condition == pytest.approx(1.0)


def test_a_singular_place_is_a_gap_and_what_cannot_be_is_refused() -> None:
    H = torch.diag(torch.tensor([-1.0, 0.5]).double()).expand(3, 2, 2)
    curve, *_ = turn_over_tikhonov(Derivatives(normal(3), normal(3, 2), H), STEPS[:1])
    gaps = curve.degrees.isnan()
    assert curve.tikhonov[gaps].tolist() == pytest.approx([1.0]), "where it cancels -1"
    with pytest.raises(ValueError, match="only a Fisher matrix or a Hessian"):
        turn_over_tikhonov(Derivatives(normal(3), normal(3, 2)), STEPS[:1])
    with pytest.raises(CurvatureError):
        turn_over_tikhonov(Derivatives(normal(3), normal(3, 2) * math.nan), STEPS[1:])
