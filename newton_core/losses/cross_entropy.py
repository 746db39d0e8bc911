"""Softmax cross-entropy with class indices."""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from newton_core.conditions import holds, number
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.tensors import check_floating, to_float64


class CrossEntropyParameters(LossParameters):
    """Softmax cross-entropy: the usual loss of classification."""

    title = "Cross-entropy"
    name: Literal["cross_entropy"] = "cross_entropy"


@register_loss
class CrossEntropy(Loss[CrossEntropyParameters]):
    """Softmax cross-entropy -log p_t with p = softmax(y), t the true class.

    Its Hessian diag(p) - p p^T is positive semidefinite, with a null vector of ones: a common
    shift of the logits changes nothing. Derivatives exact (paper, appendix).

    Shapes: y (N, m) logits of m classes, target (N,) class indices in 0..m-1; value (N,).
    """

    Parameters = CrossEntropyParameters
    target_kind: ClassVar[TargetKind] = "class"

    def forward(self, y: Float[Tensor, "N m"], target: Tensor | None = None) -> Float[Tensor, " N"]:
        """The cross-entropy of each sample, in nats."""
        return functional.cross_entropy(y, class_indices(y, target), reduction="none")

    def invariant_directions(self, outputs: int) -> Tensor:
        """A common shift of all logits, which softmax takes out."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def derivatives(
        self, y: Float[Tensor, "N m"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Closed forms: the gradient p - e_t and diag(p) - p p^T."""
        y = y.detach()
        classes = class_indices(y, target)
        p = torch.softmax(y, dim=1)
        second = None
        if hessian:
            second = torch.diag_embed(p) - p.unsqueeze(2) * p.unsqueeze(1)
        return Derivatives(self(y, classes), _minus_one_hot(p, classes), second)

    def mean_hessian(
        self, y: Float[Tensor, "N m"], target: Tensor | None = None
    ) -> Float[Tensor, "m m"]:
        """diag(mean p) - P^T P / N with the rows p of all samples, in float64."""
        _check_logits(y)
        p = to_float64(torch.softmax(y.detach(), dim=1))
        mean = (p.mT @ p).div_(-len(p))
        mean.diagonal().add_(p.mean(0))
        return mean

    def per_sample_direction(
        self, y: Float[Tensor, "N m"], target: Tensor | None, tikhonov: float
    ) -> Float[Tensor, "N m"]:
        """The damped system diag(p + tikhonov) - p p^T, diagonal plus rank one, in O(m).

        Sherman-Morrison with u_j = p_j / (p_j + tikhonov) gives h - u (1^T h) / (1^T u) for
        h = (p - e_t) / (p + tikhonov): the denominator 1 - p^T u = tikhonov 1^T u and the
        numerator p^T h = -tikhonov 1^T h are taken in the forms that do not cancel. As h is u but
        for the true class, what remains is

            (u / (1^T u) - e_t) / (p_t + tikhonov).
        """
        p = torch.softmax(to_float64(y.detach()), dim=1)
        classes = class_indices(p, None if target is None else target.to(p.device))
        u = p / (p + tikhonov)
        true_class = p.gather(1, classes.unsqueeze(1))
        return _minus_one_hot(u / u.sum(1, keepdim=True), classes) / (true_class + tikhonov)


def _minus_one_hot(p: Tensor, classes: Tensor) -> Tensor:
    """p - e_t for rows p that sum to 1, as minus the sum of the others at t: exact for p_t -> 1."""
    index = classes.unsqueeze(1)
    others = p.scatter(1, index, 0.0)
    return others.scatter(1, index, -others.sum(1, keepdim=True))


def class_indices(y: Tensor, target: Tensor | None) -> Int[Tensor, " N"]:
    """The class indices as int64, checked against the logits."""
    _check_logits(y)
    if target is None or target.shape != y.shape[:1] or target.is_floating_point():
        got = "none" if target is None else f"{target.dtype} of shape {tuple(target.shape)}"
        raise ValueError(
            f"cross-entropy needs one class index per sample, integers of shape ({len(y)},);"
            f" got {got}"
        )
    classes = target.long()
    if len(classes) and not (
        holds(number(classes.min()) >= 0) and holds(number(classes.max()) < y.shape[1])
    ):
        raise ValueError(
            f"cross-entropy on {y.shape[1]} logits needs classes from 0 to {y.shape[1] - 1}, got"
            f" {classes.min().item()} to {classes.max().item()}"
        )
    if y.device.type == "cpu":
        return classes
    return classes.clamp(0, y.shape[1] - 1)  # a GPU's kernel ends the process for another


def _check_logits(y: Tensor) -> None:
    if y.ndim != 2:
        raise ValueError(f"cross-entropy needs logits (N, m), got {tuple(y.shape)}")
    check_floating(y, "logits")
