"""How good the paths are that predicted costs lead to."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from newton_core.algorithms.shortest_path import are_costs, solve_grids
from newton_core.data import Maps

_TOLERANCE = 1e-6
"""Equal sums of single-precision costs differ by less than this, different ones by more."""


@dataclass(frozen=True)
class PathJudgement:
    """What is true of the path on each of N maps.

    Attributes:
        valid: the predicted costs are positive and finite; elsewhere nothing is found.
        paths: (N, h, w) the cheapest path under the predicted costs.
        optimal: under the true costs it is as cheap as the labelled path.
        perfect: it has the tiles of the labelled path.
        ratio: its true cost over that of the labelled path; NaN where not valid.
    """

    valid: Bool[Tensor, " N"]
    paths: UInt8[Tensor, "N h w"]
    optimal: Bool[Tensor, " N"]
    perfect: Bool[Tensor, " N"]
    ratio: Float64[Tensor, " N"]


def judge_paths(costs: Float[Tensor, "N h w"], maps: Maps) -> PathJudgement:
    """Judges predicted costs by the paths that they lead to.

    The labelled path is taken for a cheapest one: where true costs are published in half
    precision, their sums can no longer say so.

    Args:
        costs: predicted, on the CPU; they need not be costs at all.
        maps: the true costs and the labelled paths.
    """
    positive = are_costs(costs)
    valid = positive.flatten(1).all(dim=1)
    paths, _ = solve_grids(torch.where(positive, costs.double(), 1.0))
    true = maps.costs.double()
    spent, best = ((chosen * true).sum(dim=(1, 2)) for chosen in (paths, maps.paths))
    return PathJudgement(
        valid=valid,
        paths=paths,
        optimal=valid & (spent <= best * (1 + _TOLERANCE)),
        perfect=valid & (paths == maps.paths).flatten(1).all(dim=1),
        ratio=torch.where(valid, spent / best, torch.nan),
    )
