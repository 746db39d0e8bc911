"""Compiled passes through a relaxed sorting network (numba), shared by both numerics.

They compute what :mod:`newton_core.losses.network_derivatives` does with tensors, but in place and
for one sample at a time, so that nothing is copied and all that a sample touches stays in cache.

Conventions: ``lows`` and ``highs`` are the two wires of each of the C comparators, in the order in
which they act. Arrays over comparators and samples are (C, N), all others belong to one sample.
Innermost loops run over a row of items or scores, which is padded by zeros to ``padded(n)``: they
become vector instructions without a rest.
"""

from typing import no_type_check

from newton_core.algorithms.compiled import compiled


def either(signature: str) -> tuple[str, str]:
    """A signature for float32 and for float64, which it calls F."""
    return signature.replace("F", "f4"), signature.replace("F", "f8")


@compiled("i8(i8)")
@no_type_check
def padded(n):
    """The length of a row of n numbers."""
    return (n + 7) // 8 * 8


@compiled(
    *either("void(i8[::1], i8[::1], i8, i8, i8, F, F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1])")
)
@no_type_check
def travel(lows, highs, begin, middle, end, beta, alpha, values, differences, steep):
    """Sends all samples' scores through one layer and compares them for the next.

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


@compiled(*either("void(i8[::1], i8[::1], F[::1], F[::1], F[::1], F[::1])"))
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


@compiled(*either("void(i8[::1], i8[::1], F[::1], F[:, ::1], F[:, ::1])"))
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


@compiled(*either("void(F[::1], F[:, ::1], F[:, ::1])"))
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


@compiled(*either("void(F[:, ::1], F[:, ::1], F[:, ::1])"))
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


@compiled(*either("void(F[:, ::1], F[:, ::1])"))
@no_type_check
def mirror(half, whole):
    """Writes the symmetric matrix whose lower half is ``half``."""
    for a in range(len(half)):
        for b in range(a + 1):
            whole[a, b] = half[a, b]
            whole[b, a] = half[a, b]
