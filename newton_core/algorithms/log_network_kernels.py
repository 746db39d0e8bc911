"""The compiled derivatives of the cross-entropy from a relaxed sorting network's log P (numba).

In float64 throughout. No entry of P is ever formed: rows are logarithms, a comparator is a
logaddexp of two of them, and tangents are those of logarithms. With the shares s and 1 - s that
the two summands have in an exit's entry, the tangent of its logarithm is the mean of the summands'
tangents, weighted by the shares: nothing cancels and nothing overflows.

The Hessian is that of a product of matrices in which every entry is counted in units of itself:
the product is bilinear in α and in the rows that it mixes, and the logarithms' own curvature is
that of the last layer alone. So no sum over all entries of all layers is needed.

Conventions: :mod:`newton_core.algorithms.network_kernels`, but for one sample at a time. Innermost
loops run over a row of items or scores, which is padded by zeros to ``padded(n)``.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled

ZERO = -1e300
"""The logarithm of the identity's zeros: finite, and it outweighs every other."""


@compiled("i8(i8)")
@no_type_check
def padded(n):
    """The length of a row of n numbers."""
    return (n + 7) // 8 * 8


@compiled("void(i8[::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1])")
@no_type_check
def pull_values(lows, highs, transfer, pulls, skew, gradient):
    """Backward through :func:`travel`.

    Args:
        transfer: (C,) derivative of α d in d.
        pulls: (C,) what each d receives besides the wires it mixes.
        skew: (C,) filled with the adjoint of each comparator's -α d.
        gradient: (n,) filled with the scores' adjoints.
    """
    gradient[:] = 0
    for c in range(len(lows) - 1, -1, -1):
        low, high = gradient[lows[c]], gradient[highs[c]]
        skew[c] = low - high
        push = pulls[c] - (low - high) * transfer[c]
        gradient[lows[c]] = high - push
        gradient[highs[c]] = low + push


@compiled("void(i8[::1], i8[::1], f8[::1], f8[:, ::1], f8[:, ::1])")
@no_type_check
def difference_tangents(lows, highs, transfer, wires, tangents):
    """The tangents of every d, for all scores: fills (C, scores); ``wires`` is (n, scores)."""
    wires[:] = 0
    for wire in range(len(wires)):
        wires[wire, wire] = 1
    for c in range(len(lows)):
        low, high, apart, straight = wires[lows[c]], wires[highs[c]], tangents[c], transfer[c]
        for i in range(tangents.shape[1]):
            below, above = low[i], high[i]
            moved = straight * (above - below)
            apart[i] = above - below
            low[i] = above - moved
            high[i] = below + moved


@compiled("void(f8[::1], f8[:, ::1], f8[:, ::1])")
@no_type_check
def add_squares(weights, rows, half):
    """Adds sum_r w_r t_r t_r^T below the diagonal of ``half`` (n, scores); rows come in fours."""
    for r in range(0, len(rows), 4):
        first, second, third, fourth = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
        for a in range(len(half)):
            p, q = weights[r] * first[a], weights[r + 1] * second[a]
            u, v = weights[r + 2] * third[a], weights[r + 3] * fourth[a]
            into = half[a]
            for b in range((a + 8) // 8 * 8):
                into[b] += p * first[b] + q * second[b] + u * third[b] + v * fourth[b]


@compiled("void(f8[:, ::1], f8[:, ::1], f8[:, ::1])")
@no_type_check
def add_products(lefts, rights, half):
    """Adds sum_r (x_r y_r^T + y_r x_r^T) below the diagonal of ``half``."""
    for r in range(len(lefts)):
        left, right = lefts[r], rights[r]
        for a in range(len(half)):
            p, q = left[a], right[a]
            into = half[a]
            for b in range((a + 8) // 8 * 8):
                into[b] += p * right[b] + q * left[b]


@compiled("void(f8[:, ::1], f8[:, ::1])")
@no_type_check
def mirror(half, whole):
    """Writes the symmetric matrix whose lower half is ``half``."""
    for a in range(len(half)):
        for b in range(a + 1):
            whole[a, b] = half[a, b]
            whole[b, a] = half[a, b]


@compiled("void(i8[::1], i8[::1], f8[:, ::1], i8, i8, i8, f8[:, :, ::1], f8[:, :, :, ::1])")
@no_type_check
def mix_logs(lows, highs, logs, comparators, first, last, rows, shares):
    """log P of samples ``first`` to ``last``.

    Args:
        logs: (2 C, N) log α, then log(1 - α).
        comparators: C.
        rows: (N, n, n) filled with log P.
        shares: (N, C, 2, n) filled with what the low wire's summand weighs in the low exit and
            in the high one.
    """
    n = rows.shape[1]
    for sample in range(first, last):
        state = rows[sample]
        state[:] = ZERO
        for wire in range(n):
            state[wire, wire] = 0
        for c in range(comparators):
            stay, cross = logs[c, sample], logs[comparators + c, sample]
            low, high = state[lows[c]], state[highs[c]]
            to_low, to_high = shares[sample, c, 0], shares[sample, c, 1]
            for i in range(n):
                below, above = low[i], high[i]
                if max(below, above) < ZERO / 2:  # the item has reached neither wire yet
                    to_low[i] = to_high[i] = 0.5
                    continue
                apart = (stay + below) - (cross + above)
                small = np.exp(-abs(apart))
                to_low[i] = (1.0 if apart > 0 else small) / (1 + small)
                low[i] = (stay + below if apart > 0 else cross + above) + np.log1p(small)
                apart = (cross + below) - (stay + above)
                small = np.exp(-abs(apart))
                to_high[i] = (1.0 if apart > 0 else small) / (1 + small)
                high[i] = (cross + below if apart > 0 else stay + above) + np.log1p(small)


@compiled("void(i8[::1], i8[::1], f8[:, :, ::1], f8[::1], f8[::1], f8[:, ::1], f8[:, :, ::1],"
          " f8[::1], f8[::1])")  # fmt: skip
@no_type_check
def pull_logs(lows, highs, shares, stays, crosses, rows, mixing, pulls, cross_pulls):
    """Backward through :func:`mix_logs`, for one sample.

    Args:
        stays, crosses: (C,) derivatives of log α and of log(1 - α) in d.
        rows: (n, items) adjoints of log P; overwritten.
        mixing: (C, items, 8) filled with what :func:`log_tangents` needs.
        pulls, cross_pulls: (C,) filled with the adjoints of log α and log(1 - α).
    """
    n = rows.shape[1]
    for c in range(len(lows) - 1, -1, -1):
        low, high, stay, cross = rows[lows[c]], rows[highs[c]], stays[c], crosses[c]
        pulls[c] = cross_pulls[c] = 0
        for i in range(n):
            to_low, to_high = shares[c, 0, i], shares[c, 1, i]
            first, second = to_low * low[i], to_high * high[i]
            third, fourth = low[i] - first, high[i] - second
            mix = mixing[c, i]
            mix[0], mix[1] = to_low, 1 - to_low
            mix[2] = to_low * stay + (1 - to_low) * cross
            mix[3], mix[4] = to_high, 1 - to_high
            mix[5] = to_high * cross + (1 - to_high) * stay
            mix[6] = first * stay + second * cross
            mix[7] = third * cross + fourth * stay
            pulls[c] += first + fourth
            cross_pulls[c] += third + second
            low[i] = first + second
            high[i] = third + fourth


@compiled("void(i8[::1], i8[::1], f8[:, :, ::1], i8, f8[:, ::1], f8[:, ::1], f8[:, ::1])")
@no_type_check
def log_tangents(lows, highs, mixing, item, tangents, crossed, rows):
    """The tangents of the logarithms of one item's column of P, for all scores.

    Args:
        mixing: (C, items, 8) how a comparator treats the tangents (a, b) of its two wires and t of
            its d: with the eight numbers k, the low exit has k0 a + k1 b + k2 t, the high one
            k3 a + k4 b + k5 t, and k6 a + k7 b is added to ``crossed``.
        tangents: (C, scores) of every d.
        crossed: (C, scores); the item's share of the mixed terms of every d is added.
        rows: (at least n, scores), filled in its first n rows.
    """
    rows[:] = 0
    for c in range(len(lows)):
        mix = mixing[c, item]
        to_low, from_high, enters_low = mix[0], mix[1], mix[2]
        to_high, stays_high, enters_high = mix[3], mix[4], mix[5]
        of_low, of_high = mix[6], mix[7]
        low, high, cross, enters = rows[lows[c]], rows[highs[c]], crossed[c], tangents[c]
        for i in range(tangents.shape[1]):
            below, above, t = low[i], high[i], enters[i]
            cross[i] += of_low * below + of_high * above
            low[i] = to_low * below + from_high * above + enters_low * t
            high[i] = to_high * below + stays_high * above + enters_high * t


@compiled("void(i8[::1], i8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1],"
          " f8[:, :, :, ::1], f8[:, :, ::1], f8[:, :, :, ::1], i8, i8, f8[:, ::1],"
          " f8[:, :, ::1])")  # fmt: skip
@no_type_check
def log_domain(
    lows, highs, slopes, transfers, curves, bents, shares, adjoints, factors, first, last,
    gradients, hessians,
):  # fmt: skip
    """The derivatives of samples ``first`` to ``last`` from those in their log P.

    Args:
        slopes: (2 C, N) derivatives of log α, then of log(1 - α), in d.
        transfers: (C, N) derivative of α d in d.
        curves: (2 C, N) α'' / α, then (1 - α)'' / (1 - α), in d; empty if no Hessian is asked for.
        bents: (C, N) second derivative of α d in d.
        shares: (N, C, 2, n) of :func:`mix_logs`.
        adjoints: (N, n, n) derivatives in log P.
        factors: (4, N, n, n) of the rows' Hessians: left and right of one pair, then of the other.
        gradients: (N, n); filled.
        hessians: (N, n, n); filled if a Hessian is asked for.
    """
    n, comparators, second = gradients.shape[1], len(lows), len(curves) > 0
    row, fours = padded(n), (n + 3) // 4 * 4
    stays, crosses, transfer = np.empty(comparators), np.empty(comparators), np.empty(comparators)
    pulls, cross_pulls = np.empty(comparators), np.empty(comparators)
    pushes, skew = np.empty(comparators), np.empty(comparators)
    mixing = np.empty((comparators, n, 8))
    rows, wires, lower = np.empty((n, n)), np.empty((n, row)), np.empty((n, row))
    tangents, crossed = np.empty((comparators, row)), np.empty((comparators, row))
    columns, weights, sums = np.empty((fours, row)), np.zeros(fours), np.empty((4, n, row))
    for sample in range(first, last):
        for c in range(comparators):
            stays[c], crosses[c] = slopes[c, sample], slopes[comparators + c, sample]
            transfer[c] = transfers[c, sample]
        rows[:] = adjoints[sample]
        pull_logs(lows, highs, shares[sample], stays, crosses, rows, mixing, pulls, cross_pulls)
        for c in range(comparators):
            pushes[c] = pulls[c] * stays[c] + cross_pulls[c] * crosses[c]
        pull_values(lows, highs, transfer, pushes, skew, gradients[sample])
        if not second:
            continue
        difference_tangents(lows, highs, transfer, wires, tangents)
        crossed[:] = 0
        lower[:] = 0
        sums[:] = 0
        for item in range(n):
            log_tangents(lows, highs, mixing, item, tangents, crossed, columns)
            for wire in range(n):
                weights[wire] = -adjoints[sample, wire, item]
                column = columns[wire]
                for k in range(0, 4, 2):
                    left, right = factors[k, sample, wire], factors[k + 1, sample, wire]
                    weights[wire] -= left[item] * right.sum() + right[item] * left.sum()
                    into, other = sums[k, wire], sums[k + 1, wire]
                    for i in range(row):
                        into[i] += left[item] * column[i]
                        other[i] += right[item] * column[i]
            add_squares(weights, columns, lower)
        add_products(sums[0], sums[1], lower)
        add_products(sums[2], sums[3], lower)
        for c in range(comparators):
            own = pulls[c] * curves[c, sample] + cross_pulls[c] * curves[comparators + c, sample]
            own = 0.5 * (own - skew[c] * bents[c, sample])
            for i in range(row):
                crossed[c, i] += own * tangents[c, i]
        add_products(tangents, crossed, lower)
        mirror(lower, hessians[sample])
