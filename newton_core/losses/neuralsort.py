"""NeuralSort: a softmax in place of each argmax of the sorting operator."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import register_loss
from newton_core.losses.row_cross_entropy import RowHessians, laplacian_
from newton_core.losses.softmax_sorting import (
    LinearLogits,
    SoftmaxSortingLoss,
    SoftmaxSortingParameters,
)
from newton_core.losses.sorting import ItemScores, RankRows
from newton_core.tensors import to_keep

MOST_ITEMS, FEWEST_SAMPLES = 63, 8
"""Up to how many items, and from how many samples on, the compiled sums are in torch's order."""


class NeuralSortParameters(SoftmaxSortingParameters):
    """Parameters of :class:`NeuralSort`."""

    title = "NeuralSort"
    name: Literal["neuralsort"] = "neuralsort"


@register_loss
class NeuralSort(SoftmaxSortingLoss):
    """Cross-entropy of the NeuralSort relaxation (Grover et al. 2019), ascending.

    Row r = 1..n of the relaxed permutation is softmax((c_r s - A 1) / τ) with c_r = 2r - n - 1
    and A_jk = abs(s_j - s_k): the largest entry of the row is at the r-th smallest item. Invariant
    to shifts of the scores, equivariant to permutations of the items, not convex. The Hessian is
    exact; it is zero in the direction of a shift and may be indefinite. Where scores are equal,
    the derivative of abs is taken as 0.
    """

    Parameters = NeuralSortParameters

    measures_distances = False

    def logits(self, scores: ItemScores) -> RankRows:
        """(c_r s - A 1) / τ."""
        return self._logits(scores, scores.unsqueeze(1) - scores)

    def linear_logits(self, scores: ItemScores) -> LinearLogits:
        """The logits with A_r = (c_r I + sign(s_k - s_m) - diag(row sums of the signs)) / τ."""
        difference = scores.unsqueeze(1) - scores
        return NeuralSortLogits(
            self._logits(scores, difference), difference.sign(), self.settings.temperature
        )

    def _logits(self, scores: ItemScores, difference: RankRows) -> RankRows:
        temperature = self.settings.temperature
        spread = difference.abs().sum(1)
        weights = rank_weights(len(scores), scores.dtype, scores.device)
        return (weights[1].view(-1, 1, 1) * scores - spread) / temperature


@functools.lru_cache(maxsize=64)
def rank_weights(n: int, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "3 n"]:
    """c_r^i for i = 0, 1, 2 and c_r = 2r - n - 1, r = 1..n: made once, to be read alone."""
    with to_keep():
        c = torch.arange(1 - n, n, 2, dtype=dtype, device=device)
        return torch.stack([c.pow(i) for i in range(3)])


@functools.lru_cache(maxsize=64)
def _weighted_identities(
    n: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "n n n 1"]:
    """c_r I at [r]: made once, to be read alone."""
    c = rank_weights(n, dtype, device)[1]
    with to_keep():
        return (c.view(-1, 1, 1) * torch.eye(n, dtype=dtype, device=device)).unsqueeze(3)


@functools.cache
def _saturating_hessians() -> Callable[..., None]:
    """The compiled loop; numba is imported when it is first needed."""
    from newton_core.losses import neuralsort_kernels

    kernel: Callable[..., None] = neuralsort_kernels.saturating_hessians
    return kernel


@dataclass(frozen=True)
class NeuralSortLogits(LinearLogits):
    """NeuralSort's logits; A_r = (c_r I + M) / τ with M = sign - diag(sign 1), the same for all r.

    Attributes:
        sign: sign(s_k - s_m) at [k, m, sample].
        temperature: τ.
    """

    sign: RankRows
    temperature: float

    def pull_gradient(self, gradient: Float[Tensor, "n n *m N"]) -> Float[Tensor, "n *m N"]:
        """(sum_r c_r g_r + M^T sum_r g_r) / τ."""
        total, weighted = self._rank_sums(gradient, 2).unbind()
        sign = self.sign if gradient.ndim == 3 else self.sign.unsqueeze(2)
        # M^T = -sign - diag(sign 1), as the signs are antisymmetric.
        weighted = weighted.addcmul(sign.sum(1), total, value=-1)
        weighted -= (sign * total).sum(1)
        return weighted / self.temperature

    def pull_hessian(self, rows: RowHessians) -> RankRows:
        """(K2 + K1 M + (K1 M)^T + M^T K0 M) / τ^2 with K_i = sum_r c_r^i H_r."""
        (left, right), (other_left, other_right) = rows.pairs
        halves = left.unsqueeze(2) * right.unsqueeze(1)
        halves.addcmul_(other_left.unsqueeze(2), other_right.unsqueeze(1))
        sums = self._rank_sums(halves, 3)
        k0, k1, k2 = laplacian_(sums + sums.transpose(1, 2)).unbind()
        m = self._m()
        k1 = k1.add((m.unsqueeze(2) * k0.unsqueeze(1)).sum(0), alpha=0.5)
        mixed = (k1.unsqueeze(2) * m).sum(1)
        return (k2 + mixed + mixed.transpose(0, 1)) / self.temperature**2

    def jacobian(self) -> Float[Tensor, "n n n N"]:
        """A_r[k, m] at [r, k, m]."""
        weighted = _weighted_identities(len(self.sign), self.sign.dtype, self.sign.device)
        return (weighted + self._m()).div_(self.temperature)

    def compiled_saturating_hessian(
        self, p: RankRows, first: RankRows, target: RankRows
    ) -> Float[Tensor, "N n n"] | None:
        """See :class:`LinearLogits`; in float32, whose rounding decides, and on the CPU."""
        n, _, samples = p.shape
        if p.dtype != torch.float32 or p.device.type != "cpu":
            return None
        if n > MOST_ITEMS or samples < FEWEST_SAMPLES:
            return None
        hessian = p.new_empty((samples, n, n))
        given = [tensor.contiguous().numpy() for tensor in (p, first, target, self.sign)]
        _saturating_hessians()(*given, self.temperature, hessian.numpy())
        return hessian

    def _m(self) -> RankRows:
        m = self.sign.clone()
        m.diagonal(dim1=0, dim2=1).copy_(-self.sign.sum(1).mT)
        return m

    @staticmethod
    def _rank_sums(rows: Tensor, powers: int) -> Tensor:
        """sum_r c_r^i rows_r for i < powers, stacked: (n, ...) -> (powers, ...)."""
        weights = rank_weights(len(rows), rows.dtype, rows.device)[:powers]
        return (weights @ rows.flatten(1)).view(powers, *rows.shape[1:])
