"""Binary cross-entropy on logits."""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from newton_core.conditions import holds
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.tensors import flatten_outputs, target_like, to_float64


class BinaryCrossEntropyParameters(LossParameters):
    """Binary cross-entropy of each output with its own yes-or-no target."""

    title = "Binary cross-entropy"
    name: Literal["binary_cross_entropy"] = "binary_cross_entropy"


@register_loss
class BinaryCrossEntropy(Loss[BinaryCrossEntropyParameters]):
    """Binary cross-entropy on logits, summed over the outputs.

    With p = sigmoid(y): -sum_j (t_j log p_j + (1 - t_j) log(1 - p_j)). The Hessian is
    diag(p (1 - p)), positive semidefinite; derivatives exact (paper, appendix).

    Shapes: y (N, *S) logits, target the same, probabilities in [0, 1]; value (N,).
    """

    Parameters = BinaryCrossEntropyParameters
    target_kind: ClassVar[TargetKind] = "value"

    def forward(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None
    ) -> Float[Tensor, " N"]:
        """The cross-entropy of each sample, in nats."""
        each = functional.binary_cross_entropy_with_logits(
            y, _probabilities(y, target), reduction="none"
        )
        return flatten_outputs(each).sum(1)

    def derivatives(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Closed forms: the gradient p - target and diag(p (1 - p)), without cancellation."""
        y = y.detach()
        t = flatten_outputs(_probabilities(y, target))
        value = self(y, target)
        flat = flatten_outputs(y)
        p, q = torch.sigmoid(flat), torch.sigmoid(-flat)
        gradient = _gradient(p, q, t)
        return Derivatives(value, gradient, torch.diag_embed(p * q) if hessian else None)

    def mean_hessian(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None
    ) -> Float[Tensor, "m m"]:
        """diag(mean p (1 - p)) in float64."""
        flat = flatten_outputs(y.detach())
        return torch.diag(to_float64(torch.sigmoid(flat) * torch.sigmoid(-flat)).mean(0))

    def per_sample_direction(
        self, y: Float[Tensor, " N *S"], target: Tensor | None, tikhonov: float
    ) -> Float[Tensor, "N m"]:
        """The diagonal system, output by output: (p - target) / (p (1 - p) + tikhonov)."""
        wide = to_float64(flatten_outputs(y.detach()))
        t = to_float64(flatten_outputs(_probabilities(y, target)))
        p, q = torch.sigmoid(wide), torch.sigmoid(-wide)
        return _gradient(p, q, t) / (p * q + tikhonov)


def _gradient(p: Tensor, q: Tensor, t: Tensor) -> Tensor:
    """p - t with p = sigmoid(y) and q = 1 - p = sigmoid(-y), exact where p is close to t = 1."""
    return (1 - t) * p - t * q


def _probabilities(y: Tensor, target: Tensor | None) -> Tensor:
    t = target_like(y, target).detach()
    if not holds(((t >= 0) & (t <= 1)).all()):
        raise ValueError(
            "binary cross-entropy needs targets in [0, 1], got values from"
            f" {t.min().item():.6g} to {t.max().item():.6g}"
        )
    return t
