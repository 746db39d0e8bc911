"""SoftSort: a softmax over the distances to each order statistic."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from newton_core.losses.base import register_loss
from newton_core.losses.row_cross_entropy import RowHessians, laplacian_
from newton_core.losses.softmax_sorting import (
    LinearLogits,
    SoftmaxSortingLoss,
    SoftmaxSortingParameters,
)
from newton_core.losses.sorting import ItemScores, RankRows


class SoftSortParameters(SoftmaxSortingParameters):
    """Parameters of :class:`SoftSort`."""

    title = "SoftSort"
    name: Literal["softsort"] = "softsort"


@register_loss
class SoftSort(SoftmaxSortingLoss):
    """Cross-entropy of the SoftSort relaxation (Prillo & Eisenschlos 2020), ascending.

    Row r of the relaxed permutation is softmax(-abs(sort(s)_r - s) / τ). Invariant to shifts of
    the scores, equivariant to permutations of the items, not convex. The Hessian is exact; it is
    zero in the direction of a shift and may be indefinite.

    Where scores are equal, the derivative of abs is taken as 0, the middle of its -1 and 1. So at n
    exactly equal scores, as of a network that gives all items the same, every logit has the
    derivative 0, and gradient and Hessian are exactly zero: training does not move. The least
    difference between the scores, such as any random initial weights give, ends that.
    """

    Parameters = SoftSortParameters

    measures_distances = True

    def why_flat(self) -> str:
        """See :class:`~newton_core.losses.base.Loss`."""
        return "SoftSort has none where scores are equal; begin with scores that differ"

    def logits(self, scores: ItemScores) -> RankRows:
        """-abs(sort(s)_r - s_j) / τ."""
        return self._logits(_distance(scores)[0])

    def linear_logits(self, scores: ItemScores) -> LinearLogits:
        """The logits with A_r[j, m] = -sign(sort(s)_r - s_j) (δ(m = r-th smallest) - δ_jm) / τ."""
        distance, order = _distance(scores)
        return SoftSortLogits(
            self._logits(distance), distance.sign(), order, self.settings.temperature
        )

    def _logits(self, distance: RankRows) -> RankRows:
        temperature = self.settings.temperature
        return distance.abs().div_(-temperature)


def _distance(scores: ItemScores) -> tuple[RankRows, Int[Tensor, "n N"]]:
    """sort(s)_r - s_j at [r, j, sample], and which item is the r-th smallest."""
    ascending, order = torch.sort(scores, dim=0, stable=True)
    return ascending.unsqueeze(1) - scores, order


@dataclass(frozen=True)
class SoftSortLogits(LinearLogits):
    """SoftSort's logits, with the signs that make them linear.

    Attributes:
        sign: sign(sort(s)_r - s_j) at [r, j, sample].
        order: the item that is the r-th smallest, at [r, sample].
        temperature: τ.
    """

    sign: RankRows
    order: Int[Tensor, "n N"]
    temperature: float

    def pull_gradient(self, gradient: Float[Tensor, "n n *m N"]) -> Float[Tensor, "n *m N"]:
        """sum_r A_r^T g_r: each entry goes to its item, minus each row's sum to the row's item."""
        many = gradient.ndim == 4
        signed = (self.sign.unsqueeze(2) if many else self.sign) * gradient
        own, ranked = signed.sum(0), signed.sum(1)
        order = self.order.unsqueeze(1).expand_as(ranked) if many else self.order
        return own.scatter_add_(0, order, ranked.neg_()).div_(self.temperature)

    def pull_hessian(self, rows: RowHessians) -> RankRows:
        """(S - E R - (E R)^T) / τ^2 off the diagonal; its rows sum to zero.

        S = sum_r D_r H_r D_r with the signs D_r = diag(sign_r); row r of R is D_r H_r D_r 1, and E
        moves it to the r-th smallest item. R needs no diagonal of H_r: with zero row sums,
        R_rk = sign_rk sum_l (sign_rl - sign_rk) H_r,kl.
        """
        sign = self.sign
        order = self.order.unsqueeze(1).expand_as(sign)
        sums = torch.zeros_like(sign)
        for left, right in rows.pairs:
            signed_left, signed_right = sign * left, sign * right
            sums += (signed_left.unsqueeze(2) * signed_right.unsqueeze(1)).sum(0)
            # sum_l (sign_l - sign_k) factor_l at k, for either factor
            spread_left = signed_left.sum(1, keepdim=True) - sign * left.sum(1, keepdim=True)
            spread_right = signed_right.sum(1, keepdim=True) - sign * right.sum(1, keepdim=True)
            moved = (signed_left * spread_right).addcmul_(signed_right, spread_left)
            sums.scatter_add_(0, order, moved.neg_())
        return laplacian_(sums + sums.transpose(0, 1)).div_(self.temperature**2)

    def jacobian(self) -> Float[Tensor, "n n n N"]:
        """A_r[k, m] at [r, k, m]."""
        n = self.order.shape[0]
        own = torch.eye(n, dtype=self.sign.dtype, device=self.sign.device).unsqueeze(2)
        ranked = functional.one_hot(self.order, n).mT.to(self.sign.dtype).unsqueeze(1)
        return (own - ranked).mul(self.sign.unsqueeze(2)).div_(self.temperature)
