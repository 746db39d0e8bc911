"""Compiled soft backtrace of one grid's path: forward, and reverse with tangents (numba).

Conventions: ``soft_sweep_kernels``.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled("void(f8[:, ::1], f8[:, :, ::1], i8[::1], i8[::1], i8, f8[:, ::1], f8[:, :, ::1])")
@no_type_check
def backtrace(weights, weights_t, far, offsets, start, position, position_t):
    """Positions after each move, from position[0]; the rest and all tangents must be zero."""
    lane_count = weights_t.shape[2]
    for t in range(len(position) - 1):
        position[t + 1, start] += position[t, start]
        for d in range(lane_count):
            position_t[t + 1, start, d] += position_t[t, start, d]
        for v in range(len(far)):
            here = position[t, v]
            if far[v] < 1 or here == 0.0:
                continue
            for i in range(8):
                if weights[v, i] == 0.0:
                    continue
                n = v + offsets[i]
                position[t + 1, n] += weights[v, i] * here
                for d in range(lane_count):
                    position_t[t + 1, n, d] += (
                        weights[v, i] * position_t[t, v, d] + weights_t[v, i, d] * here
                    )


@compiled("void(f8[:, ::1], f8[:, :, ::1], b1, f8, i8, f8[:, ::1], f8[:, :, ::1],"
          " f8[:, ::1], f8[:, ::1], f8[::1], f8[:, ::1])")  # fmt: skip
@no_type_check
def collect(
    position, position_t, relaxed_exit, beta, start, missed, missed_t, going, going_t, path, path_t
):  # fmt: skip
    """Collects the positions into the path.

    ``missed[t]`` is 1 - what was collected before move t. ``going`` (2, moves + 1) is the
    probability that the backtrace still goes on, and its last factor. All but missed[0] must be
    zero.
    """
    lane_count = position_t.shape[2]
    for t in range(len(position)):
        going[0, t] = 1.0
        going[1, t] = 1.0
        if relaxed_exit:
            stays = 1.0 / (1.0 + np.exp(-beta * missed[t, start]))
            before = going[0, t - 1] if t > 0 else 1.0
            going[0, t] = before * stays
            going[1, t] = stays
            slope = before * beta * stays * (1.0 - stays)
            for d in range(lane_count):
                going_t[t, d] = slope * missed_t[t, start, d]
                if t > 0:
                    going_t[t, d] += stays * going_t[t - 1, d]
        for v in range(len(path)):
            here, left = position[t, v], missed[t, v]
            path[v] += going[0, t] * here * left
            missed[t + 1, v] = left * (1.0 - here)
            for d in range(lane_count):
                here_t, left_t = position_t[t, v, d], missed_t[t, v, d]
                product_t = here_t * left + here * left_t
                path_t[v, d] += going[0, t] * product_t + going_t[t, d] * here * left
                missed_t[t + 1, v, d] = left_t - product_t


@compiled("void(f8[:, ::1], f8[:, :, ::1], i8[::1], i8[::1], f8[::1], f8[:, ::1],"
          " f8[::1], f8[:, ::1], f8[:, ::1], f8[:, :, ::1])")  # fmt: skip
@no_type_check
def _move_reverse(
    weights, weights_t, far, offsets, position, position_t,
    bar, bar_t, weights_bar, weights_bar_t,
):  # fmt: skip
    """Replaces the positions' adjoints after a move by those before it; adds to the weights'."""
    tiles, lane_count = len(far), weights_t.shape[2]
    after = bar.copy()
    after_t = bar_t.copy()
    for v in range(tiles):
        if far[v] < 1:  # the start keeps its adjoint, because its weight does not move
            continue
        here = position[v]
        bar[v] = 0.0
        for d in range(lane_count):
            bar_t[v, d] = 0.0
        for i in range(8):
            weight = weights[v, i]
            if weight == 0.0:
                continue
            n = v + offsets[i]
            bar[v] += weight * after[n]
            weights_bar[v, i] += here * after[n]
            for d in range(lane_count):
                bar_t[v, d] += weight * after_t[n, d] + weights_t[v, i, d] * after[n]
                weights_bar_t[v, i, d] += here * after_t[n, d] + position_t[v, d] * after[n]


@compiled("void(f8[:, ::1], f8[:, :, ::1], i8[::1], i8[::1], i8, b1, f8, f8[:, ::1], f8[:, :, ::1],"
          " f8[:, ::1], f8[:, :, ::1], f8[:, ::1], f8[:, ::1], f8[::1], f8[:, ::1],"
          " f8[:, ::1], f8[:, :, ::1])")  # fmt: skip
@no_type_check
def backtrace_reverse(
    weights, weights_t, far, offsets, start, relaxed_exit, beta, position, position_t,
    missed, missed_t, going, going_t, path_bar, path_bar_t, weights_bar, weights_bar_t,
):  # fmt: skip
    """Adds to the weights' adjoints what :func:`backtrace` and :func:`collect` pass back."""
    tiles, lane_count = len(far), weights_t.shape[2]
    position_bar = np.zeros(tiles)
    position_bar_t = np.zeros((tiles, lane_count))
    missed_bar = np.zeros(tiles)
    missed_bar_t = np.zeros((tiles, lane_count))
    going_bar = 0.0
    going_bar_t = np.zeros(lane_count)
    before_bar_t = np.empty(lane_count)
    for t in range(len(position) - 1, -1, -1):
        if t + 1 < len(position):
            _move_reverse(
                weights, weights_t, far, offsets, position[t], position_t[t],
                position_bar, position_bar_t, weights_bar, weights_bar_t,
            )  # fmt: skip
        if relaxed_exit and t + 1 < len(position):
            stays = going[1, t + 1]
            for d in range(lane_count):
                stays_t = beta * stays * (1.0 - stays) * missed_t[t + 1, start, d]
                going_bar_t[d] = going_bar_t[d] * stays + going_bar * stays_t
            going_bar *= stays
        for v in range(tiles):
            if far[v] < 0:
                continue
            here, left, on, bar = position[t, v], missed[t, v], going[0, t], path_bar[v]
            later = missed_bar[v]
            going_bar += bar * here * left
            position_bar[v] += (on * bar - later) * left
            missed_bar[v] = on * bar * here + later * (1.0 - here)
            for d in range(lane_count):
                here_t, left_t = position_t[t, v, d], missed_t[t, v, d]
                bar_t = going_t[t, d] * bar + on * path_bar_t[v, d]
                later_t = missed_bar_t[v, d]
                going_bar_t[d] += path_bar_t[v, d] * here * left
                going_bar_t[d] += bar * (here_t * left + here * left_t)
                position_bar_t[v, d] += (bar_t - later_t) * left + (on * bar - later) * left_t
                missed_bar_t[v, d] = bar_t * here + on * bar * here_t
                missed_bar_t[v, d] += later_t * (1.0 - here) - later * here_t
        if relaxed_exit:
            stays = going[1, t]
            before = going[0, t - 1] if t > 0 else 1.0
            steep = beta * stays * (1.0 - stays)
            for d in range(lane_count):
                before_bar_t[d] = going_bar_t[d] * before
                if t > 0:
                    before_bar_t[d] += going_bar * going_t[t - 1, d]
                steep_t = beta * (1.0 - 2.0 * stays) * steep * missed_t[t, start, d]
                missed_bar_t[start, d] += before_bar_t[d] * steep + going_bar * before * steep_t
            missed_bar[start] += going_bar * before * steep
