"""What a batch's curvature depends on: weights of its samples, and the batches before it.

C is the mean over the samples at hand. Padding, micro-batches and the ranks of a distributed
training all change it, because each is another set of samples.
"""

from dataclasses import replace
from numbers import Real
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from newton_core.curvature.hessian import hessian_direction
from newton_core.curvature.step import NewtonStep
from newton_core.curvature.surrogate import curvature_matrices
from newton_core.curvature.systems import like
from newton_core.losses.base import Derivatives
from newton_core.tensors import to_float64


def check_weights(weights: Tensor, samples: int) -> Tensor:
    """(N,) finite weights from 0 to 1, the largest 1, without a graph; a mask becomes 0 and 1.

    Raises:
        TypeError: they are no tensor.
        ValueError: they are not.
    """
    if not isinstance(weights, Tensor):
        raise TypeError(
            f"weights are a tensor, one number or truth per sample, not {type(weights).__name__}"
        )
    weights = to_float64(weights.detach())
    if weights.shape != (samples,):
        raise ValueError(
            f"weights hold one number or truth per sample, shape ({samples},), got"
            f" {tuple(weights.shape)}"
        )
    if not bool((torch.isfinite(weights) & (weights >= 0)).all()) or not bool(weights.any()):
        raise ValueError("weights must be finite and at least 0, one of them more than 0")
    return weights / weights.max()  # no sum of them is too large


def is_learned(target: Any) -> bool:
    """Whether a target, or a tensor inside its tuples, lists and dicts, requires grad."""
    if isinstance(target, Tensor):
        return target.requires_grad
    items = target.values() if isinstance(target, dict) else target
    return isinstance(target, (tuple, list, dict)) and any(map(is_learned, items))


def chosen_rows(target: Any, rows: Tensor) -> Any:
    """The targets of some of N samples: of tensors with N rows, also inside tuples and dicts."""
    if isinstance(target, Tensor):
        return target[rows.to(target.device)] if target.shape[:1] == rows.shape else target
    if type(target) in (tuple, list):
        return type(target)(chosen_rows(item, rows) for item in target)
    if type(target) is dict:
        return {key: chosen_rows(item, rows) for key, item in target.items()}
    return target


def weighted_direction(
    step: NewtonStep,
    derivatives: Derivatives,
    weights: Float[Tensor, " N"],
    average: "CurvatureAverage | None" = None,
) -> Float[Tensor, "N m"]:
    """The step's direction with C = sum_i w_i C_i / sum_i w_i, averaged over calls if asked to.

    Args:
        step: whose curvature is not "none".
        derivatives: of the samples.
        weights: (N,) positive float64 weights.
        average: of C over the calls; a per-sample Hessian has none.

    Raises:
        CurvatureError: the system is singular or not finite.
    """
    gradient, hessian = derivatives.gradient, derivatives.hessian
    # in float64: a small weight, or its root, may be zero in the gradient's dtype
    share = to_float64(weights / weights.mean())[:, None]
    if average is not None:
        matrix = average(_matrix(step, derivatives, share))
        matrices = matrix.to(gradient.device).expand(len(gradient), *matrix.shape)
        return hessian_direction(gradient, matrices, step.tikhonov, "batch_mean", "raw")
    if step.curvature == "fisher":
        root = share.sqrt()
        weighted = replace(derivatives, gradient=to_float64(gradient) * root)
        return like(gradient, step.direction(weighted) / root)
    if hessian is not None and step.hessian == "batch_mean":
        derivatives = replace(derivatives, hessian=to_float64(hessian) * share[..., None])
    return step.direction(derivatives)


def _matrix(step: NewtonStep, derivatives: Derivatives, share: Tensor) -> Float[Tensor, "m m"]:
    """The batch's C in float64, after the definiteness rule."""
    hessian = derivatives.hessian
    weighted = Derivatives(
        derivatives.value,
        to_float64(derivatives.gradient) * share.sqrt(),
        None if hessian is None else to_float64(hessian) * share[..., None],
    )
    return curvature_matrices(weighted, step)[0]


class CurvatureAverage(nn.Module):
    """An exponential average of C over calls, without bias towards its start at zero.

    In ``eval`` mode nothing is added to it. Its state is part of ``state_dict``.

    Args:
        momentum: share of the past in each new average, in [0, 1).
    """

    def __init__(self, momentum: float) -> None:
        super().__init__()
        given: object = momentum
        if isinstance(given, bool) or not isinstance(given, Real) or not 0 <= momentum < 1:
            raise ValueError(f"curvature_momentum must be a number in [0, 1), got {momentum!r}")
        self.momentum = float(momentum)
        self.total: Tensor | None = None
        self.weight = 0.0

    def forward(self, matrix: Float[Tensor, "m m"]) -> Float[Tensor, "m m"]:
        """The average with this call's C.

        Raises:
            ValueError: C has another size than before.
        """
        if self.total is not None and self.total.shape != matrix.shape:
            raise ValueError(
                f"the curvature is averaged over calls with {len(self.total)} outputs per sample,"
                f" and this one has {len(matrix)}: use another NewtonLoss for these"
            )
        before = torch.zeros_like(matrix) if self.total is None else self.total.to(matrix.device)
        if not self.training and self.weight > 0:
            return before / self.weight
        total = self.momentum * before + (1 - self.momentum) * matrix
        weight = self.momentum * self.weight + (1 - self.momentum)
        if self.training and bool(torch.isfinite(total).all()):
            self.total, self.weight = total, weight
        return total / weight

    def get_extra_state(self) -> dict[str, object]:
        """The average so far, for ``state_dict``."""
        return {"total": self.total, "weight": self.weight}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Goes on from a ``state_dict``."""
        self.total, self.weight = state["total"], state["weight"]

    def extra_repr(self) -> str:
        """The momentum, as ``print`` shows it."""
        return f"momentum={self.momentum}"
