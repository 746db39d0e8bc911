"""Shortest paths on batches of node-weighted grids: exact, compiled, threaded over the batch.

A path runs from the top-left to the bottom-right tile by moves to the 8 neighbours; it costs the
sum over the tiles on it, both ends counted. The result is Dijkstra's, ties included: distances
are float64 sums from the start, and the path is traced back from the end, each time to the
neighbour of least distance, the first in raster order among equals.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor

LARGEST_COST = 1e300
"""Above it, the cost of a path could overflow a float64."""

_TILES_PER_THREAD = 50_000
"""Starting a thread costs as much as solving a few thousand tiles: below this it does not pay."""


@dataclass(frozen=True)
class ShortestPaths:
    """The best path of each grid.

    Attributes:
        path: (N, h, w) 1 for the tiles on the path, 0 elsewhere; dtype and device of the costs.
        cost: (N,) float64 sum of the costs on the path, on the device of the costs.
    """

    path: Tensor
    cost: Tensor


def shortest_path(costs: Float[Tensor, "N h w"]) -> ShortestPaths:
    """The cheapest path from the top-left to the bottom-right tile of each grid.

    Args:
        costs: (N, h, w) positive finite costs, of any floating dtype, on any device (solved on
            the CPU). h and w need not be equal; 64 x 64 is still quick.

    Raises:
        ValueError: a cost is not positive or not finite; the message names sample and tile.
    """
    check_costs(costs)
    paths, totals = solve_grids(costs.detach().to("cpu", torch.float64).contiguous())
    return ShortestPaths(paths.to(costs.device, costs.dtype), totals.to(costs.device))


def check_costs(costs: Float[Tensor, "N h w"]) -> None:
    """Refuses costs for which no cheapest path is defined.

    Raises:
        ValueError: a cost is not positive or not finite; the message names sample and tile.
    """
    if costs.shape[1] == 0 or costs.shape[2] == 0:
        raise ValueError(f"costs need at least one tile a grid, got shape {tuple(costs.shape)}")
    bad = ~((costs > 0) & (costs <= LARGEST_COST))  # a NaN fails both comparisons
    if not bad.any():
        return
    sample, row, column = (int(i) for i in bad.nonzero()[0])
    more = int(bad.sum()) - 1
    raise ValueError(
        f"costs must be positive and finite, but sample {sample} has"
        f" {costs[sample, row, column].item():g} at tile (row {row}, column {column})"
        + (f"; {more} more like it" if more else "")
    )


def solve_grids(
    costs: Float64[Tensor, "N h w"],
) -> tuple[Tensor, Float64[Tensor, " N"]]:
    """:func:`shortest_path` without its checks and conversions: uint8 paths and float64 costs.

    Args:
        costs: (N, h, w) contiguous on the CPU, positive, at most ``LARGEST_COST``.
    """
    count, height, width = costs.shape
    paths = np.empty((count, height, width), np.uint8)
    totals = np.empty(count, np.float64)
    source = costs.numpy()
    solve, lanes = _kernel()
    chunks = min(torch.get_num_threads(), source.size // _TILES_PER_THREAD)
    if chunks <= 1:
        solve(source, paths, totals)
    else:
        blocks = -(-count // lanes)  # chunks are cut between blocks, so that no lane idles
        size = lanes * -(-blocks // chunks)
        spans = [slice(first, first + size) for first in range(0, count, size)]
        jobs = [_pool().submit(solve, source[s], paths[s], totals[s]) for s in spans[1:]]
        solve(source[spans[0]], paths[spans[0]], totals[spans[0]])
        for job in jobs:
            job.result()
    return torch.from_numpy(paths), torch.from_numpy(totals)


def order_tiles(path: NDArray[np.generic]) -> list[tuple[int, int]]:
    """The (row, column) tiles of one 0/1 path (h, w), from the start to the end.

    Where the tiles leave a choice, the fewest moves are taken; a cheapest path leaves none,
    since a shortcut between two of its tiles would be cheaper.

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
    """The compiled solver and its block size; numba loads on the first call, not on import."""
    from newton_core.algorithms import grid_kernels

    return grid_kernels.solve, grid_kernels.LANES


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Helper threads; the kernel holds no lock while it computes."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="grids")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork: the child starts its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
