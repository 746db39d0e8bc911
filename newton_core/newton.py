"""Newton losses (Petersen et al. 2024): a Newton step in output space, then plain regression.

    z*_i = y_i - (C + tikhonov I)^-1 grad l_i(y_i)
    newton loss = 1/(2N) sum_i ||z*_i - y_i||^2            z* is a constant

The gradient that reaches the network is the *direction* (C + tikhonov I)^-1 grad l_i over N, in
place of grad l_i over N. C is the Hessian of the loss or its empirical Fisher matrix.
"""

import math
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from newton_core.curvature import Curvature, Definiteness, HessianKind, NewtonStep
from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.step import check_outputs
from newton_core.curvature.systems import check_tikhonov, like
from newton_core.losses.base import LossFunction
from newton_core.tensors import flatten_outputs

Reduction = Literal["mean", "sum"]


def newton_direction(
    base: LossFunction,
    y: Float[Tensor, " N *S"],
    target: Any = None,
    *,
    curvature: Curvature = "hessian",
    tikhonov: float = 0.1,
    hessian: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, " N *S"]:
    """(C + tikhonov I)^-1 gradient of each sample, detached, in the shape, dtype and device of y.

    Derivatives are taken in y's dtype, the system is solved in float64.

    Args:
        base: a :class:`Loss`, or any callable (y, target) -> (N,) that is differentiable in y
            and whose value i depends on y[i] alone.
        y: outputs of the network; S is treated as m = prod(S) coordinates.
        target: whatever ``base`` compares y with.
        curvature: C: "hessian", "fisher" (gradients only), or "none" for the plain gradient.
        tikhonov: damping, > 0: large values tend to the gradient over tikhonov, small ones to a
            full Newton step.
        hessian: "batch_mean" (paper, Definition 1) or "per_sample".
        definiteness: what happens to the Hessian's negative eigenvalues: "raw" keeps them (the
            paper), "clip" sets them to 0, "saddle_free" takes absolute values.

    Raises:
        CurvatureError: y, a derivative or the direction is not finite, or the system is singular.
        OpaqueLossError: curvature is "hessian", and autograd reaches only the base's gradient.
        ValueError: an argument is out of its range, or y holds no sample.

    Warns:
        UserWarning: the Hessian is exactly zero, as of a loss that is linear in pieces.
    """
    step = NewtonStep(curvature, tikhonov, hessian, definiteness)
    return step.direction_at(base, y, target)


def newton_target(
    base: LossFunction,
    y: Float[Tensor, " N *S"],
    target: Any = None,
    *,
    curvature: Curvature = "hessian",
    tikhonov: float = 0.1,
    hessian: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, " N *S"]:
    """z* = y - :func:`newton_direction`, detached: where one damped Newton step would take y."""
    step = NewtonStep(curvature, tikhonov, hessian, definiteness)
    return step.target_at(base, y, target)


class NewtonLoss(nn.Module):
    """The Newton loss 1/(2N) sum ||z* - y||^2 of a base loss, a drop-in for its batch mean.

    Its gradient in y is the direction over N, exactly: y - z* is not formed as a difference,
    which would round a small step away beside a large output. Arguments as for
    :func:`newton_direction`; ``tikhonov`` may be changed between calls.
    """

    def __init__(
        self,
        base: LossFunction,
        *,
        curvature: Curvature = "hessian",
        tikhonov: float = 0.1,
        hessian: HessianKind = "batch_mean",
        definiteness: Definiteness = "raw",
    ) -> None:
        super().__init__()
        step = NewtonStep(curvature, tikhonov, hessian, definiteness)
        self.base = base
        self.curvature = step.curvature
        self.tikhonov = step.tikhonov
        self.hessian = step.hessian
        self.definiteness = step.definiteness

    @property
    def step(self) -> NewtonStep:
        """The step with the present settings."""
        return NewtonStep(self.curvature, self.tikhonov, self.hessian, self.definiteness)

    def forward(self, y: Float[Tensor, " N *S"], target: Any = None) -> Float[Tensor, ""]:
        """The scalar Newton loss at y, in y's dtype (half precision is summed in float32)."""
        direction = self.step.direction_at(self.base, y, target)
        residual = (y - y.detach()) + direction  # y - z*
        wide = residual.to(torch.promote_types(y.dtype, torch.float32))
        return (wide.square().sum() / (2 * len(y))).to(y.dtype)

    def extra_repr(self) -> str:
        """The settings, as ``print`` shows them."""
        return (
            f"curvature={self.curvature!r}, tikhonov={self.tikhonov}, hessian={self.hessian!r},"
            f" definiteness={self.definiteness!r}"
        )


def inject_fisher(
    y: Float[Tensor, " N *S"], tikhonov: float = 0.1, reduction: Reduction = "mean"
) -> Float[Tensor, " N *S"]:
    """y itself; in the backward pass its gradient is preconditioned with the empirical Fisher.

    Put it between network and loss and any loss trains as its Fisher-Newton loss. What comes
    back from the loss, g of shape (N, m), holds grad l_i / N if the loss is the batch mean and
    grad l_i if it is the batch sum, which only the caller knows:

        "mean":  g (N g^T g + tikhonov I)^-1    = direction / N, as ``NewtonLoss(..., "fisher")``
        "sum":   g (g^T g / N + tikhonov I)^-1  = direction

    With the wrong ``reduction`` tikhonov acts as if multiplied or divided by N^2.

    Raises:
        CurvatureError: in the backward pass, if a gradient is not finite.
        ValueError: an argument is out of its range, or y holds no sample.
    """
    check_outputs(y)
    check_tikhonov(tikhonov)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"unknown reduction {reduction!r}; use one of mean, sum")
    scale = float(len(y)) if reduction == "mean" else 1.0
    injected: Tensor = _InjectFisher.apply(y, tikhonov, scale)  # type: ignore[no-untyped-call]
    return injected


class _InjectFisher(torch.autograd.Function):
    """Identity; backward gives direction / scale, where grad l_i = scale * incoming gradient."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, tikhonov: float, scale: float) -> Tensor:
        ctx.tikhonov, ctx.scale = tikhonov, scale
        return y.view_as(y)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, incoming: Tensor) -> tuple[Tensor, None, None]:
        # with s = scale, the direction of s g is that of g at tikhonov / s^2, over s
        square = ctx.scale**2
        flat = flatten_outputs(incoming)
        wide = flat.to(torch.promote_types(flat.dtype, torch.float32))
        direction = fisher_direction(wide, ctx.tikhonov / square) / square
        bound = math.sqrt(len(flat) / ctx.tikhonov) / (2 * ctx.scale)
        return like(incoming, direction.view_as(incoming), bound), None, None
