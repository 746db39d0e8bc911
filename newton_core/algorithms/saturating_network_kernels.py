"""The compiled derivatives of BCELoss on a relaxed sorting network's P (numba).

P has the bits that tensor operations give it, in float32 too: where it saturates, its last bit
decides over the gradient. Conventions: :mod:`newton_core.algorithms.network_kernels`.
"""

import math
from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled
from newton_core.algorithms.network_kernels import (
    add_products,
    add_squares,
    difference_tangents,
    either,
    lanes_of,
    mirror,
    pull_values,
    take_lanes,
)

CLAMPED = math.exp(-100.0)
"""The probability at which BCELoss clamps a logarithm."""

SMALL = 1e-4
"""Up to here three terms of -log(1 - p) have float64's digits."""

LEAST_PRODUCT = 1e-120
"""Four more factors, each at least CLAMPED, are still far from float64's least."""

ITEMS = 4
"""Items whose tangents take turns at a comparator: what they share is then read once."""


@compiled(*either("void(i8[:, ::1], F[:, ::1], F[:, :, ::1], F[:, :, ::1])"))
@no_type_check
def mix_rows(net, alpha, rows, apart):
    """P: the comparators mix the rows of the identity.

    Args:
        alpha: (C, lanes) α.
        rows: (n, items, lanes) filled with P.
        apart: (C, items, lanes) filled with the difference of the two rows that a comparator mixes.
    """
    rows[:] = 0
    for wire in range(len(rows)):
        rows[wire, wire] = 1
    one = rows.dtype.type(1)
    for c in range(net.shape[1]):
        low, high, difference, share = rows[net[0, c]], rows[net[1, c]], apart[c], alpha[c]
        for i in range(net[2, c], net[3, c]):
            for s in range(alpha.shape[1]):
                below, above, rest = low[i, s], high[i, s], one - share[s]
                difference[i, s] = below - above
                low[i, s] = share[s] * below + rest * above
                high[i, s] = rest * below + share[s] * above


@compiled(*either("void(i8[:, ::1], F[:, ::1], F[:, :, ::1], F[:, :, ::1], F[:, :, ::1],"
                  " F[:, ::1], F[:, ::1])"))  # fmt: skip
@no_type_check
def pull_rows(net, alpha, rows, apart, received, sums, pulls):
    """Backward through :func:`mix_rows`.

    Args:
        rows: (n, items, lanes) adjoints of P; overwritten.
        apart: as :func:`mix_rows` fills it.
        received: (C, items, lanes) filled with the difference of what the two exits receive; one
            row serves where nobody reads it.
        sums: (4, lanes), overwritten.
        pulls: (C, lanes) filled with the adjoints of α.
    """
    one = rows.dtype.type(1)
    for c in range(net.shape[1] - 1, -1, -1):
        low, high, difference = rows[net[0, c]], rows[net[1, c]], apart[c]
        crossed = received[min(c, len(received) - 1)]
        share, pull = alpha[c], pulls[c]
        sums[:] = 0
        for i in range(net[2, c], net[3, c]):
            total = sums[i % 4]
            for s in range(alpha.shape[1]):
                between = low[i, s] - high[i, s]
                crossed[i, s] = between
                total[s] += between * difference[i, s]
            for s in range(alpha.shape[1]):
                below, above, rest = low[i, s], high[i, s], one - share[s]
                low[i, s] = share[s] * below + rest * above
                high[i, s] = rest * below + share[s] * above
        for s in range(alpha.shape[1]):
            pull[s] = (sums[0, s] + sums[1, s]) + (sums[2, s] + sums[3, s])


@compiled(*either("b1(F[:, ::1])"))
@no_type_check
def is_binary(target):
    """Whether all numbers are 0 or 1."""
    others = 0
    for k in range(len(target)):
        row = target[k]
        for s in range(len(row)):
            others += (row[s] != 0) & (row[s] != 1)
    return others == 0


@compiled(*either("void(F[:, ::1], F[:, ::1], f8[::1], f8[::1])"))
@no_type_check
def cross_entropy(entries, target, product, total):
    """Fills ``total`` with each lane's summed BCELoss, its logarithms clamped at -100.

    Where the targets are 0 and 1, one logarithm serves a whole product of probabilities; those of
    small ones are series, so that a P that is almost right keeps its digits.

    Args:
        entries, target: (R, lanes) of P and of the true permutation.
        product: (lanes,), overwritten.
    """
    total[:] = 0
    product[:] = 1
    if not is_binary(target):
        for k in range(len(entries)):
            for s in range(len(total)):
                p, q = np.float64(entries[k, s]), target[k, s]
                total[s] -= q * max(np.log(p), -100.0) + (1.0 - q) * max(np.log1p(-p), -100.0)
        return
    for k in range(len(entries)):
        row, truth = entries[k], target[k]
        for s in range(len(total)):
            p, right = np.float64(row[s]), np.float64(truth[s])
            series = p * (1.0 + p * (0.5 + p * (1.0 / 3.0)))
            is_small = (right == 0.0) & (p < SMALL)
            kept = p if right == 1.0 else 1.0 - p
            kept = CLAMPED if kept < CLAMPED else kept
            total[s] += series if is_small else 0.0
            product[s] *= 1.0 if is_small else kept
        if k % 4 == 3 and product.min() < LEAST_PRODUCT:
            for s in range(len(total)):
                if product[s] < LEAST_PRODUCT:
                    total[s] -= np.log(product[s])
                    product[s] = 1.0
    for s in range(len(total)):
        total[s] -= np.log(product[s])


@compiled(*either("void(F[:, :, ::1], F[:, :, ::1], b1, F[:, :, ::1])"))
@no_type_check
def compare_rows(rows, target, second, curvature):
    """Overwrites P in ``rows`` by the mean BCELoss's derivative; if asked, fills the second one.

    They are torch's, guards and all: see :mod:`newton_core.losses.saturating_cross_entropy`.

    Args:
        target: (n, items, lanes) as P.
        curvature: (items, at least n wires, lanes).
    """
    n = len(target)
    scale, two, one = rows.dtype.type(1 / (n * n)), rows.dtype.type(2), rows.dtype.type(1)
    least = rows.dtype.type(1e-12)
    for wire in range(n):
        for item in range(n):
            own, true = rows[wire, item], target[wire, item]
            if second:
                curve = curvature[item, wire]
                for s in range(target.shape[2]):
                    p, q = own[s], true[s]
                    below, above = p + least, one - p + least
                    guards = below * below * (above * above)
                    curve[s] = scale * ((p * p - two * p * q + q) / guards)
            for s in range(target.shape[2]):
                p = own[s]
                spread = (one - p) * p
                own[s] = scale * (p - true[s]) / (spread if spread > least else least)


@compiled(*either("void(i8[:, ::1], F[:, ::1], F[:, ::1], F[:, :, ::1], F[:, :, ::1], i8,"
                  " F[:, :, ::1], F[:, :, ::1], F[:, ::1], F[:, :, :, ::1])"))  # fmt: skip
@no_type_check
def row_tangents(
    net, alpha, slope, apart, received, first, tangents, crossed, weights, columns
):  # fmt: skip
    """The tangents of the columns of P that belong to the items from ``first`` on, for all scores.

    Args:
        slope: (C, lanes) dα/dd.
        apart, received: as the passes before fill them.
        tangents: (C, n, lanes) of every d.
        crossed: (C, n, lanes); what the items add to the mixed terms of every d is added.
        weights: (2, lanes), overwritten.
        columns: (items, at least n, n, lanes), filled in the first n rows of each.
    """
    columns[:] = 0
    steep, exits = weights[0], weights[1]
    for c in range(net.shape[1]):
        share, own, cross, enters = alpha[c], slope[c], crossed[c], tangents[c]
        begin, end = net[2, c], net[3, c]
        for item in range(max(0, begin - first), min(len(columns), end - first)):
            low, high = columns[item, net[0, c]], columns[item, net[1, c]]
            for s in range(alpha.shape[1]):
                steep[s] = own[s] * apart[c, first + item, s]
                exits[s] = own[s] * received[c, first + item, s]
            for i in range(begin, end):
                for s in range(alpha.shape[1]):
                    cross[i, s] += exits[s] * (low[i, s] - high[i, s])
                for s in range(alpha.shape[1]):
                    below, above = low[i, s], high[i, s]
                    moved = share[s] * (below - above) + steep[s] * enters[i, s]
                    low[i, s] = above + moved
                    high[i, s] = below - moved


@compiled(*either("void(F, F[:, ::1])"))
@no_type_check
def cauchy_densities(beta, slope):
    """Overwrites v by β / (π (1 + v^2)), rounded as torch's operations are."""
    one, pi = slope.dtype.type(1), slope.dtype.type(math.pi)
    for c in range(len(slope)):
        own = slope[c]
        for s in range(len(own)):
            own[s] = beta * (one / ((own[s] * own[s] + one) * pi))


@compiled(*either("void(i8[:, ::1], F, F[:, :, ::1], F[:, ::1], F[:, ::1], F[:, ::1],"
                  " F[:, :, ::1], i8, i8, F[::1], F[:, ::1], F[:, :, ::1])"))  # fmt: skip
@no_type_check
def saturating(
    net, beta, over, slopes, curves, scores, targets, begin, end,
    values, gradients, hessians,
):  # fmt: skip
    """The derivatives of samples ``begin`` to ``end``.

    Args:
        beta: inverse temperature β.
        over: (3 or more, C, N) of d, v = β d and α.
        slopes: (C, N) dα/dv; empty for a Cauchy distribution, whose own are computed here.
        curves: (C, N) d²α/dv²; empty if no Hessian is asked for.
        scores, targets: (N, n) and (N, n, n).
        values, gradients: (N,) and (N, n); filled.
        hessians: (N, n, n); filled unless ``curves`` is empty.
    """
    n, comparators, dtype = scores.shape[1], net.shape[1], scores.dtype
    lanes = lanes_of(end - begin, comparators, n)
    second, fours = len(curves) > 0, (n + 3) // 4 * 4
    half, one, two = dtype.type(0.5), dtype.type(1), dtype.type(2)
    own = np.empty((8, comparators, lanes), dtype)
    difference, alpha, slope, curve = own[0], own[1], own[2], own[3]
    transfer, skew, pulls, pushes = own[4], own[5], own[6], own[7]
    rows, truth = np.empty((n, n, lanes), dtype), np.empty((n, n, lanes), dtype)
    kept, items = (comparators, n) if second else (0, 0)
    apart = np.empty((comparators, n, lanes), dtype)
    received = np.empty((max(1, kept), n, lanes), dtype)
    gradient, scratch = np.empty((n, lanes), dtype), np.empty((4, lanes), dtype)
    product, total = np.empty(lanes), np.empty(lanes)
    mixed = np.empty((2, kept, n, lanes), dtype)
    tangents, crossed = mixed[0], mixed[1]
    curvature = np.zeros((items, fours, lanes), dtype)
    columns = np.empty((ITEMS, fours, items, lanes), dtype)
    lower = np.empty((items, items, lanes), dtype)
    for first in range(begin, end, lanes):
        last = min(first + lanes, end)
        take_lanes(over[0], first, last, one, difference)
        take_lanes(over[2], first, last, one, alpha)
        if len(slopes) > 0:
            take_lanes(slopes, first, last, beta, slope)
        else:
            take_lanes(over[1], first, last, one, slope)
            cauchy_densities(beta, slope)
        for c in range(comparators):
            for s in range(lanes):
                transfer[c, s] = alpha[c, s] + slope[c, s] * difference[c, s]
        for s in range(lanes):
            true = targets[min(first + s, last - 1)]
            for wire in range(n):
                for item in range(n):
                    truth[wire, item, s] = true[wire, item]
        mix_rows(net, alpha, rows, apart)
        cross_entropy(
            rows.reshape(n * n, lanes), truth.reshape(n * n, lanes), product, total
        )  # fmt: skip
        compare_rows(rows, truth, second, curvature)
        pull_rows(net, alpha, rows, apart, received, scratch, pulls)
        for c in range(comparators):
            for s in range(lanes):
                pushes[c, s] = pulls[c, s] * slope[c, s]
        pull_values(net, transfer, pushes, skew, gradient)
        for sample in range(first, last):
            # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where P hides it.
            unseen = dtype.type(0)
            for score in range(n):
                unseen += 0 * scores[sample, score]
            values[sample] = dtype.type(total[sample - first] / (n * n)) + unseen
            for score in range(n):
                gradients[sample, score] = gradient[score, sample - first] + unseen
        if not second:
            continue
        difference_tangents(net, transfer, columns[0, :n], tangents)
        crossed[:] = 0
        lower[:] = 0
        for start in range(0, n, ITEMS):
            some = columns[: min(ITEMS, n - start)]
            row_tangents(
                net, alpha, slope, apart, received, start, tangents, crossed, scratch, some
            )  # fmt: skip
            for item in range(len(some)):
                add_squares(curvature[start + item], some[item], scratch, lower)
        take_lanes(curves, first, last, beta * beta, curve)
        for c in range(comparators):
            weight, bend = pushes[c], curve[c]
            for s in range(lanes):
                bent = two * slope[c, s] + bend[s] * difference[c, s]
                weight[s] = half * (pulls[c, s] * bend[s] - skew[c, s] * bent)
            for score in range(net[2, c], net[3, c]):
                for s in range(lanes):
                    crossed[c, score, s] += weight[s] * tangents[c, score, s]
        add_products(net, tangents, crossed, lower)
        mirror(lower, hessians[first:last])
