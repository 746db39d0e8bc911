"""Compiled kernels for shortest paths on many grids at once (numba; imported on first use).

The distances of ``LANES`` grids lie side by side in memory, so that one relaxation of a tile is a
handful of vector instructions for all of them. Tiles are relaxed in raster order and back until
nothing changes: four of the eight moves point along each direction, so a path that turns back k
times is settled after about k sweeps; typical maps need three or four.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast, no_type_check

import numba
import numpy as np

LANES = 32
"""Grids per block: many whole vector registers, while a block of 12 x 12 grids stays in cache."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def _compiled(signature: str) -> Callable[[Kernel], Kernel]:
    """Compiles at once, or takes the machine code from numba's cache on disk.

    The cache lies beside this file, or in the user's cache folder where that cannot be written.
    Where neither can (a read-only container), each process compiles for itself.
    """

    def compile_kernel(kernel: Kernel) -> Kernel:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            compiled: Any = numba.njit(signature, cache=True, **options)(kernel)
        except (RuntimeError, OSError):  # no folder for a cache, or it cannot be written
            compiled = numba.njit(signature, **options)(kernel)
        return cast(Kernel, compiled)

    return compile_kernel


# no_type_check keeps the test run's shape checker from wrapping what numba must compile.
@_compiled("boolean(float64[:, ::1], float64[:, ::1], int64, int64, int64)")
@no_type_check
def _sweep(distances, costs, height, width, step):
    """Relaxes every tile once, in raster order (step 1) or against it (step -1).

    Both arrays are (padded tiles, LANES). Returns whether any distance fell.
    """
    stride = width + 2
    changed = False
    row = 1 if step > 0 else height
    for _ in range(height):
        column = 1 if step > 0 else width
        for _ in range(width):
            tile = row * stride + column
            diagonal = tile - step * (stride + 1)
            straight = tile - step * stride
            antidiagonal = tile - step * (stride - 1)
            before = tile - step
            for lane in range(LANES):
                best = distances[diagonal, lane]
                other = distances[straight, lane]
                best = best if best < other else other
                other = distances[antidiagonal, lane]
                best = best if best < other else other
                other = distances[before, lane]
                best = best if best < other else other
                best += costs[tile, lane]
                old = distances[tile, lane]
                changed |= best < old
                distances[tile, lane] = best if best < old else old
            column += step
        row += step
    return changed


@_compiled("boolean(float64[:, ::1], uint8[:, ::1], int64)")
@no_type_check
def _trace(distances, path, lane):
    """Marks one grid's path from its end tile, each time to the neighbour of least distance.

    Of equal neighbours the first in raster order is taken. Returns False, with the path
    unfinished, where a cost is too small to change the distance that it is added to.
    """
    height, width = path.shape
    stride = width + 2
    start, tile = stride + 1, height * stride + width
    for row in range(height):
        for column in range(width):
            path[row, column] = 0
    path[height - 1, width - 1] = 1
    while tile != start:
        best = tile - stride - 1
        for row in range(tile - stride, tile + stride + 1, stride):
            for neighbour in range(row - 1, row + 2):
                if neighbour != tile and distances[neighbour, lane] < distances[best, lane]:
                    best = neighbour
        if not distances[best, lane] < distances[tile, lane]:
            return False
        tile = best
        path[tile // stride - 1, tile % stride - 1] = 1
    return True


@_compiled("void(float64[:, ::1], uint8[:, ::1])")
@no_type_check
def _trace_by_predecessors(costs, path):
    """Path of one grid whose costs span too many orders of magnitude for :func:`_trace`.

    Predecessors change on strict improvement only, so they form a tree whatever rounding does.
    """
    height, width = costs.shape
    distances = np.empty((height, width))
    predecessors = np.empty((height, width), np.int64)
    for row in range(height):
        for column in range(width):
            distances[row, column] = np.inf
    distances[0, 0] = costs[0, 0]
    changed = True
    while changed:
        changed = False
        for row in range(height):
            for column in range(width):
                for r in range(max(row - 1, 0), min(row + 2, height)):
                    for c in range(max(column - 1, 0), min(column + 2, width)):
                        candidate = distances[r, c] + costs[row, column]
                        if candidate < distances[row, column]:
                            distances[row, column] = candidate
                            predecessors[row, column] = r * width + c
                            changed = True
    for row in range(height):
        for column in range(width):
            path[row, column] = 0
    path[0, 0] = 1
    tile = height * width - 1
    while tile != 0:
        path[tile // width, tile % width] = 1
        tile = predecessors[tile // width, tile % width]


@_compiled("void(float64[:, :, ::1], uint8[:, :, ::1], float64[::1])")
@no_type_check
def solve(costs, paths, totals):
    """Fills in the 0/1 ``paths`` (N, h, w) and their costs ``totals`` (N,).

    Every cost must be positive, and finite when multiplied by h w. Runs without the GIL.
    """
    count, height, width = costs.shape
    stride = width + 2
    start, end = stride + 1, height * stride + width
    tiles = (height + 2) * stride
    lane_costs = np.empty((tiles, LANES))
    distances = np.empty((tiles, LANES))
    for first in range(0, count, LANES):
        used = min(LANES, count - first)
        for lane in range(LANES):
            grid = first + min(lane, used - 1)  # idle lanes repeat the last grid
            for row in range(height):
                for column in range(width):
                    lane_costs[(row + 1) * stride + column + 1, lane] = costs[grid, row, column]
        for tile in range(tiles):
            for lane in range(LANES):
                distances[tile, lane] = lane_costs[tile, lane] if tile == start else np.inf
        step = 1
        while _sweep(distances, lane_costs, height, width, step):
            step = -step  # a sweep settles its own direction: an idle one means that both are
        for lane in range(used):
            totals[first + lane] = distances[end, lane]
            if not _trace(distances, paths[first + lane], lane):
                _trace_by_predecessors(costs[first + lane], paths[first + lane])
