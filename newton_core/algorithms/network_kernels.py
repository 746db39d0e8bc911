"""Compiled passes through a relaxed sorting network (numba).

They compute what :mod:`newton_core.losses.network_derivatives` does with tensors, with the same
products in the same dtype, but in place and for a block of samples at a time. So nothing is
copied, and what a block touches stays in cache.

Conventions: ``lows`` and ``highs`` are the two wires of each of the C comparators, in the order in
which they act. Arrays over comparators are (C, N), matrices [wire, item, sample]. The arrays of a
block hold samples ``start`` to ``start + width`` at places 0 to ``width`` of their last axis.
Innermost loops run over the samples of a row: those become vector instructions.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


def either(signature: str) -> tuple[str, str]:
    """A signature for float32 and for float64, which it calls F."""
    return signature.replace("F", "f4"), signature.replace("F", "f8")


@compiled(
    *either("void(i8[::1], i8[::1], i8, i8, i8, F, F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1])")
)
@no_type_check
def travel(lows, highs, begin, middle, end, beta, alpha, values, differences, steep):
    """Sends the scores through one layer and compares them for the next.

    Args:
        begin, middle, end: the layer's comparators are begin to middle, the next one's to end.
        beta: inverse temperature.
        alpha: (middle - begin, N) of the layer.
        values: (n, N) of the wires; overwritten.
        differences, steep: (C, N) d = high - low before each comparator, and β d; filled.
    """
    samples = values.shape[1]
    for c in range(begin, middle):
        low, high, share = values[lows[c]], values[highs[c]], alpha[c - begin]
        difference = differences[c]
        for s in range(samples):
            moved = share[s] * difference[s]
            below, above = low[s], high[s]
            low[s] = above - moved
            high[s] = below + moved
    for c in range(middle, end):
        low, high, difference, v = values[lows[c]], values[highs[c]], differences[c], steep[c]
        for s in range(samples):
            difference[s] = high[s] - low[s]
            v[s] = beta * difference[s]


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], F[:, ::1], i8, i8, F[:, :, ::1],"
                  " F[:, :, ::1])"))  # fmt: skip
@no_type_check
def mix_rows(lows, highs, alpha, other, start, width, rows, apart):
    """P of a block: the comparators mix the rows of the identity.

    Args:
        alpha, other: (C, N) α and 1 - α.
        rows: (n, n, block) filled with P.
        apart: (C, n, block) filled with the difference of the two rows that a comparator mixes.
    """
    one = rows.dtype.type(1)
    rows[:] = 0
    for wire in range(len(rows)):
        rows[wire, wire, :] = one
    for c in range(len(lows)):
        share, rest = alpha[c, start : start + width], other[c, start : start + width]
        for item in range(len(rows)):
            low, high, difference = rows[lows[c], item], rows[highs[c], item], apart[c, item]
            for s in range(width):
                below, above = low[s], high[s]
                difference[s] = below - above
                low[s] = share[s] * below + rest[s] * above
                high[s] = rest[s] * below + share[s] * above


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], F[:, ::1], i8, i8, F[:, :, ::1],"
                  " F[:, :, ::1], F[:, :, ::1], F[:, ::1])"))  # fmt: skip
@no_type_check
def pull_rows(lows, highs, alpha, other, start, width, rows, apart, received, pulls):
    """Backward through :func:`mix_rows`.

    Args:
        rows: (n, n, block) adjoints of P; overwritten.
        apart: as :func:`mix_rows` fills it.
        received: (C, n, block) filled with the difference of what the two exits receive, or empty.
        pulls: (C, N) filled with the adjoints of α.
    """
    keep = len(received) > 0
    pull = np.empty(width, rows.dtype)
    for c in range(len(lows) - 1, -1, -1):
        share, rest = alpha[c, start : start + width], other[c, start : start + width]
        pull[:] = 0
        for item in range(len(rows)):
            low, high, difference = rows[lows[c], item], rows[highs[c], item], apart[c, item]
            if keep:
                crossed = received[c, item]
                for s in range(width):
                    crossed[s] = low[s] - high[s]
            for s in range(width):
                below, above = low[s], high[s]
                pull[s] += (below - above) * difference[s]
                low[s] = share[s] * below + rest[s] * above
                high[s] = rest[s] * below + share[s] * above
        pulls[c, start : start + width] = pull


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], i8, i8, F[:, ::1], F[:, ::1])"))
@no_type_check
def pull_values(lows, highs, transfer, start, width, skew, gradient):
    """Backward through :func:`travel`.

    Args:
        transfer: (C, N) derivative of α d in d.
        skew: (C, N) what each d receives besides the wires it mixes; overwritten with the adjoint
            of the comparator's -α d.
        gradient: (n, N) filled with the scores' adjoints.
    """
    gradient[:, start : start + width] = 0
    for c in range(len(lows) - 1, -1, -1):
        low = gradient[lows[c], start : start + width]
        high = gradient[highs[c], start : start + width]
        straight, apart = transfer[c, start : start + width], skew[c, start : start + width]
        for s in range(width):
            below, above = low[s], high[s]
            between = below - above
            push = apart[s] - between * straight[s]
            apart[s] = between
            low[s] = above - push
            high[s] = below + push


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], i8, i8, F[:, :, ::1])"))
@no_type_check
def score_tangents(lows, highs, transfer, start, width, tangents):
    """The tangents of every d of a block, for all scores: fills (C, n, block)."""
    n = tangents.shape[1]
    one = tangents.dtype.type(1)
    values = np.empty((n, width), tangents.dtype)
    for score in range(n):
        values[:] = 0
        values[score, :] = one
        for c in range(len(lows)):
            low, high, apart = values[lows[c]], values[highs[c]], tangents[c, score]
            straight = transfer[c, start : start + width]
            for s in range(width):
                below, above = low[s], high[s]
                apart[s] = above - below
                moved = straight[s] * (above - below)
                low[s] = above - moved
                high[s] = below + moved


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], F[:, ::1], i8, i8, F[:, :, ::1],"
                  " F[:, :, ::1], F[:, :, ::1], F[:, :, ::1], F[:, :, ::1],"
                  " F[:, :, ::1])"))  # fmt: skip
@no_type_check
def row_tangents(
    lows, highs, alpha, slope, start, width, tangents, apart, received, weights, crossed, hessian
):  # fmt: skip
    """The tangents of P, one item at a time, and what they add to the Hessian of a block.

    Args:
        slope: (C, N) dα/dd.
        tangents, apart, received: as the passes before fill them.
        weights: (n, n, block) half of the cross-entropy's second derivative in each entry of P.
        crossed: (C, n, block) filled with each α's mixed terms, for every score.
        hessian: (n, n, block); half of sum w t t^T over the entries is added.
    """
    n = len(hessian)
    rows = np.empty((n, n, width), hessian.dtype)  # [wire, score, sample]
    scaled = np.empty(width, hessian.dtype)
    crossed[:] = 0
    for item in range(n):
        rows[:] = 0
        for c in range(len(lows)):
            share = alpha[c, start : start + width]
            steep = slope[c, start : start + width]
            difference, exits = apart[c, item], received[c, item]
            for s in range(width):
                scaled[s] = steep[s] * difference[s]
            for score in range(n):
                low, high, cross = rows[lows[c], score], rows[highs[c], score], crossed[c, score]
                enters = tangents[c, score]
                for s in range(width):
                    below, above = low[s], high[s]
                    between = below - above
                    moved = share[s] * between + scaled[s] * enters[s]
                    cross[s] += exits[s] * between
                    low[s] = above + moved
                    high[s] = below - moved
        for wire in range(n):
            weight = weights[wire, item]
            for a in range(n):
                left = rows[wire, a]
                for s in range(width):
                    scaled[s] = weight[s] * left[s]
                for b in range(n):
                    right, into = rows[wire, b], hessian[a, b]
                    for s in range(width):
                        into[s] += scaled[s] * right[s]


@compiled(*either("void(F[:, ::1], F[:, ::1], i8, i8, F[:, :, ::1], F[:, :, ::1], F[:, :, ::1],"
                  " F[:, :, ::1])"))  # fmt: skip
@no_type_check
def comparator_terms(bend, slope, start, width, tangents, crossed, hessian, hessians):
    """Adds the comparators' own terms to a block's Hessian, and makes it whole.

    Args:
        bend: (C, N) half of each comparator's second derivative in d, times its adjoint.
        hessian: (n, n, block) of :func:`row_tangents`: all but its transpose.
        hessians: (N, n, n); those of the block are filled.
    """
    n = len(hessian)
    own = np.empty((n, width), hessian.dtype)
    for c in range(len(tangents)):
        curved, steep = bend[c, start : start + width], slope[c, start : start + width]
        for b in range(n):
            tangent, cross, term = tangents[c, b], crossed[c, b], own[b]
            for s in range(width):
                term[s] = curved[s] * tangent[s] + steep[s] * cross[s]
        for a in range(n):
            tangent = tangents[c, a]
            for b in range(n):
                term, into = own[b], hessian[a, b]
                for s in range(width):
                    into[s] += tangent[s] * term[s]
    for a in range(n):
        for b in range(a + 1):
            for s in range(width):
                both = hessian[a, b, s] + hessian[b, a, s]
                hessians[start + s, a, b] = both
                hessians[start + s, b, a] = both


@compiled(*either("void(i8[::1], i8[::1], F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1],"
                  " F[:, ::1], F[:, :, ::1], i8, i8, i8, F[:, ::1], F[:, ::1], F[:, :, ::1],"
                  " F[:, ::1], F[:, :, ::1])"))  # fmt: skip
@no_type_check
def saturating(
    lows, highs, differences, alpha, other, slope, transfer, curve, target, first, last, lanes,
    pulls, skew, p, gradient, hessians,
):  # fmt: skip
    """P and the derivatives of BCELoss on it for samples ``first`` to ``last``.

    Args:
        differences, alpha, other, slope: (C, N) d, α, 1 - α and dα/dd.
        transfer: (C, N) derivative of α d in d.
        curve: (C, N) d²α/dd²; empty if no Hessian is asked for.
        target: (n, n, N) true permutations.
        lanes: samples in a block.
        pulls, skew: (C, N); overwritten.
        p, gradient: (n, n, N) and (n, N); filled.
        hessians: (N, n, n); filled unless ``curve`` is empty.
    """
    n, comparators, dtype = len(p), len(lows), p.dtype
    second = len(curve) > 0
    one, two, half, least = dtype.type(1), dtype.type(2), dtype.type(0.5), dtype.type(1e-12)
    scale = dtype.type(1.0 / (n * n))
    rows = np.empty((n, n, lanes), dtype)
    apart = np.empty((comparators, n, lanes), dtype)
    received = np.empty((comparators if second else 0, n, lanes), dtype)
    tangents, crossed = np.empty_like(received), np.empty_like(received)
    weights = np.empty((n if second else 0, n, lanes), dtype)
    hessian = np.empty_like(weights)
    for start in range(first, last, lanes):
        width = min(lanes, last - start)
        end = start + width
        mix_rows(lows, highs, alpha, other, start, width, rows, apart)
        for wire in range(n):
            for item in range(n):
                entry, kept = rows[wire, item], p[wire, item, start:end]
                truth = target[wire, item, start:end]
                if second:
                    weight = weights[wire, item]
                    for s in range(width):
                        x, q = entry[s], truth[s]
                        below, above = x + least, one - x + least
                        guards = below * below * (above * above)
                        weight[s] = half * scale * ((x * x - two * x * q + q) / guards)
                for s in range(width):
                    x = entry[s]
                    kept[s] = x
                    entry[s] = scale * (x - truth[s]) / max((one - x) * x, least)
        pull_rows(lows, highs, alpha, other, start, width, rows, apart, received, pulls)
        for c in range(comparators):
            pull, steep, into = pulls[c, start:end], slope[c, start:end], skew[c, start:end]
            for s in range(width):
                into[s] = pull[s] * steep[s]
        pull_values(lows, highs, transfer, start, width, skew, gradient)
        if not second:
            continue
        for c in range(comparators):
            pull, steep, lean = pulls[c, start:end], slope[c, start:end], skew[c, start:end]
            bend, difference = curve[c, start:end], differences[c, start:end]
            for s in range(width):
                bent = two * steep[s] + bend[s] * difference[s]
                pull[s] = half * (pull[s] * bend[s] - lean[s] * bent)
        score_tangents(lows, highs, transfer, start, width, tangents)
        hessian[:] = 0
        row_tangents(
            lows, highs, alpha, slope, start, width, tangents, apart, received, weights, crossed,
            hessian,
        )  # fmt: skip
        comparator_terms(pulls, slope, start, width, tangents, crossed, hessian, hessians)
