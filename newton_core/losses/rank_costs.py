"""What relaxed ranks cost: their distance to the true ones, or the NDCG that they lose.

Ranks r ascend, from 1 for the smallest score to n. Every cost is a sum over the items of functions
of their own rank, so that its second derivatives are one number an item.

Targets are permutation matrices (N, n, n), or (N, n) numbers: ranks, from 0 or from 1, or
relevances.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float, Num
from torch import Tensor

from newton_core.algorithms.permutations import check_permutations
from newton_core.algorithms.soft_ranks import descending, mean_ranks
from newton_core.conditions import holds, number
from newton_core.labels import Labels
from newton_core.losses.sorting import Scores, Values
from newton_core.settings import setting

Gain = Annotated[
    Literal["exponential", "linear"],
    Labels(exponential="Exponential: 2^relevance - 1", linear="Linear: the relevance"),
]


def gain_setting(used_if: Mapping[str, Sequence[str]] | None = None) -> Any:
    """The field ``gain``, the same for every loss with an NDCG."""
    return setting(
        "exponential",
        "What an item of some relevance is worth at the top: 2^relevance - 1, which counts the best"
        " items above all, or the relevance itself.",
        title="Gain", used_if=used_if,
    )  # fmt: skip


TOP_GRADE = 4.0
"""Relevance of the largest item where the target is a permutation; the smallest has 0."""


class RankCost(ABC):
    """The cost of one batch of ranks (N, n)."""

    @abstractmethod
    def value(self, ranks: Scores) -> Values:
        """The cost of each sample, differentiable."""

    @abstractmethod
    def slopes(self, ranks: Scores) -> tuple[Scores, Scores]:
        """Its first and second derivatives in each item's rank."""


@dataclass(frozen=True)
class SpearmanCost(RankCost):
    """6 / (n (n^2 - 1)) sum_i (r_i - t_i)^2: 1 - Spearman's ρ, where ranks are hard and distinct.

    Attributes:
        true: t, the true ranks.
    """

    true: Scores

    @property
    def scale(self) -> float:
        """6 / (n (n^2 - 1))."""
        n = self.true.shape[1]
        return 6 / (n * (n**2 - 1))

    def value(self, ranks: Scores) -> Values:
        """See :class:`RankCost`."""
        return (ranks - self.true).square().sum(1) * self.scale

    def slopes(self, ranks: Scores) -> tuple[Scores, Scores]:
        """See :class:`RankCost`."""
        return (ranks - self.true) * (2 * self.scale), torch.full_like(ranks, 2 * self.scale)


@dataclass(frozen=True)
class NdcgCost(RankCost):
    """1 - NDCG (Järvelin & Kekäläinen 2002): gains, each over log2(1 + position), over the best.

    The largest score has position 1, so position = n + 1 - rank. A sample whose items all have the
    gain 0 has the NDCG 0, as in scikit-learn.

    Attributes:
        weights: (N, n) gain of each item over the largest sum that any order reaches, times ln 2.
    """

    weights: Scores

    @classmethod
    def of(cls, relevances: Scores, gain: Gain) -> "NdcgCost":
        """The cost of items with these relevances, >= 0."""
        gains = relevances
        if gain == "exponential":  # over the largest 2^relevance, which cancels and may overflow
            top = relevances.amax(1, keepdim=True)
            gains = torch.exp2(relevances - top) - torch.exp2(-top)
        places = torch.arange(2, gains.shape[1] + 2, dtype=gains.dtype, device=gains.device)
        best = (descending(gains) / places.log2()).sum(1, keepdim=True)
        return cls(gains * (math.log(2) / torch.where(best > 0, best, 1.0)))

    def value(self, ranks: Scores) -> Values:
        """See :class:`RankCost`."""
        return 1 - (self.weights / self._places(ranks).log()).sum(1)

    def slopes(self, ranks: Scores) -> tuple[Scores, Scores]:
        """See :class:`RankCost`."""
        places = self._places(ranks)
        logs = places.log()
        first = self.weights / (places * logs.square())
        return -first, -first * (1 + 2 / logs) / places

    def _places(self, ranks: Scores) -> Scores:
        """1 + position."""
        return ranks.shape[1] + 2 - ranks


def true_ranks(scores: Scores, target: Tensor | None) -> Scores:
    """(N, n) the ranks, 1 for the smallest, that a target gives; equal numbers share a mean rank.

    Raises:
        ValueError: the target is none of those above, or holds NaN or infinity, or a matrix is no
            permutation.
    """
    known = _check_target(scores, target)
    if known.ndim == 3:
        return _ranks_of(known.to(scores))
    return mean_ranks(known).to(scores)


def relevances(scores: Scores, target: Tensor | None) -> Scores:
    """(N, n) the relevances of a target; those of a permutation rise evenly from 0 to 4.

    Raises:
        ValueError: the target is none of those above, holds NaN or infinity, is negative, or a
            matrix is no permutation.
    """
    known = _check_target(scores, target).to(scores)
    if known.ndim == 3:
        return (_ranks_of(known) - 1) * (TOP_GRADE / (known.shape[1] - 1))
    if known.numel() and not holds(number(known.min()) >= 0):
        raise ValueError(f"relevances must not be negative, got {known.min().item():g}")
    return known


def _ranks_of(permutations: Float[Tensor, "N n n"]) -> Scores:
    ranks = torch.arange(1, permutations.shape[1] + 1, device=permutations.device).to(permutations)
    return torch.einsum("r,Nrj->Nj", ranks, permutations)


def _check_target(scores: Scores, target: Tensor | None) -> Num[Tensor, "N *n n"]:
    N, n = scores.shape
    if target is None or target.shape not in {(N, n), (N, n, n)}:
        got = "None" if target is None else str(tuple(target.shape))
        raise ValueError(
            f"target must be (N, n) = {(N, n)} ranks or relevances, or (N, n, n) = {(N, n, n)}"
            f" permutation matrices, got {got}"
        )
    if target.device != scores.device:
        raise ValueError(
            f"target is on {target.device} and scores on {scores.device}: move one of them"
        )
    if target.ndim == 3:
        check_permutations(target, "target")
    elif not holds(target.isfinite().all()):
        raise ValueError("target holds NaN or infinity: ranks and relevances are finite numbers")
    return target.detach()
