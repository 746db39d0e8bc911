"""The strength of a Newton step's damping: fixed, relative to the curvature, or by success."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.hessian import apply_rule, batch_mean
from newton_core.curvature.step import NewtonStep
from newton_core.curvature.systems import all_finite, not_finite
from newton_core.losses.base import Derivatives
from newton_core.tensors import to_float64

TikhonovRule = Literal["fixed", "relative", "levenberg_marquardt"]
"""What sets the damping: a number, a share of the curvature's size, or how well steps succeed."""

SMALLEST, LARGEST = 1e-12, 1e9
"""Bounds of every damping, as of the number in a spec."""

ROUNDING = 10
"""A decrease of the loss may be wrong by so many units of the loss's rounding."""


def mean_curvature(derivatives: Derivatives, step: NewtonStep) -> float:
    """The mean absolute eigenvalue of C after its definiteness rule, without tikhonov.

    That is trace(C) / m where C is positive semidefinite; of per-sample Hessians, the mean over
    the samples too.

    Raises:
        CurvatureError: a derivative is not finite.
        ValueError: the step takes no curvature, or its Hessian is missing.
    """
    if step.curvature == "fisher":
        if not all_finite(derivatives.gradient):
            raise not_finite("gradient", derivatives.gradient)
        return to_float64(derivatives.gradient).square().mean().item()
    if step.curvature == "none" or derivatives.hessian is None:
        raise ValueError("a damping relative to the curvature needs a Fisher matrix or a Hessian")
    hessian = derivatives.hessian
    if not all_finite(hessian):
        raise not_finite("Hessian", hessian)
    C = batch_mean(hessian) if step.hessian == "batch_mean" else to_float64(hessian)
    return apply_rule(torch.linalg.eigvalsh(C), step.definiteness).abs().mean().item()


def damped(step: NewtonStep, derivatives: Derivatives, rule: TikhonovRule) -> NewtonStep:
    """The step with the damping that it has at these derivatives.

    "relative" makes its tikhonov a share of :func:`mean_curvature`, of at least 1e-12; the other
    rules leave it as it is.

    Raises:
        CurvatureError: a derivative is not finite.
    """
    if rule != "relative":
        return step
    return replace(step, tikhonov=max(SMALLEST, step.tikhonov * mean_curvature(derivatives, step)))


def predicted_decrease(
    gradient: Float[Tensor, "N m"], direction: Float[Tensor, "N m"], tikhonov: float
) -> float:
    """The decrease of the loss by a full Newton step, as the quadratic with the undamped C
    predicts.

    Of each sample g^T d - d^T C d / 2, of which the batch's mean is taken. As (C + tikhonov I) d
    is g, that is (g^T d + tikhonov d^T d) / 2: no matrix is needed.
    """
    g, d = to_float64(gradient), to_float64(direction)
    return ((g * d).sum() + tikhonov * d.square().sum()).item() / (2 * len(g))


@dataclass(frozen=True)
class LevenbergMarquardt:
    """The rule that trusts the quadratic as far as it was right (Levenberg 1944, Marquardt 1963).

    The *ratio* is the decrease of the mean loss from y to z*, over the predicted one. On a
    quadratic loss it is 1.

    Attributes:
        grow_below: a ratio below this makes the damping larger.
        shrink_above: a ratio above this makes it smaller.
        grow: factor of a larger damping, > 1.
        shrink: factor of a smaller one, < 1.
        floor: it is never made smaller than this.
    """

    grow_below: float = 0.25
    shrink_above: float = 0.75
    grow: float = 2.0
    shrink: float = 0.5
    floor: float = 1e-6

    def following(self, tikhonov: float, ratio: float) -> float:
        """The damping of the next step; NaN for a ratio that is not defined makes it larger."""
        if ratio > self.shrink_above:
            return max(self.floor, tikhonov * self.shrink)
        if ratio >= self.grow_below:
            return tikhonov
        return min(LARGEST, tikhonov * self.grow)


def decrease_ratio(
    before: Float[Tensor, " N"], after: Float[Tensor, " N"], predicted: float
) -> float:
    """The actual decrease of the mean loss over the predicted one.

    Where both are as small as the rounding of the loss itself, 1: rounding says nothing against
    the quadratic. NaN where no decrease is predicted or a loss is not finite.
    """
    if not predicted > 0:
        return math.nan
    size = max(before.abs().mean().item(), after.abs().mean().item())
    slack = ROUNDING * torch.finfo(before.dtype).eps * size
    actual = to_float64(before).sub(to_float64(after)).mean().item()
    return (actual + slack) / (predicted + slack) if math.isfinite(size) else math.nan
