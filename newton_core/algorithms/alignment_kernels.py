"""Compiled dynamic time warping, soft and hard: values, gradients, Hessians, paths (numba).

An alignment is a walk over cells (i, j) from the first steps of two series to their last ones, each
move to the next step of one or of both. Read backwards, soft-DTW is a random walk over cells: from
each cell to its predecessors, with the weights of the soft minimum. Whatever a walk collects before
a cell is therefore independent, given the cell, of what it collects after it. That gives the
covariances of the Hessian by one pass over the cells, m numbers in each, without a reverse pass.

``weights`` are those of each cell's predecessors (i - 1, j - 1), (i - 1, j), (i, j - 1). All is
float64. ``window`` is the largest abs(i - j) of an alignment.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled("f8(f8[:, ::1], f8[:, ::1], f8, i8, f8[:, ::1], f8[:, :, ::1])")
@no_type_check
def align(a, b, temperature, window, table, weights):
    """Soft-DTW of two series (n, d) and (k, d); fills ``weights`` (n, k, 3).

    ``table`` (n + 1, k + 1) is room for the least soft costs up to each cell. Cells are taken along
    the anti-diagonals, where none waits for the one before it.
    """
    n, size = a.shape
    k = b.shape[0]
    table[:] = np.inf
    for place in range(n + k - 1):
        for i in range(max(0, place - k + 1), min(n, place + 1)):
            j = place - i
            weights[i, j, 0] = weights[i, j, 1] = weights[i, j, 2] = 0.0
            if abs(i - j) > window:
                continue
            cost = 0.0
            for c in range(size):
                cost += (a[i, c] - b[j, c]) ** 2
            if place == 0:
                table[1, 1] = cost
                continue
            both, up, left = table[i, j], table[i, j + 1], table[i + 1, j]
            # The least of the three weighs exp(0), so that two exponentials do. Which one it is
            # selects numbers and no branches, as no processor could foretell those.
            one, other = min(up, left), max(up, left)
            is_both, is_up = both <= one, up <= left
            least, next_one = min(both, one), max(both, one)
            weight_next = np.exp((least - next_one) / temperature)
            weight_other = np.exp((least - other) / temperature)
            weight_both = 1.0 if is_both else weight_next
            weight_one = weight_next if is_both else 1.0
            weight_up = weight_one if is_up else weight_other
            weight_left = weight_other if is_up else weight_one
            total = weight_both + weight_up + weight_left
            weights[i, j, 0] = weight_both / total
            weights[i, j, 1] = weight_up / total
            weights[i, j, 2] = weight_left / total
            table[i + 1, j + 1] = cost + least - temperature * np.log(total)
    return table[n, k]


@compiled("void(f8[:, :, ::1], f8[:, ::1])")
@no_type_check
def visit(weights, visits):
    """Fills ``visits`` (n, k): how likely each cell is on the alignment."""
    n, k, _ = weights.shape
    visits[:] = 0.0
    visits[n - 1, k - 1] = 1.0
    for i in range(n - 1, -1, -1):
        for j in range(k - 1, -1, -1):
            here = visits[i, j]
            if here == 0.0 or i + j == 0:
                continue
            if i > 0 and j > 0:
                visits[i - 1, j - 1] += here * weights[i, j, 0]
            if i > 0:
                visits[i - 1, j] += here * weights[i, j, 1]
            if j > 0:
                visits[i, j - 1] += here * weights[i, j, 2]


@compiled("void(f8[:, ::1], f8[:, ::1], f8[:, ::1], b1, f8, f8[::1])")
@no_type_check
def add_gradient(a, b, visits, itself, factor, gradient):
    """Adds ``factor`` times the derivative in a (in a and b where b is a, ``itself``)."""
    n, size = a.shape
    for i in range(n):
        for j in range(b.shape[0]):
            slope = 2.0 * factor * visits[i, j]
            for c in range(size):
                apart = slope * (a[i, c] - b[j, c])
                gradient[i * size + c] += apart
                if itself:
                    gradient[j * size + c] -= apart


@compiled("void(f8[:, ::1], f8[:, ::1], f8[:, :, ::1], f8[:, ::1], f8, b1, f8, f8[:, :, ::1],"
          " f8[::1], f8[:, ::1], f8[:, ::1])")  # fmt: skip
@no_type_check
def add_hessian(
    a, b, weights, visits, temperature, itself, factor, collected, gradient, covered, hessian
):
    """Adds ``factor`` times the second derivative in a (in a and b where b is a, ``itself``).

    It is the expected second derivative of the costs less the covariance of their first ones over
    temperature. ``collected`` (2, k + 1, m) holds what the walk is expected to have collected up
    to a cell, row by row; ``gradient`` (m,) and ``covered`` (m, m) are room.
    """
    n, size = a.shape
    k, m = b.shape[0], n * size
    collected[:] = 0.0
    covered[:] = 0.0
    gradient[:] = 0.0
    add_gradient(a, b, visits, itself, 1.0, gradient)
    bend = factor / temperature
    for i in range(n):
        before, now = collected[(i + 1) % 2], collected[i % 2]
        for j in range(k):
            own = now[j + 1]
            # beyond step i nothing is collected yet, unless as a step of b
            reached = m if itself else (i + 1) * size
            both, up, left = weights[i, j, 0], weights[i, j, 1], weights[i, j, 2]
            corner, above, beside = before[j], before[j + 1], now[j]
            for p in range(reached):
                own[p] = both * corner[p] + up * above[p] + left * beside[p]
            for c in range(size):
                apart = 2.0 * (a[i, c] - b[j, c])
                own[i * size + c] += apart
                if itself:
                    own[j * size + c] -= apart
            here = visits[i, j]
            if here == 0.0:
                continue
            for c in range(size):
                apart = 2.0 * here * (a[i, c] - b[j, c])
                row = covered[i * size + c]
                for p in range(reached):
                    row[p] += apart * own[p]
                if itself:
                    row = covered[j * size + c]
                    for p in range(reached):
                        row[p] -= apart * own[p]
            for c in range(size):
                hessian[i * size + c, i * size + c] += 2.0 * factor * here
                if itself:
                    hessian[j * size + c, j * size + c] += 2.0 * factor * here
                    hessian[i * size + c, j * size + c] -= 2.0 * factor * here
                    hessian[j * size + c, i * size + c] -= 2.0 * factor * here
                # ``covered`` and its transpose both count the cell with itself: once too often
                for e in range(size):
                    product = 4.0 * here * (a[i, c] - b[j, c]) * (a[i, e] - b[j, e]) * bend
                    hessian[i * size + c, i * size + e] += product
                    if itself:
                        hessian[j * size + c, j * size + e] += product
                        hessian[i * size + c, j * size + e] -= product
                        hessian[j * size + c, i * size + e] -= product
    for p in range(m):
        for q in range(m):
            hessian[p, q] -= bend * (covered[p, q] + covered[q, p] - gradient[p] * gradient[q])


@compiled("void(f8[:, :, ::1], f8[:, :, ::1], f8, i8, b1, f8[::1], f8[:, ::1], f8[:, :, ::1])")
@no_type_check
def soft_alignment(series, targets, temperature, window, divergence, values, gradients, hessians):
    """Soft-DTW of each series to its target with derivatives; fills or leaves the last three.

    Args:
        series, targets: (N, n, d) and (N, k, d).
        temperature: of the soft minima, in squared units of the series.
        window: largest abs(i - j) of an alignment.
        divergence: less half of each series' soft-DTW to itself.
        values: (N,).
        gradients: (N, n d) zeros, or (0, 0): not wanted.
        hessians: (N, n d, n d) zeros, or (0, 0, 0): not wanted.
    """
    count, n, size = series.shape
    k, m = targets.shape[1], n * size
    longest = max(n, k)
    collected = np.zeros((2, longest + 1, m))
    gradient, covered = np.zeros(m), np.zeros((m, m))
    for s in range(count):
        values[s] = 0.0
        for part in range(3 if divergence else 1):
            a = targets[s] if part == 2 else series[s]
            b = series[s] if part == 1 else targets[s]
            factor = 1.0 if part == 0 else -0.5
            table = np.empty((len(a) + 1, len(b) + 1))
            weights = np.empty((len(a), len(b), 3))
            values[s] += factor * align(a, b, temperature, window, table, weights)
            if part == 2 or len(gradients) + len(hessians) == 0:
                continue
            visits = table[1:, 1:].copy()
            visit(weights, visits)
            if len(gradients) > 0:
                add_gradient(a, b, visits, part == 1, factor, gradients[s])
            if len(hessians) > 0:
                add_hessian(
                    a, b, weights, visits, temperature, part == 1, factor,
                    collected, gradient, covered, hessians[s],
                )  # fmt: skip


@compiled("void(f8[:, ::1], f8[:, ::1], f8[::1], i8[:, :, ::1], i8[::1])")
@no_type_check
def hard_alignment(series, targets, costs, paths, lengths):
    """Least sum of squared differences of each series to its target, and an alignment with it.

    Args:
        series, targets: (N, n) and (N, k).
        costs: (N,).
        paths: (N, n + k - 1, 2) cells i, j of the alignment, from the last to the first.
        lengths: (N,) how many cells it has.
    """
    count, n = series.shape
    k = targets.shape[1]
    table = np.empty((n + 1, k + 1))
    for s in range(count):
        table[:] = np.inf
        table[0, 0] = 0.0
        for i in range(n):
            for j in range(k):
                least = min(table[i, j], min(table[i, j + 1], table[i + 1, j]))
                table[i + 1, j + 1] = (series[s, i] - targets[s, j]) ** 2 + least
        costs[s] = table[n, k]
        i, j, length = n, k, 0
        while i > 0 and j > 0:
            paths[s, length, 0], paths[s, length, 1] = i - 1, j - 1
            length += 1
            both, up, left = table[i - 1, j - 1], table[i - 1, j], table[i, j - 1]
            if both <= up and both <= left:
                i, j = i - 1, j - 1
            elif up <= left:
                i -= 1
            else:
                j -= 1
        lengths[s] = length
