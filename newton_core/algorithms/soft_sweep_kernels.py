"""Compiled soft Bellman-Ford sweeps of one grid: forward, and reverse with tangents (numba).

Conventions of all soft kernels: arrays over tiles are padded by one tile on each side, so the 8
neighbours of any tile are at the same ``offsets``. ``far`` is each tile's number of moves from the
start, -1 on the padding: after k sweeps the tiles up to k moves away have a distance. Names that
end in ``_t`` are tangents; their last axis has one lane for each cost of the derivative. Names that
end in ``_bar`` are adjoints. Everything is float64.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled("void(f8[::1], i8[::1], i8[::1], i8[::1], f8, f8[:, ::1], f8[:, :, ::1], f8[:, :, ::1])")
@no_type_check
def sweep(costs, far, lanes, offsets, beta, distances, weights, distances_t):
    """Repeated soft minima over the neighbours; ``distances[k]`` are those before sweep k.

    ``lanes`` gives the lane of each tile's cost, -1 if it has none. ``distances[0]`` and
    ``distances_t`` must be zero. The last sweep computes only weights, because nothing reads the
    distances after it.
    """
    moves = weights.shape[0]
    lane_count = distances_t.shape[2]
    for k in range(moves):
        for v in range(len(costs)):
            if far[v] < 1 or far[v] > k + 1:
                continue
            least = np.inf
            for i in range(8):
                n = v + offsets[i]
                if 0 <= far[n] <= k and distances[k, n] < least:
                    least = distances[k, n]
            total = 0.0
            mean = 0.0
            for i in range(8):
                n = v + offsets[i]
                weights[k, v, i] = 0.0
                if 0 <= far[n] <= k:
                    above = distances[k, n] - least
                    weights[k, v, i] = np.exp(-beta * above)
                    total += weights[k, v, i]
                    mean += weights[k, v, i] * above
            for i in range(8):
                weights[k, v, i] /= total
            if k + 1 == moves:
                continue
            mean = least + mean / total
            distances[k + 1, v] = mean + costs[v]
            if lanes[v] >= 0:
                distances_t[k + 1, v, lanes[v]] = 1.0
            for i in range(8):
                if weights[k, v, i] > 0.0:
                    n = v + offsets[i]
                    slope = weights[k, v, i] * (1.0 - beta * (distances[k, n] - mean))
                    for d in range(lane_count):
                        distances_t[k + 1, v, d] += slope * distances_t[k, n, d]


@compiled("void(i8[::1], f8, f8[:, ::1], f8[:, ::1], i8[::1], f8[:, :, ::1])")
@no_type_check
def weight_tangents(offsets, beta, weights, distances_t, far, weights_t):
    """Tangents of one sweep's weights from those of the distances before it."""
    lane_count = weights_t.shape[2]
    average_t = np.empty(lane_count)
    for v in range(len(far)):
        if far[v] < 1:
            continue
        for d in range(lane_count):
            average_t[d] = 0.0
        for i in range(8):
            n = v + offsets[i]
            for d in range(lane_count):
                average_t[d] += weights[v, i] * distances_t[n, d]
        for i in range(8):
            n = v + offsets[i]
            for d in range(lane_count):
                weights_t[v, i, d] = -beta * weights[v, i] * (distances_t[n, d] - average_t[d])


@compiled("void(i8[::1], f8, f8[:, ::1], f8[:, :, ::1], f8[:, ::1], f8[:, :, ::1], i8[::1],"
          " f8[::1], f8[:, ::1])")  # fmt: skip
@no_type_check
def weight_adjoints(
    offsets, beta, weights, weights_t, weights_bar, weights_bar_t, far,
    distances_bar, distances_bar_t,
):  # fmt: skip
    """Adds the contribution of one sweep's weights to the adjoints of the distances."""
    lane_count = weights_t.shape[2]
    average_t = np.empty(lane_count)
    for v in range(len(far)):
        if far[v] < 1:
            continue
        average = 0.0
        for d in range(lane_count):
            average_t[d] = 0.0
        for i in range(8):
            average += weights[v, i] * weights_bar[v, i]
            for d in range(lane_count):
                average_t[d] += weights_t[v, i, d] * weights_bar[v, i]
                average_t[d] += weights[v, i] * weights_bar_t[v, i, d]
        for i in range(8):
            n = v + offsets[i]
            above = weights_bar[v, i] - average
            distances_bar[n] -= beta * weights[v, i] * above
            for d in range(lane_count):
                above_t = weights_bar_t[v, i, d] - average_t[d]
                distances_bar_t[n, d] -= beta * (
                    weights_t[v, i, d] * above + weights[v, i] * above_t
                )


@compiled("void(f8[::1], i8[::1], i8[::1], f8, f8[:, ::1], f8[:, :, ::1], f8[:, :, ::1],"
          " f8[::1], f8[:, ::1], f8[::1], f8[:, ::1])")  # fmt: skip
@no_type_check
def sweep_reverse(
    costs, far, offsets, beta, distances, weights, distances_t,
    bar, bar_t, gradient, gradient_t,
):  # fmt: skip
    """Adds the contribution of :func:`sweep`, from its distances' adjoints, to the gradient.

    ``bar`` belongs to the distances before the last sweep; it and its tangents are overwritten.
    """
    moves = weights.shape[0]
    lane_count = distances_t.shape[2]
    before = np.empty(len(costs))
    before_t = np.empty((len(costs), lane_count))
    mean_t = np.empty(lane_count)
    average_t = np.empty(lane_count)
    for k in range(moves - 2, -1, -1):
        for v in range(len(costs)):
            before[v] = 0.0
            for d in range(lane_count):
                before_t[v, d] = 0.0
        for v in range(len(costs)):
            if far[v] < 1 or far[v] > k + 1:
                continue
            mean = distances[k + 1, v] - costs[v]
            gradient[v] += bar[v]
            for d in range(lane_count):
                gradient_t[v, d] += bar_t[v, d]
                mean_t[d] = 0.0
                average_t[d] = 0.0
            for i in range(8):
                weight = weights[k, v, i]
                if weight > 0.0:
                    n = v + offsets[i]
                    slope = weight * (1.0 - beta * (distances[k, n] - mean))
                    before[n] += slope * bar[v]
                    for d in range(lane_count):
                        average_t[d] += weight * distances_t[k, n, d]
                        mean_t[d] += slope * distances_t[k, n, d]
            for i in range(8):
                weight = weights[k, v, i]
                if weight > 0.0:
                    n = v + offsets[i]
                    steep = 1.0 - beta * (distances[k, n] - mean)
                    bend = -beta * weight * bar[v]
                    for d in range(lane_count):
                        own_t = distances_t[k, n, d]
                        slope_t = (own_t - average_t[d]) * steep + own_t - mean_t[d]
                        before_t[n, d] += weight * steep * bar_t[v, d] + bend * slope_t
        for v in range(len(costs)):
            bar[v] = before[v]
            for d in range(lane_count):
                bar_t[v, d] = before_t[v, d]
