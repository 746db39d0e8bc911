"""Compiled kernels for shortest paths on many grids at once (numba; imported on first use).

The distances of ``LANES`` grids are side by side in memory, so a few vector instructions relax one
tile of all of them. Rows are relaxed downwards and upwards in turn until nothing changes. Four of
the eight moves point along each direction, so a path that turns k times is final after k passes.
The result is that of Dijkstra's algorithm to the last bit: both are the least of all paths' sums
from the start, because rounded addition is monotone.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled

LANES = 32
"""Grids per block: they fill vector registers, and a block of 12 x 12 grids stays in cache."""


@compiled("boolean(float64[:, ::1], float64[:, ::1], int64, int64, int64)")
@no_type_check
def _relax_row(distances, costs, row, width, step):
    """Relaxes a row's tiles: from left to right with the row above (step 1), or from right to left
    with the row below (step -1).

    Both arrays are (padded tiles, LANES). Returns whether any distance became less.
    """
    stride = width + 2
    changed = False
    tile = row * stride + (1 if step > 0 else width)
    for _ in range(width):
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
        tile += step
    return changed


@compiled("void(float64[:, ::1], float64[:, ::1], int64, int64, boolean[:, ::1])")
@no_type_check
def _relax(distances, costs, height, width, stale):
    """Lowers the distances until no move of any grid shortens a path.

    Rows are relaxed from top to bottom and back. ``stale`` (2, height + 2) marks for each direction
    the rows that must be relaxed again because of a change.
    """
    for row in range(height + 2):
        stale[0, row] = row in (1, 2)  # the start has moves into the first two rows
        stale[1, row] = False
    any_stale = True
    while any_stale:
        any_stale = False
        for index in range(2 * height):
            down = index < height
            row = index + 1 if down else 2 * height - index
            if not stale[0 if down else 1, row]:
                continue
            stale[0 if down else 1, row] = False
            if _relax_row(distances, costs, row, width, 1 if down else -1):
                any_stale = True
                # the next row in this direction; this row and the one before it in the other
                if down:
                    stale[0, row + 1] = stale[1, row] = stale[1, row - 1] = True
                else:
                    stale[1, row - 1] = stale[0, row] = stale[0, row + 1] = True


@compiled("boolean(float64[:, ::1], uint8[:, ::1], int64)")
@no_type_check
def _trace(distances, path, lane):
    """Marks one grid's path from its end tile, each time to the neighbour of least distance.

    Of equal neighbours the first in raster order is taken. Returns False, with the path
    unfinished, if a cost is too small to change the distance that it is added to.
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


@compiled("void(float64[:, ::1], uint8[:, ::1])")
@no_type_check
def _trace_by_predecessors(costs, path):
    """Path of one grid whose costs span too many orders of magnitude for :func:`_trace`.

    Predecessors change only on strict improvement, so they form a tree in spite of rounding.
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


@compiled("void(float64[:, :, ::1], uint8[:, :, ::1], float64[::1])")
@no_type_check
def solve(costs, paths, totals):
    """Fills in the 0/1 ``paths`` (N, h, w) and their costs ``totals`` (N,).

    Every cost must be positive, and finite when multiplied by h w. The kernel runs without the GIL.
    """
    count, height, width = costs.shape
    stride = width + 2
    start, end = stride + 1, height * stride + width
    tiles = (height + 2) * stride
    lane_costs = np.empty((tiles, LANES))
    distances = np.empty((tiles, LANES))
    stale = np.empty((2, height + 2), np.bool_)
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
        _relax(distances, lane_costs, height, width, stale)
        for lane in range(used):
            totals[first + lane] = distances[end, lane]
            if not _trace(distances, paths[first + lane], lane):
                _trace_by_predecessors(costs[first + lane], paths[first + lane])
