"""Soft ranks: scores projected onto the permutahedron, by isotonic regression in O(n log n).

The permutahedron is the convex hull of all orderings of (1, ..., n). With z = scores / ε the
projection onto it (Blondel et al. 2020, "Fast Differentiable Sorting and Ranking", Propositions 2
and 3) takes the scores apart into pools of neighbours in their order. In a pool B of b items, which
take the ranks W_B together, item i has

    "l2"        z_i - mean_B(z) + mean_B(ranks)      the nearest point
    "entropic"  W_B exp(z_i) / sum_B(exp(z))         the nearest in the Kullback-Leibler divergence

and an item alone in its pool has its hard rank, whatever its score.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Num
from numpy.typing import NDArray
from torch import Tensor

from newton_core.tensors import to_float64

Regularization = Literal["l2", "entropic"]


@dataclass(frozen=True)
class Pools:
    """Which items are pooled, in the scores' device; on the CPU found by compiled code.

    Attributes:
        order: (N, n) the items from the largest score to the smallest.
        index: (N, n) for each item the place in ``order`` at which its pool begins.
        sizes: (N, n) the number of items in each item's pool.
    """

    order: Int[Tensor, "N n"]
    index: Int[Tensor, "N n"]
    sizes: Int[Tensor, "N n"]

    def sum(self, values: Float[Tensor, "N n"]) -> Float[Tensor, "N n"]:
        """For each item the sum over its pool, differentiable."""
        return torch.zeros_like(values).scatter_add(1, self.index, values).gather(1, self.index)

    def mean_rank(self, like: Tensor) -> Float[Tensor, "N n"]:
        """For each item the mean of the ranks that its pool takes, in the dtype of ``like``."""
        n = self.order.shape[1]
        return (n - self.index).to(like.dtype) - (self.sizes - 1).to(like.dtype) / 2


def find_pools(z: Float[Tensor, "N n"], regularization: Regularization) -> Pools:
    """The pools of scores z = scores / ε, found in float64 on the CPU; no gradient.

    Where two pools have the same level, the rank map has a kink; they are taken for one, so that
    their items keep a gradient.
    """
    from newton_core.algorithms.pooling_kernels import pool_rows

    values = _for_kernels(z)
    order = _descending(values)
    index, sizes = np.empty_like(order), np.empty_like(order)
    pool_rows(values, order, regularization == "entropic", index, sizes)
    found = (torch.from_numpy(part).to(z.device) for part in (order, index, sizes))
    return Pools(*found)


def soft_ranks(
    scores: Float[Tensor, "N n"],
    strength: float = 1.0,
    regularization: Regularization = "l2",
    pools: Pools | None = None,
) -> Float[Tensor, "N n"]:
    """The soft ranks, 1 for the smallest score and n for the largest; each row sums to their sum.

    Differentiable twice by torch. They are hard where scores are more than ``strength`` apart
    (l2), and tend to (n + 1) / 2 for all as it grows.

    Args:
        scores: (N, n).
        strength: ε > 0, in units of the scores.
        regularization: "l2" or "entropic".
        pools: those of scores / strength, where they are known.
    """
    z = scores / strength
    if pools is None:
        pools = find_pools(z, regularization)
    if regularization == "l2":
        return z - pools.sum(z) / pools.sizes + pools.mean_rank(z)
    return pools.mean_rank(z) * pools.sizes * pool_softmax(z, pools)


def pool_softmax(z: Float[Tensor, "N n"], pools: Pools) -> Float[Tensor, "N n"]:
    """exp(z) over its sum in the pool: exactly 1 for an item alone."""
    top = z.detach().gather(1, pools.order).gather(1, pools.index)  # the pool's largest
    shifted = (z - top).exp()
    return shifted / pools.sum(shifted)


def mean_ranks(values: Num[Tensor, "N n"]) -> Float64[Tensor, "N n"]:
    """Hard ranks from 1 for the smallest, equal values sharing the mean of theirs; on the CPU."""
    from newton_core.algorithms.pooling_kernels import average_ranks

    known = _for_kernels(values)
    ranks = np.empty_like(known)
    average_ranks(known, _descending(known), ranks)
    return torch.from_numpy(ranks)


def descending(values: Float[Tensor, "N n"]) -> Float[Tensor, "N n"]:
    """Each row from its largest to its smallest, without a gradient."""
    ordered = np.sort(-values.detach().cpu().numpy(), axis=1)
    return torch.from_numpy(ordered).neg_().to(values.device)


def _for_kernels(values: Tensor) -> NDArray[np.float64]:
    return to_float64(values.detach()).cpu().contiguous().numpy()


def _descending(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order from the largest to the smallest; NumPy sorts a row in a quarter of torch's time.

    Equal values come in any order: they share a pool, or a rank.
    """
    return np.argsort(-values, axis=1)
