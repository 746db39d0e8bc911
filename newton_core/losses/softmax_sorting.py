"""Sorting losses whose relaxed permutation is a softmax per rank: derivatives in closed form.

The logits of each row are piecewise linear in the scores, z_r = A_r s, so that the Hessian is
sum_r A_r^T H_r A_r with the Hessians H_r of the rows' losses in their logits, and nothing else.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives, P_co
from newton_core.losses.row_cross_entropy import RowHessians, log_rows, row_derivatives
from newton_core.losses.saturating_cross_entropy import (
    saturating_curvature,
    saturating_gradient,
    saturating_loss,
)
from newton_core.losses.sorting import ItemScores, RankRows, SortingLoss


@dataclass(frozen=True)
class LinearLogits(ABC):
    """Logits [rank, item, sample] at one batch of scores, and the way from their derivatives back.

    A_r[k, m] is the derivative of logit k of row r in score m.
    """

    logits: RankRows

    @abstractmethod
    def pull_gradient(self, gradient: Float[Tensor, "n n *m N"]) -> Float[Tensor, "n *m N"]:
        """sum_r A_r^T g_r; with m gradients a sample, for each of them."""

    @abstractmethod
    def pull_hessian(self, rows: RowHessians) -> RankRows:
        """sum_r A_r^T H_r A_r."""

    @abstractmethod
    def jacobian(self) -> Float[Tensor, "n n n N"]:
        """A_r[k, m] at [r, k, m]."""


class SoftmaxSortingLoss(SortingLoss[P_co]):
    """A sorting loss with P = softmax of logits that are piecewise linear in the scores."""

    def logits(self, scores: ItemScores) -> RankRows:
        """The logits of each rank over the items, differentiable in the scores."""
        raise NotImplementedError

    def linear_logits(self, scores: ItemScores) -> LinearLogits:
        """The same logits with their derivatives, for scores without a graph."""
        raise NotImplementedError

    def relaxed_rows(self, scores: ItemScores) -> RankRows:
        """The softmax of each rank's logits."""
        return torch.softmax(self.logits(scores), dim=1)

    def log_rows(self, scores: ItemScores) -> tuple[RankRows, RankRows]:
        """log P and log(1 - P) from the logits of centred scores (P is invariant to shifts)."""
        return log_rows(self.logits(centred(scores)))

    def _derivatives(self, scores: ItemScores, target: RankRows, hessian: bool) -> Derivatives:
        if self.numerics == "bce_loss":
            return saturating_derivatives(self.linear_logits(scores), target, hessian)
        linear = self.linear_logits(centred(scores))
        rows = row_derivatives(linear.logits, target, hessian=hessian)
        return Derivatives(
            rows.value,
            linear.pull_gradient(rows.gradient).mT,
            linear.pull_hessian(rows.hessians).permute(2, 0, 1) if rows.hessians else None,
        )


def centred(scores: ItemScores) -> ItemScores:
    """Scores minus their mean, so that a common offset costs no digits."""
    return scores - scores.detach().mean(0)


def saturating_derivatives(linear: LinearLogits, target: RankRows, hessian: bool) -> Derivatives:
    """torch's backward and double backward pass of BCELoss(softmax(z)), all scores at once.

    The double backward pass of torch.autograd runs once per score; here it runs on the n
    tangents dz/ds_m together, operation by operation in torch's order, so that it also rounds
    the way torch does.
    """
    p = torch.softmax(linear.logits, dim=1)
    value = saturating_loss(p, target)
    first = saturating_gradient(p, target)
    row: Tensor = torch.ops.aten._softmax_backward_data(first, p, 1, p.dtype)
    gradient = linear.pull_gradient(row).mT
    if not hessian:
        return Derivatives(value, gradient)

    jacobian = linear.jacobian()
    curvature = saturating_curvature(p, target).unsqueeze(2)
    mean = (p * first).sum(1, keepdim=True).unsqueeze(2)
    p, first = p.unsqueeze(2), first.unsqueeze(2)
    inner = (p * jacobian).sum(1, keepdim=True)
    cotangent = first * jacobian - mean * jacobian - first * inner
    cotangent.addcmul_((jacobian - inner).mul_(p), curvature)
    cotangent -= (p * cotangent).sum(1, keepdim=True)
    second = linear.pull_gradient(cotangent.mul_(p))
    return Derivatives(value, gradient, ((second + second.transpose(0, 1)) / 2).permute(2, 0, 1))
