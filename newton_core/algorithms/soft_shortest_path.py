"""Relaxed shortest paths: Bellman-Ford with soft minima, then a soft backtrace to the start.

AlgoVision (Petersen et al., "Learning with Algorithmic Supervision via Continuous Relaxations",
2021) relaxes the algorithm this way; the one difference is that the start tile absorbs the
backtrace, where AlgoVision's example goes on past it.
"""

import functools
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional

Loop = Literal["for", "while"]
CENTRE = 4
"""Position of a tile among the 9 of its 3 x 3 surroundings, in raster order."""


def soft_shortest_path(
    costs: Float[Tensor, "N h w"],
    inverse_temperature: float,
    *,
    loop: Loop = "for",
    moves: int | None = None,
) -> Float[Tensor, "N h w"]:
    """How much each tile belongs to the cheapest path, in [0, 1]; twice differentiable.

    Each of ``moves`` sweeps sets a tile's distance to its own cost plus the soft minimum
    sum_i p_i d_i over its 8 neighbours, p = softmax(-inverse_temperature d), with the start tile
    held at 0. The backtrace begins with weight 1 on the end tile and moves each tile's weight to
    its neighbours by the p of the last sweep; what reaches the start stays there. Tiles are
    collected by the probabilistic sum, a + b - a b.

    With the ``for`` loop all moves are made. With the ``while`` loop each one is weighted by the
    probability that the backtrace still goes on: the product, over the moves so far, of
    sigmoid(inverse_temperature (1 - v)), where v is how much of the start has been collected.

    Large inverse temperatures tend to the hard path of
    :func:`newton_core.algorithms.shortest_path.shortest_path`, where that is unique.

    Args:
        costs: (N, h, w) costs; only positive costs have a meaningful path.
        inverse_temperature: sharpness, in 1/cost: of the soft minima, and of the while loop's exit.
        loop: how the backtrace ends.
        moves: the longest path that can be found; None for :func:`default_moves`.

    Raises:
        ValueError: ``moves`` cannot reach from corner to corner.
    """
    N, h, w = costs.shape
    moves = resolve_moves(h, w, moves)
    closed = _closed(h, w).to(costs)
    onward = torch.ones(1, h * w, dtype=costs.dtype, device=costs.device)
    onward[0, 0] = 0.0  # the start: its distance stays 0, and nothing leaves it
    own = costs.flatten(1) * onward

    distances = 0.0 * own  # of one tile too, the path then has a (vanishing) derivative
    for sweep in range(moves):
        around = functional.unfold(distances.view(N, 1, h, w), 3, padding=1)
        barred = closed[min(sweep, len(closed) - 1)]
        weights = torch.add(barred, around, alpha=-inverse_temperature).softmax(dim=1)
        if sweep < moves - 1:
            distances = torch.addcmul(own, (weights * around).sum(dim=1), onward)
    weights = weights * onward

    position = torch.zeros_like(own)
    position[:, -1] = 1.0
    missed = torch.ones_like(own)  # 1 - what is collected so far
    path = torch.zeros_like(own)
    going = torch.ones_like(own[:, :1])
    for move in range(moves + 1):
        if loop == "while":
            going = going * torch.sigmoid(inverse_temperature * missed[:, :1])
            path = torch.addcmul(path, going, position * missed)
        missed = missed - missed * position
        if move < moves:
            moved = functional.fold(weights * position[:, None], (h, w), 3, padding=1).flatten(1)
            position = torch.addcmul(moved, position, 1 - onward)
    return (path if loop == "while" else 1 - missed).view(N, h, w)


def default_moves(height: int, width: int) -> int:
    """Moves of the longest path that can be found by default: 25 for 12 x 12.

    Twice the straight diagonal, or fewer if no cheapest path can be that long: it never has more
    than two tiles in a 2 x 2 square, because a third would be a detour.
    """
    longest = 2 * -(-height // 2) * -(-width // 2) - 1
    return min(2 * max(height, width) + 1, longest)


def resolve_moves(height: int, width: int, moves: int | None) -> int:
    """``moves``, or the default for None.

    Raises:
        ValueError: ``moves`` cannot reach from corner to corner.
    """
    if moves is None:
        return default_moves(height, width)
    needed = max(1, max(height, width) - 1)
    if moves < needed:
        raise ValueError(f"a {height} x {width} grid needs at least {needed} moves, got {moves}")
    return moves


@functools.lru_cache(maxsize=32)
def _closed(height: int, width: int) -> Float64[Tensor, "sweeps 9 m"]:
    """A mask over the 9 tiles of each 3 x 3 square: 0 for allowed predecessors, else -infinity.

    There is one entry for each sweep; the last one is also for all later sweeps. A predecessor must
    be in the grid and have a distance: k sweeps reach tiles up to k moves from the start. For a
    tile without such a neighbour all are allowed, because its unused numbers must stay finite.
    """
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    far = torch.maximum(rows, columns).double().view(1, 1, height, width) + 1
    around = functional.unfold(far, 3, padding=1)[0] - 1  # -1 outside the grid
    around[CENTRE] = -1
    sweeps = torch.arange(max(height, width)).view(-1, 1, 1)
    reachable = (around >= 0) & (around <= sweeps)
    reachable |= ~reachable.any(dim=1, keepdim=True)
    return torch.where(reachable, 0.0, -torch.inf).double()
