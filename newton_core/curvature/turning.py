"""How far curvature can turn a gradient: the angle of the Newton step over its damping."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.components import turn
from newton_core.curvature.spectrum import Spectrum, fisher_spectrum, hessian_spectrum
from newton_core.curvature.step import Curvature, NewtonStep
from newton_core.curvature.systems import CurvatureError
from newton_core.losses.base import Derivatives

BELOW, ABOVE = 6, 2
"""Decades below and above the largest eigenvalue: there the step is all curvature, or none."""


@dataclass(frozen=True)
class TurnCurve:
    """The angle between a batch's gradient and its Newton step, over the damping.

    Attributes:
        curvature: of the step.
        tikhonov: (P,) dampings, ascending over eight decades, from 1e-6 to 100 times the largest
            absolute eigenvalue of C.
        largest: that eigenvalue; 1 where C is zero.
        degrees: (P,) angles from 0 to 180; NaN where the damped system is singular.
        complement_condition: see :class:`~newton_core.curvature.Spectrum`: at 1 the angle is 0.
    """

    curvature: Curvature
    tikhonov: Float[Tensor, " P"]
    largest: float
    degrees: Float[Tensor, " P"]
    complement_condition: float


def turn_over_tikhonov(
    derivatives: Derivatives,
    steps: Sequence[NewtonStep],
    *,
    per_decade: int = 5,
    blind: Float[Tensor, "k m"] | None = None,
) -> list[TurnCurve]:
    """The curve of each step, whose own tikhonov does not matter.

    Args:
        derivatives: at one batch, with a Hessian if a step is to take it.
        steps: with curvature "hessian" or "fisher".
        per_decade: dampings in each of the eight decades.
        blind: the loss's invariant directions.

    Raises:
        CurvatureError: a derivative is not finite.
        ValueError: a step has no curvature, or its Hessian is missing.
    """
    return [_curve(derivatives, step, per_decade, blind) for step in steps]


def _curve(
    derivatives: Derivatives, step: NewtonStep, per_decade: int, blind: Tensor | None
) -> TurnCurve:
    spectrum = _spectrum(derivatives, step, blind)
    largest = spectrum.eigenvalues.abs().amax().item() or 1.0
    shares = torch.linspace(-BELOW, ABOVE, (BELOW + ABOVE) * per_decade + 1, dtype=torch.float64)
    tikhonov = largest * 10**shares
    degrees = []
    for damping in tikhonov.tolist():
        try:
            direction = replace(step, tikhonov=damping).direction(derivatives)
        except CurvatureError:
            degrees.append(torch.nan)
        else:
            degrees.append(turn(derivatives.gradient, direction))
    return TurnCurve(
        step.curvature,
        tikhonov,
        largest,
        torch.tensor(degrees, dtype=torch.float64),
        spectrum.complement_condition,
    )


def _spectrum(derivatives: Derivatives, step: NewtonStep, blind: Tensor | None) -> Spectrum:
    if step.curvature == "fisher":
        return fisher_spectrum(derivatives.gradient, 1.0, blind)
    if step.curvature == "none" or derivatives.hessian is None:
        raise ValueError("only a Fisher matrix or a Hessian, which is needed then, turns gradients")
    return hessian_spectrum(derivatives.hessian, 1.0, step.definiteness, blind)
