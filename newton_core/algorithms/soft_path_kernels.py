"""Compiled derivatives of the distance between relaxed shortest paths and true ones (numba).

They are those of :func:`newton_core.algorithms.soft_shortest_path.soft_shortest_path`, for one grid
at a time in float64. The gradient is computed in reverse mode, the Hessian by tangents through the
forward and the reverse pass (forward over reverse), so both are exact. Automatic differentiation
gives the same numbers, but from thousands of small operations. Conventions: ``soft_sweep_kernels``.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.backtrace_kernels import backtrace, backtrace_reverse, collect
from newton_core.algorithms.compiled import compiled
from newton_core.algorithms.soft_sweep_kernels import (
    sweep,
    sweep_reverse,
    weight_adjoints,
    weight_tangents,
)

LANES = 48
"""Columns of the Hessian at a time: few enough that a 12 x 12 grid's tangents stay in cache."""


@compiled("void(f8[:, :, ::1], f8[:, :, ::1], f8, i8, b1, b1, f8[::1], f8[:, ::1], f8[:, :, ::1])")
@no_type_check
def path_distance(
    costs, targets, beta, moves, relaxed_exit, squared, values, gradients, hessians
):  # fmt: skip
    """Distance of each grid's soft path to its target, with derivatives; fills the last three.

    Args:
        costs, targets: (N, h, w).
        beta: inverse temperature.
        moves: sweeps, and moves of the backtrace.
        relaxed_exit: the while loop in place of the for loop.
        squared: sum of squares in place of absolute values.
        values, gradients: (N,) and (N, h w).
        hessians: (N, h w, h w); without its last axis, (N, h w, 0), there are gradients alone.
    """
    count, height, width = costs.shape
    stride = width + 2
    tiles = (height + 2) * stride
    outputs = height * width
    start, end = stride + 1, height * stride + width
    lane_count = min(LANES, hessians.shape[2])
    step = max(1, lane_count if lane_count > 0 else outputs)

    offsets = np.empty(8, np.int64)
    used = 0
    for i in range(-1, 2):
        for j in range(-1, 2):
            if i != 0 or j != 0:
                offsets[used] = i * stride + j
                used += 1
    far = np.empty(tiles, np.int64)
    output = np.empty(tiles, np.int64)
    for v in range(tiles):
        row, column = v // stride - 1, v % stride - 1
        inside = 0 <= row < height and 0 <= column < width
        far[v] = max(row, column) if inside else -1
        output[v] = row * width + column if inside else -1

    padded = np.empty(tiles)
    target = np.empty(tiles)
    lanes = np.empty(tiles, np.int64)
    distances = np.zeros((moves, tiles))
    weights = np.zeros((moves, tiles, 8))
    for grid in range(count):
        for v in range(tiles):
            inside = output[v] >= 0
            padded[v] = costs[grid, v // stride - 1, v % stride - 1] if inside else 0.0
            target[v] = targets[grid, v // stride - 1, v % stride - 1] if inside else 0.0
        for first in range(0, outputs, step):
            for v in range(tiles):
                lane = output[v] - first
                lanes[v] = lane if output[v] >= 0 and 0 <= lane < lane_count else -1
            distances_t = np.zeros((moves, tiles, lane_count))
            sweep(padded, far, lanes, offsets, beta, distances, weights, distances_t)
            last, last_t = weights[moves - 1], np.zeros((tiles, 8, lane_count))
            weight_tangents(offsets, beta, last, distances_t[moves - 1], far, last_t)

            position = np.zeros((moves + 1, tiles))
            position_t = np.zeros((moves + 1, tiles, lane_count))
            missed = np.zeros((moves + 2, tiles))
            missed_t = np.zeros((moves + 2, tiles, lane_count))
            going, going_t = np.zeros((2, moves + 1)), np.zeros((moves + 1, lane_count))
            path, path_t = np.zeros(tiles), np.zeros((tiles, lane_count))
            position[0, end] = 1.0
            for v in range(tiles):
                missed[0, v] = 1.0
            backtrace(last, last_t, far, offsets, start, position, position_t)
            collect(
                position, position_t, relaxed_exit, beta, start,
                missed, missed_t, going, going_t, path, path_t,
            )  # fmt: skip

            path_bar, path_bar_t = np.zeros(tiles), np.zeros((tiles, lane_count))
            value = 0.0
            for v in range(tiles):
                error = path[v] - target[v]
                value += error * error if squared else abs(error)
                path_bar[v] = 2.0 * error if squared else np.sign(error)
                for d in range(lane_count):
                    path_bar_t[v, d] = 2.0 * path_t[v, d] if squared else 0.0
            values[grid] = value

            last_bar, last_bar_t = np.zeros((tiles, 8)), np.zeros((tiles, 8, lane_count))
            backtrace_reverse(
                last, last_t, far, offsets, start, relaxed_exit, beta, position, position_t,
                missed, missed_t, going, going_t, path_bar, path_bar_t, last_bar, last_bar_t,
            )  # fmt: skip
            bar, bar_t = np.zeros(tiles), np.zeros((tiles, lane_count))
            weight_adjoints(offsets, beta, last, last_t, last_bar, last_bar_t, far, bar, bar_t)
            gradient, gradient_t = np.zeros(tiles), np.zeros((tiles, lane_count))
            sweep_reverse(
                padded, far, offsets, beta, distances, weights, distances_t,
                bar, bar_t, gradient, gradient_t,
            )  # fmt: skip
            for v in range(tiles):
                if output[v] >= 0:
                    gradients[grid, output[v]] = gradient[v]
                    for d in range(min(lane_count, outputs - first)):
                        hessians[grid, output[v], first + d] = gradient_t[v, d]
