"""Soft ranks on the permutahedron, compared with the true ones."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from newton_core.algorithms.soft_ranks import (
    Pools,
    Regularization,
    find_pools,
    pool_softmax,
    soft_ranks,
)
from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.losses.rank_costs import (
    Gain,
    NdcgCost,
    RankCost,
    SpearmanCost,
    gain_setting,
    relevances,
    true_ranks,
)
from newton_core.losses.sorting import Scores, Values, check_scores
from newton_core.settings import setting
from newton_core.tensors import to_float64

Objective = Annotated[
    Literal["spearman", "ndcg"], Labels(spearman="Spearman: 1 - ρ", ndcg="NDCG: 1 - NDCG")
]


class SoftRankParameters(LossParameters):
    """Parameters of :class:`SoftRank`."""

    title = "Soft ranks (permutahedron)"
    name: Literal["soft_rank"] = "soft_rank"
    regularization_strength: float = setting(
        1.0,
        "Softness of the ranks, in units of the scores: items are pooled, and have a gradient,"
        " where their scores are about this close.",
        title="Regularization strength ε", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    regularization: Annotated[
        Regularization, Labels(l2="Squared distance (l2)", entropic="Entropic")
    ] = setting(
        "l2",
        "What the projection onto the permutahedron keeps small: the squared distance, or the"
        " Kullback-Leibler divergence.",
        title="Regularization",
    )
    objective: Objective = setting(
        "spearman",
        "What the soft ranks are judged by: their squared distance to the true ones, or the"
        " normalised discounted cumulative gain that they lose.",
        title="Objective",
    )
    gain: Gain = gain_setting(used_if={"objective": ("ndcg",)})


@register_loss
class SoftRank(Loss[SoftRankParameters]):
    """Spearman's 1 - ρ, or 1 - NDCG, of soft ranks (Blondel et al. 2020, Section 4), ascending.

    The soft ranks r(y) are the projection of y / ε onto the permutahedron, found by isotonic
    regression in O(n log n): see :mod:`newton_core.algorithms.soft_ranks`. Invariant to shifts,
    equivariant to permutations of the items, not convex.

    An item far from all others is not pooled: its rank is hard, and its row and column of
    J = dr/dy are zero. Wherever all scores are further apart than about ε, value and order may be
    wrong and yet nothing is learned.

    With "l2" r is linear in pieces: J is 1/ε times the projection that takes each pool's mean
    away, and d²r/dy² is zero almost everywhere. So the squared loss of "spearman",
    c/2 ||r - t||² with c = 12 / (n (n² - 1)), has the Hessian c JᵀJ almost everywhere: positive
    semidefinite, of two eigenvalues, 0 and c/ε². A gradient lies where it is c/ε², so that a
    sample's own Hessian can only rescale it. r has kinks where two pools are about to meet, for
    two single items where their scores are exactly ε apart; there the pools count as one, so that
    gradient and Hessian are those on the side where items still move. Equal scores are pooled.
    "ndcg" is concave in each rank, so that its Hessian has negative eigenvalues; the Hessian of
    "entropic" has the second derivatives of r too. All are exact, and zero along a shift.

    Shapes: y (N, n) scores, n >= 2; target (N, n) ranks or relevances, or for small n permutation
    matrices (N, n, n); value (N,). "spearman" reads the order of the target's numbers alone, and
    equal ones share a rank; "ndcg" takes them for relevances >= 0, and gives those of a
    permutation matrix from 0 to 4.
    """

    Parameters = SoftRankParameters
    target_kind: ClassVar[TargetKind] = "permutation"

    def why_flat(self) -> str:
        """See :class:`~newton_core.losses.base.Loss`."""
        return (
            "soft ranks have no gradient where all scores are further apart than about the"
            " regularization strength; raise it, or begin with smaller scores"
        )

    def forward(self, y: Scores, target: Tensor | None = None) -> Values:
        """The loss of each sample, differentiable twice by torch.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y or target has another shape, or target holds no ranks or relevances.
        """
        scores = check_scores(y)
        p = self.settings
        ranks = soft_ranks(scores, p.regularization_strength, p.regularization)
        # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where its rank is hard.
        return (self._cost(scores, target).value(ranks) + (0 * scores).sum(1)).to(y.dtype)

    def invariant_directions(self, outputs: int) -> Tensor:
        """A common shift of all scores, which changes no order."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def derivatives(
        self, y: Scores, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value, gradient and Hessian per sample, in closed form within each pool."""
        scores = check_scores(y.detach())
        with torch.no_grad():
            at = self._expand(scores, target)
            unseen = (0 * scores).sum(1)
            return Derivatives(
                (at.value + unseen).to(y.dtype),
                (at.gradient + unseen.unsqueeze(1)).to(y.dtype),
                at.hessian().to(y.dtype) if hessian else None,
            )

    def mean_hessian(self, y: Scores, target: Tensor | None = None) -> Float64[Tensor, "n n"]:
        """The batch mean, from the pools' matrices alone."""
        scores = check_scores(y.detach())
        with torch.no_grad():
            return self._expand(scores, target).mean_hessian()

    def per_sample_direction(
        self, y: Scores, target: Tensor | None, tikhonov: float
    ) -> Float[Tensor, "N n"] | None:
        """gradient / (c/ε² + tikhonov), for "l2" with "spearman": see the class."""
        p = self.settings
        if p.regularization != "l2" or p.objective != "spearman":
            return None
        scores = to_float64(y.detach())
        n = scores.shape[-1]
        curvature = 12 / (n * (n**2 - 1) * p.regularization_strength**2)
        known = None if target is None else target.to(scores.device)
        return self.derivatives(scores, known, hessian=False).gradient / (curvature + tikhonov)

    def _cost(self, scores: Scores, target: Tensor | None) -> RankCost:
        if self.settings.objective == "spearman":
            return SpearmanCost(true_ranks(scores, target))
        return NdcgCost.of(relevances(scores, target), self.settings.gain)

    def _expand(self, scores: Scores, target: Tensor | None) -> "_Expansion":
        p = self.settings
        cost = self._cost(scores, target)
        z = scores / p.regularization_strength
        pools = find_pools(z, p.regularization)
        expand = _l2 if p.regularization == "l2" else _entropic
        return expand(z, pools, cost, p.regularization_strength)


@dataclass(frozen=True)
class _Expansion:
    """Value, gradient and the numbers that Hessians are made of, one of each for every item.

    The Hessian is own_i [i = j] - factor_i factor_j (half_i + half_j - common) within a pool, and
    0 between pools.
    """

    pools: Pools
    value: Values
    gradient: Scores
    own: Scores
    factor: Scores
    half: Scores
    common: Scores

    def hessian(self) -> Float[Tensor, "N n n"]:
        """(N, n, n)."""
        index, half, factor = self.pools.index, self.half, self.factor
        inner = half.unsqueeze(2) + half.unsqueeze(1) - self.common.unsqueeze(2)
        inner *= factor.unsqueeze(2) * factor.unsqueeze(1)
        result = inner.neg_().masked_fill_(index.unsqueeze(2) != index.unsqueeze(1), 0.0)
        result.diagonal(dim1=1, dim2=2).add_(self.own)
        return result

    def mean_hessian(self) -> Float64[Tensor, "n n"]:
        """The batch mean, on the scores' device (on the CPU where that has no float64)."""
        from newton_core.algorithms.pooling_kernels import add_pool_matrices

        samples, n = self.own.shape
        pools, device = self.pools, self.own.device
        total = torch.zeros(n, n, dtype=torch.float64)
        numbers = (self.own, self.factor, self.half, self.common)
        add_pool_matrices(
            pools.order.cpu().numpy(),
            pools.sizes.cpu().numpy(),
            *(to_float64(part).cpu().contiguous().numpy() for part in numbers),
            total.numpy(),
        )
        mean = (total + total.triu(1).mT) / samples
        return mean if device.type == "mps" else mean.to(device)


def _l2(z: Scores, pools: Pools, cost: RankCost, strength: float) -> _Expansion:
    """J = (I - 1 1ᵀ / b) / ε in a pool of b items, so H = J diag(second) J."""
    ranks = soft_ranks(z, 1.0, "l2", pools)
    first, second = cost.slopes(ranks)
    sizes = pools.sizes.to(z.dtype)
    second = second / strength**2
    return _Expansion(
        pools,
        cost.value(ranks),
        (first - pools.sum(first) / sizes) / strength,
        own=second,
        factor=sizes.rsqrt(),
        half=second,
        common=pools.sum(second) / sizes,
    )


def _entropic(z: Scores, pools: Pools, cost: RankCost, strength: float) -> _Expansion:
    """r = W p with p the softmax in a pool and W the sum of its ranks.

    With u = W first, ū = pᵀu, g = p (u - ū) and a = W² second p, entry by entry, the derivatives in
    z = y / ε are g and diag(g + p a) - p_i p_j (u_i - ū + u_j - ū + a_i + a_j - pᵀa).
    """
    p = pool_softmax(z, pools)
    total = pools.mean_rank(z) * pools.sizes
    ranks = total * p
    first, second = cost.slopes(ranks)
    apart = total * first
    apart = apart - pools.sum(p * apart)
    bend = total.square() * second * p
    gradient = p * apart
    scale = strength**-2
    return _Expansion(
        pools,
        cost.value(ranks),
        gradient / strength,
        own=(gradient + p * bend) * scale,
        factor=p,
        half=(apart + bend) * scale,
        common=pools.sum(p * bend) * scale,
    )
