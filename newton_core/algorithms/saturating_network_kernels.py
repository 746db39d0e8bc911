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
    mirror,
    padded,
    pull_values,
)

CLAMPED = math.exp(-100.0)
"""The probability at which BCELoss clamps a logarithm."""

SMALL = 1e-4
"""Up to here three terms of -log(1 - p) have float64's digits."""


@compiled(*either("void(i8[::1], i8[::1], F[::1], F[:, ::1], F[:, ::1])"))
@no_type_check
def mix_rows(lows, highs, alpha, rows, apart):
    """P of a sample: the comparators mix the rows of the identity.

    Args:
        alpha: (C,) α.
        rows: (n, items) filled with P.
        apart: (C, items) filled with the difference of the two rows that a comparator mixes.
    """
    rows[:] = 0
    for wire in range(len(rows)):
        rows[wire, wire] = 1
    one = rows.dtype.type(1)
    for c in range(len(lows)):
        low, high, difference = rows[lows[c]], rows[highs[c]], apart[c]
        share, rest = alpha[c], one - alpha[c]
        for i in range(rows.shape[1]):
            below, above = low[i], high[i]
            difference[i] = below - above
            low[i] = share * below + rest * above
            high[i] = rest * below + share * above


@compiled(*either("void(i8[::1], i8[::1], F[::1], F[:, ::1], F[:, ::1], F[:, ::1], F[::1])"))
@no_type_check
def pull_rows(lows, highs, alpha, rows, apart, received, pulls):
    """Backward through :func:`mix_rows`.

    Args:
        rows: (n, items) adjoints of P; overwritten.
        apart: as :func:`mix_rows` fills it.
        received: (C, items) filled with the difference of what the two exits receive.
        pulls: (C,) filled with the adjoints of α.
    """
    one = rows.dtype.type(1)
    for c in range(len(lows) - 1, -1, -1):
        low, high, crossed, difference = rows[lows[c]], rows[highs[c]], received[c], apart[c]
        share, rest = alpha[c], one - alpha[c]
        for i in range(rows.shape[1]):
            below, above = low[i], high[i]
            crossed[i] = below - above
            low[i] = share * below + rest * above
            high[i] = rest * below + share * above
        first = second = third = fourth = crossed[0] * 0
        for i in range(0, rows.shape[1], 4):
            first += crossed[i] * difference[i]
            second += crossed[i + 1] * difference[i + 1]
            third += crossed[i + 2] * difference[i + 2]
            fourth += crossed[i + 3] * difference[i + 3]
        pulls[c] = (first + second) + (third + fourth)


@compiled(*either("f8(F[::1], F[::1])"))
@no_type_check
def cross_entropy(row, target):
    """The summed BCELoss of a row of P, its logarithms clamped at -100.

    Where the target is 0 or 1, one logarithm serves a whole product of probabilities; those of
    small ones are series, so that a row that is almost right keeps its digits.
    """
    total = 0.0
    product = 1.0
    for item in range(len(target)):
        p, q = np.float64(row[item]), target[item]
        if q == 0:
            if p < SMALL:
                total += p * (1.0 + p * (0.5 + p / 3.0))
            else:
                product *= CLAMPED if 1.0 - p < CLAMPED else 1.0 - p
        elif q == 1:
            product *= CLAMPED if p < CLAMPED else p
        else:
            total -= q * max(np.log(p), -100.0) + (1.0 - q) * max(np.log1p(-p), -100.0)
        if product < 1e-200:  # far from float64's least, one factor more is
            total -= np.log(product)
            product = 1.0
    return total - np.log(product)


@compiled(*either("F(F[:, ::1], F[:, ::1], b1, F[:, ::1])"))
@no_type_check
def compare_rows(rows, target, second, curvature):
    """The mean BCELoss of P in ``rows``, which its derivative overwrites; if asked, the second one.

    They are torch's, guards and all: see :mod:`newton_core.losses.saturating_cross_entropy`.
    """
    n = len(target)
    scale, two, one = rows.dtype.type(1 / (n * n)), rows.dtype.type(2), rows.dtype.type(1)
    least = rows.dtype.type(1e-12)
    total = 0.0
    for wire in range(n):
        total += cross_entropy(rows[wire], target[wire])
        own, true = rows[wire], target[wire]
        if second:
            for item in range(n):
                p, q = own[item], true[item]
                below, above = p + least, one - p + least
                guards = below * below * (above * above)
                curvature[item, wire] = scale * ((p * p - two * p * q + q) / guards)
        for item in range(n):
            p = own[item]
            spread = (one - p) * p
            own[item] = scale * (p - true[item]) / (spread if spread > least else least)
    return rows.dtype.type(total / (n * n))


@compiled(*either("void(i8[::1], i8[::1], F[::1], F[::1], F[:, ::1], F[:, ::1], i8, F[:, ::1],"
                  " F[:, ::1], F[:, ::1])"))  # fmt: skip
@no_type_check
def row_tangents(
    lows, highs, alpha, slope, apart, received, item, tangents, crossed, rows
):  # fmt: skip
    """The tangents of one item's column of P, for all scores.

    Args:
        slope: (C,) dα/dd.
        apart, received: as the passes before fill them.
        tangents: (C, scores) of every d.
        crossed: (C, scores); what the item adds to the mixed terms of every d is added.
        rows: (at least n, scores), filled in its first n rows.
    """
    rows[:] = 0
    for c in range(len(lows)):
        low, high, cross, enters = rows[lows[c]], rows[highs[c]], crossed[c], tangents[c]
        share, steep = alpha[c], slope[c] * apart[c, item]
        exits = slope[c] * received[c, item]
        for i in range(tangents.shape[1]):
            below, above = low[i], high[i]
            between = below - above
            moved = share * between + steep * enters[i]
            cross[i] += exits * between
            low[i] = above + moved
            high[i] = below - moved


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1],"
                  " F[:, :, ::1], i8, i8, F[::1], F[:, ::1], F[:, :, ::1])"))  # fmt: skip
@no_type_check
def saturating(
    lows, highs, differences, alphas, slopes, curves, scores, targets, first, last,
    values, gradients, hessians,
):  # fmt: skip
    """The derivatives of samples ``first`` to ``last``.

    Args:
        differences, alphas, slopes: (C, N) d, α and dα/dd.
        curves: (C, N) d²α/dd²; empty if no Hessian is asked for.
        scores, targets: (N, n) and (N, n, n).
        values, gradients: (N,) and (N, n); filled.
        hessians: (N, n, n); filled unless ``curves`` is empty.
    """
    n, comparators, dtype = scores.shape[1], len(lows), scores.dtype
    row, second = padded(n), len(curves) > 0
    half, two = dtype.type(0.5), dtype.type(2)
    alpha, slope = np.empty(comparators, dtype), np.empty(comparators, dtype)
    transfer, skew = np.empty(comparators, dtype), np.empty(comparators, dtype)
    pulls, pushes = np.empty(comparators, dtype), np.empty(comparators, dtype)
    rows, wires = np.empty((n, row), dtype), np.empty((n, row), dtype)
    apart, received = np.empty((comparators, row), dtype), np.empty((comparators, row), dtype)
    curvature = np.zeros((n, (n + 3) // 4 * 4), dtype)
    kept = comparators if second else 0
    tangents, crossed = np.empty((kept, row), dtype), np.empty((kept, row), dtype)
    columns, lower = np.empty(((n + 3) // 4 * 4, row), dtype), np.empty((n, row), dtype)
    for sample in range(first, last):
        for c in range(comparators):
            alpha[c], slope[c] = alphas[c, sample], slopes[c, sample]
            transfer[c] = alpha[c] + slope[c] * differences[c, sample]
        # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where P hides it.
        unseen = dtype.type(0)
        for score in range(n):
            unseen += 0 * scores[sample, score]
        mix_rows(lows, highs, alpha, rows, apart)
        values[sample] = compare_rows(rows, targets[sample], second, curvature) + unseen
        pull_rows(lows, highs, alpha, rows, apart, received, pulls)
        for c in range(comparators):
            pushes[c] = pulls[c] * slope[c]
        pull_values(lows, highs, transfer, pushes, skew, gradients[sample])
        for score in range(n):
            gradients[sample, score] += unseen
        if not second:
            continue
        difference_tangents(lows, highs, transfer, wires, tangents)
        crossed[:] = 0
        lower[:] = 0
        for item in range(n):
            row_tangents(
                lows, highs, alpha, slope, apart, received, item, tangents, crossed, columns
            )  # fmt: skip
            add_squares(curvature[item], columns, lower)
        for c in range(comparators):
            bend = curves[c, sample]
            bent = two * slope[c] + bend * differences[c, sample]
            own = half * (pulls[c] * bend - skew[c] * bent)
            for score in range(row):
                crossed[c, score] += own * tangents[c, score]
        add_products(tangents, crossed, lower)
        mirror(lower, hessians[sample])
