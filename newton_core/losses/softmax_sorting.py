"""Sorting losses whose relaxed permutation is a softmax per rank: derivatives in closed form.

The logits of each row are piecewise linear in the scores, z_r = A_r s, so that the Hessian is
sum_r A_r^T H_r A_r with the Hessians H_r of the rows' losses in their logits, and nothing else.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from newton_core.losses.base import Derivatives, LossParameters
from newton_core.losses.row_cross_entropy import RowHessians, log_rows, row_derivatives
from newton_core.losses.saturating_cross_entropy import (
    bce_loss,
    saturating_curvature,
    saturating_gradient,
    saturating_loss,
)
from newton_core.losses.sorting import (
    NUMERICS,
    ItemScores,
    Numerics,
    Permutations,
    RankRows,
    Scores,
    SortingLoss,
    sample_last,
    with_unseen,
)
from newton_core.settings import setting

SATURATED = 1 - 2**-5
"""With a larger p at a wrong item, float32's rounding of 1 - p shows in the Hessian."""


STEEP = 200.0
"""Items over temperature up to which the compiled Hessian is torch's to 1e-4 in float32: beyond,
torch's rounding of such logits is part of what bce_loss means."""


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

    def compiled_saturating_hessian(
        self, p: RankRows, first: RankRows, target: RankRows
    ) -> Float[Tensor, "N n n"] | None:
        """The Hessians of :func:`saturating_derivatives` in one compiled loop; None: not here.

        ``first`` are the loss's derivatives in P.
        """
        return None


class SoftmaxSortingParameters(LossParameters):
    """Parameters of the losses whose relaxed permutation is a softmax per rank."""

    temperature: float = setting(
        1.0,
        "Softness of the relaxed permutation, in units of the scores: it hardens as this falls.",
        title="Temperature τ", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    numerics: Numerics = NUMERICS


class SoftmaxSortingLoss(SortingLoss[SoftmaxSortingParameters]):
    """A sorting loss with P = softmax of logits that are piecewise linear in the scores."""

    measures_distances: ClassVar[bool | None] = None
    """Whether a logit is a distance to a sorted score (SoftSort) or a sum of them (NeuralSort): of
    these the mean Hessian is compiled. None: neither."""

    @property
    def numerics(self) -> Numerics:
        """As the settings have it."""
        return self.settings.numerics

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

    def mean_derivatives(self, y: Scores, target: Permutations | None = None) -> Derivatives | None:
        """Value and gradient of each sample, and the batch mean of the Hessians for each.

        On the CPU in one compiled loop, without the Hessians. Of a batch that saturates under
        ``bce_loss`` each sample's Hessian is computed, rounded as torch rounds it.
        """
        if y.device.type != "cpu" or self.measures_distances is None:
            return None
        if y.ndim != 2 or len(y) == 0:  # which derivatives() refuses, or answers
            return None
        if self.numerics == "bce_loss" and y.shape[-1] / self.settings.temperature > STEEP:
            return None
        scores, truth = sample_last(y.detach(), target)
        found, mean = self._averaged(scores, truth)  # both detached: there is no graph to record
        plain = found if found.value.dtype == y.dtype else found.to(y.dtype)
        return Derivatives(plain.value, plain.gradient, mean.expand(len(y), *mean.shape))

    def mean_hessian(
        self, y: Scores, target: Permutations | None = None
    ) -> Float[Tensor, "n n"] | None:
        """The batch mean of the Hessians in float64."""
        found = self.mean_derivatives(y, target)
        return None if found is None or found.hessian is None else found.hessian[0]

    def _averaged(self, scores: ItemScores, target: RankRows) -> tuple[Derivatives, Tensor]:
        """Value and gradient, and the mean of all Hessians, (n, n) in float64."""
        dtype, neuralsort = str(scores.dtype).removeprefix("torch."), not self.measures_distances
        saturating, log_domain = _kernels()
        temperature, samples = self.settings.temperature, scores.shape[1]
        if self.numerics == "log_domain":
            moved = centred(scores)
            linear = self.linear_logits(moved)
            rows = row_derivatives(linear.logits, target, hessian=True)
            assert rows.hessians is not None
            factors = [f.contiguous().numpy() for pair in rows.hessians.pairs for f in pair]
            total = log_domain[dtype](*factors, moved.numpy(), neuralsort)
            gradient = linear.pull_gradient(rows.gradient).mT
            plain = with_unseen(Derivatives(rows.value, gradient), scores)
            return plain, torch.from_numpy(total).div_(temperature**2).div_(samples)
        p = torch.softmax(self.logits(scores), dim=1)
        first = saturating_gradient(p, target)
        row: Tensor = torch.ops.aten._softmax_backward_data(first, p, 1, p.dtype)
        gradient = torch.empty(scores.shape[::-1], dtype=scores.dtype)
        mean, clear = saturating[dtype](
            *(array.contiguous().numpy() for array in (p, first, row, target)),
            scores.numpy(), SATURATED, neuralsort, temperature, temperature**2, gradient.numpy(),
        )  # fmt: skip
        if clear:  # then there is no NaN either
            value = bce_loss(p, target)
            return Derivatives(value, gradient), torch.from_numpy(mean)
        whole = saturating_derivatives(self.linear_logits(scores), target, hessian=True)
        assert whole.hessian is not None
        summed = whole.hessian.sum(0, dtype=torch.float64)
        return with_unseen(whole, scores), summed.div_(samples)


@functools.cache
def _kernels() -> tuple[
    dict[str, Callable[..., tuple[NDArray[np.float64], bool]]],
    dict[str, Callable[..., NDArray[np.float64]]],
]:
    """The compiled sums; numba is imported when they are first needed."""
    from newton_core.losses.softmax_sorting_kernels import LOG_DOMAIN, SATURATING

    return SATURATING, LOG_DOMAIN


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
    compiled = linear.compiled_saturating_hessian(p, first, target)
    if compiled is not None:
        return Derivatives(value, gradient, compiled)

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
