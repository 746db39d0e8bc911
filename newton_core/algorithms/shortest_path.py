"""Exact shortest paths on batches of node-weighted grids, compiled, on several threads.

A path runs from the top-left to the bottom-right tile by moves to the 8 neighbours. Its cost is the
sum over its tiles, both ends included. The result is that of Dijkstra's algorithm, also for ties:
distances are float64 sums from the start, and the path is traced back from the end, each time to
the neighbour of least distance, the first in raster order among equals.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from newton_core.algorithms.threads import over_batch

LARGEST_COST = 1e300
"""Above it, the cost of a path could overflow a float64."""

_TILES_PER_THREAD = 50_000
"""A thread with fewer tiles does not pay: its start costs as much as a few thousand tiles."""


@dataclass(frozen=True)
class ShortestPaths:
    """The cheapest path of each grid.

    Attributes:
        path: (N, h, w) 1 for the tiles on the path, 0 elsewhere; dtype and device of the costs.
        cost: (N,) sum of the costs on the path, in float64 on the CPU.
    """

    path: Float[Tensor, "N h w"]
    cost: Float64[Tensor, " N"]


def shortest_path(costs: Float[Tensor, "N h w"]) -> ShortestPaths:
    """The cheapest path from the top-left to the bottom-right tile of each grid.

    Args:
        costs: (N, h, w) positive finite costs, of any floating dtype, on any device; the CPU
            solves them. h and w need not be equal.

    Raises:
        ValueError: a cost is not positive or not finite; the message names sample and tile.
    """
    check_costs(costs)
    paths, totals = solve_grids(costs.detach().cpu().double().contiguous())
    return ShortestPaths(paths.to(costs.device, costs.dtype), totals)


def check_costs(costs: Float[Tensor, "N h w"]) -> None:
    """Refuses costs for which no cheapest path is defined.

    Raises:
        ValueError: a cost is not positive or not finite; the message names sample and tile.
    """
    if costs.shape[1] == 0 or costs.shape[2] == 0:
        raise ValueError(f"costs need at least one tile a grid, got shape {tuple(costs.shape)}")
    bad = ~are_costs(costs)
    if not bad.any():
        return
    sample, row, column = (int(i) for i in bad.nonzero()[0])
    more = int(bad.sum()) - 1
    raise ValueError(
        f"costs must be positive and finite, but sample {sample} has"
        f" {costs[sample, row, column].item():g} at tile (row {row}, column {column})"
        + (f"; {more} more like it" if more else "")
    )


def are_costs(values: Float[Tensor, "N h w"]) -> Bool[Tensor, "N h w"]:
    """Whether each value can be a cost: positive, finite, and small enough to be summed."""
    return (values > 0) & torch.isfinite(values) & (values <= LARGEST_COST)


def solve_grids(
    costs: Float64[Tensor, "N h w"],
) -> tuple[UInt8[Tensor, "N h w"], Float64[Tensor, " N"]]:
    """:func:`shortest_path` without its checks and conversions: uint8 paths and float64 costs.

    Args:
        costs: (N, h, w) contiguous on the CPU, positive, at most ``LARGEST_COST``.
    """
    count, height, width = costs.shape
    paths = np.empty((count, height, width), np.uint8)
    totals = np.empty(count, np.float64)
    source = costs.numpy()
    solve, lanes = _kernel()
    over_batch(
        lambda part: solve(source[part], paths[part], totals[part]),
        count,
        most=source.size // _TILES_PER_THREAD,
        multiple=lanes,
    )
    return torch.from_numpy(paths), torch.from_numpy(totals)


def order_tiles(path: NDArray[np.generic]) -> list[tuple[int, int]]:
    """The (row, column) tiles of one 0/1 path (h, w), from the start to the end.

    If the tiles leave a choice, the order with the fewest moves is taken. A cheapest path leaves no
    choice, because a shortcut between two of its tiles would be cheaper.

    Raises:
        ValueError: the marked tiles do not join the two corners.
    """
    height, width = path.shape
    start, end = (0, 0), (height - 1, width - 1)
    marked = {(int(r), int(c)) for r, c in zip(*np.nonzero(path), strict=True)}
    came_from = {end: end} if end in marked else {}
    front = list(came_from)
    while front and start not in came_from:
        reached = []
        for row, column in front:
            around = [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            for tile in around:
                if tile in marked and tile not in came_from:
                    came_from[tile] = (row, column)
                    reached.append(tile)
        front = reached
    if start not in came_from:
        raise ValueError(f"the marked tiles do not join {start} to {end}")
    tiles = [start]
    while tiles[-1] != end:
        tiles.append(came_from[tiles[-1]])
    return tiles


@functools.cache
def _kernel() -> tuple[Callable[..., None], int]:
    """The compiled solver and its block size; numba is imported by the first call."""
    from newton_core.algorithms import grid_kernels

    return grid_kernels.solve, grid_kernels.LANES
