"""Squared error, with the factor 1/2 that makes its Hessian the identity."""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.tensors import flatten_outputs, target_like, to_float64


class SquaredErrorParameters(LossParameters):
    """Half the squared distance between outputs and target values."""

    title = "Squared error"
    name: Literal["squared_error"] = "squared_error"


@register_loss
class SquaredError(Loss[SquaredErrorParameters]):
    """Half the squared error, summed over the outputs: 1/2 ||y - target||^2.

    With the factor 1/2 and the sum (not the mean) over the m outputs its Hessian is the identity,
    so that a Newton step without damping lands on the target. Convex; derivatives exact (paper,
    appendix: C = I).

    Shapes: y (N, *S), target the same, any real numbers; value (N,).
    """

    Parameters = SquaredErrorParameters
    target_kind: ClassVar[TargetKind] = "value"

    def forward(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None
    ) -> Float[Tensor, " N"]:
        """1/2 ||y_i - target_i||^2 for each sample."""
        return flatten_outputs(y - target_like(y, target)).square().sum(1) / 2

    def derivatives(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Closed forms: the gradient y - target and the identity."""
        gradient = flatten_outputs((y - target_like(y, target)).detach())
        value = gradient.square().sum(1) / 2
        if not hessian:
            return Derivatives(value, gradient)
        samples, outputs = gradient.shape
        identity = torch.eye(outputs, dtype=y.dtype, device=y.device)
        return Derivatives(value, gradient, identity.expand(samples, outputs, outputs))

    @property
    def shares_hessian(self) -> bool:
        """All have the identity."""
        return True

    def mean_hessian(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None
    ) -> Float[Tensor, "m m"]:
        """The identity."""
        outputs = flatten_outputs(y).shape[1]
        return to_float64(torch.eye(outputs, device=y.device))

    def per_sample_direction(
        self, y: Float[Tensor, " N *S"], target: Tensor | None, tikhonov: float
    ) -> Float[Tensor, "N m"]:
        """(y - target) / (1 + tikhonov)."""
        return to_float64(self.derivatives(y, target, hessian=False).gradient) / (1 + tikhonov)
