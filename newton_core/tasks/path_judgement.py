"""How good the paths are that predicted costs lead to."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from newton_core.algorithms.shortest_path import are_costs, solve_grids
from newton_core.data import Maps

_TOLERANCE = 1e-9
"""Sums of the same costs in another order differ by less than this, relatively."""


@dataclass(frozen=True)
class PathJudgement:
    """What is true of the path on each of N maps.

    Attributes:
        valid: the predicted costs are positive and finite; elsewhere nothing is found.
        paths: (N, h, w) the cheapest path under the predicted costs.
        optimal: under the true costs it is as cheap as a cheapest path.
        perfect: it has the tiles of the labelled path.
        ratio: its true cost over the least; NaN where not valid.
    """

    valid: Bool[Tensor, " N"]
    paths: UInt8[Tensor, "N h w"]
    optimal: Bool[Tensor, " N"]
    perfect: Bool[Tensor, " N"]
    ratio: Float64[Tensor, " N"]


def judge_paths(
    costs: Float[Tensor, "N h w"], maps: Maps, best: Float64[Tensor, " N"]
) -> PathJudgement:
    """Judges predicted costs by the paths that they lead to.

    Args:
        costs: predicted, on the CPU; they need not be costs at all.
        maps: the true costs and the labelled paths.
        best: the cost of a cheapest path on each map.
    """
    positive = are_costs(costs)
    valid = positive.flatten(1).all(dim=1)
    paths, _ = solve_grids(torch.where(positive, costs.double(), 1.0))
    spent = (paths * maps.costs.double()).sum(dim=(1, 2))
    return PathJudgement(
        valid=valid,
        paths=paths,
        optimal=valid & (spent <= best * (1 + _TOLERANCE)),
        perfect=valid & (paths == maps.paths).flatten(1).all(dim=1),
        ratio=torch.where(valid, spent / best, torch.nan),
    )
