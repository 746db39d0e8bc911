"""Compiled passes through a relaxed sorting network (numba).

They compute what :mod:`newton_core.losses.network_derivatives` does with tensors, but in place and
for a few samples at a time, so that nothing is copied and all that these touch stays in cache.

Conventions: ``net`` (4, C) holds the low and the high wire of each of the C comparators, in the
order in which they act, and the range of the inputs that can reach either (see
:class:`~newton_core.algorithms.sorting_networks.Wiring`): what belongs to the others is zero or has
no effect, and is left out. Arrays over comparators and the whole batch are (C, N). All others
belong to some samples side by side, the lanes, which are their last axis: innermost loops run over
them and become vector instructions. A compiler proves that first where a loop's arrays cannot
overlap, and gives up beyond eight pairs of arrays of which one is written: hence the short loops.
"""

from typing import no_type_check

from newton_core.algorithms.compiled import compiled

FEWEST_LANES, MOST_LANES = 32, 128
"""Samples side by side: enough that a loop over them is worth its start."""

NEAR = 2**16
"""Numbers of an array over comparators, items and lanes that a cache near the processor holds."""


def either(signature: str) -> tuple[str, str]:
    """A signature for float32 and for float64, which it calls F."""
    return signature.replace("F", "f4"), signature.replace("F", "f8")


@compiled("i8(i8, i8, i8)")
@no_type_check
def lanes_of(samples, comparators, n):
    """Into how many lanes a batch is cut, as evenly as may be."""
    most = min(max(NEAR // (comparators * n), FEWEST_LANES), MOST_LANES)
    blocks = max(1, (samples + most - 1) // most)
    return max(1, (samples + blocks - 1) // blocks)


@compiled(*either("void(F[:, ::1], i8, i8, F, F[:, ::1])"))
@no_type_check
def take_lanes(batch, first, last, scale, lanes):
    """Copies samples ``first`` to ``last`` of (C, N), times ``scale``, to (C, at least as many).

    The last one also fills the lanes that are left over.
    """
    count = last - first
    for c in range(len(lanes)):
        source, into = batch[c], lanes[c]
        for s in range(count):
            into[s] = scale * source[first + s]
        for s in range(count, len(into)):
            into[s] = into[count - 1]


@compiled(*either("void(i8[:, ::1], i8, i8, i8, F, F, F, F[:, ::1], F[:, ::1], F[:, :, ::1])"))
@no_type_check
def travel(net, begin, middle, end, beta, sign, divisor, scores, values, over):
    """Sends all samples' scores through one layer and compares them for the next.

    Args:
        begin, middle, end: the layer's comparators are begin to middle, the next one's to end; none
            are before the first layer and after the last.
        beta: inverse temperature.
        sign, divisor: of the distribution, F(v) = raw(sign v) / divisor.
        scores: (N, n), read before the first layer.
        values: (n, N) of the wires, written there and overwritten from then on.
        over: (4, C, N): d = high - low before each comparator, v = β d, α, and sign v. Filled for
            the next layer but for α; the layer's own α is raw, and divided.
    """
    if middle == 0:
        for wire in range(len(values)):
            for s in range(values.shape[1]):
                values[wire, s] = scores[s, wire]
    for c in range(begin, middle):
        low, high, difference, share = values[net[0, c]], values[net[1, c]], over[0, c], over[2, c]
        for s in range(values.shape[1]):
            share[s] /= divisor
        for s in range(values.shape[1]):
            moved = share[s] * difference[s]
            below, above = low[s], high[s]
            low[s] = above - moved
            high[s] = below + moved
    for c in range(middle, end):
        low, high, difference = values[net[0, c]], values[net[1, c]], over[0, c]
        v, argument = over[1, c], over[3, c]
        for s in range(values.shape[1]):
            difference[s] = high[s] - low[s]
            v[s] = beta * difference[s]
            argument[s] = sign * v[s]


@compiled(*either("void(i8[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1], F[:, ::1])"))
@no_type_check
def pull_values(net, transfer, pulls, skew, gradient):
    """Backward through :func:`travel`.

    Args:
        transfer: (C, lanes) derivative of α d in d.
        pulls: (C, lanes) what each d receives besides the wires it mixes.
        skew: (C, lanes) filled with the adjoint of each comparator's -α d.
        gradient: (n, lanes) filled with the scores' adjoints.
    """
    gradient[:] = 0
    for c in range(net.shape[1] - 1, -1, -1):
        below, above = gradient[net[0, c]], gradient[net[1, c]]
        received, straight, apart = pulls[c], transfer[c], skew[c]
        for s in range(gradient.shape[1]):
            low, high = below[s], above[s]
            push = received[s] - (low - high) * straight[s]
            apart[s] = low - high
            below[s] = high - push
            above[s] = low + push


@compiled(*either("void(i8[:, ::1], F[:, ::1], F[:, :, ::1], F[:, :, ::1])"))
@no_type_check
def difference_tangents(net, transfer, wires, tangents):
    """The tangents of every d, for all scores: fills (C, n, lanes); ``wires`` is (n, n, lanes)."""
    wires[:] = 0
    for wire in range(len(wires)):
        wires[wire, wire] = 1
    for c in range(net.shape[1]):
        low, high, apart, straight = wires[net[0, c]], wires[net[1, c]], tangents[c], transfer[c]
        for i in range(net[2, c], net[3, c]):
            for s in range(transfer.shape[1]):
                below, above = low[i, s], high[i, s]
                moved = straight[s] * (above - below)
                apart[i, s] = above - below
                low[i, s] = above - moved
                high[i, s] = below + moved


@compiled(*either("void(F[:, ::1], F[:, :, ::1], F[:, ::1], F[:, :, ::1])"))
@no_type_check
def add_squares(weights, rows, weighted, half):
    """Adds sum_r w_r t_r t_r^T below the diagonal of ``half`` (n, n, lanes).

    Args:
        weights, rows: (R, lanes) and (R, n, lanes); R is divisible by four.
        weighted: (4, lanes), overwritten.
    """
    first, second, third, fourth = weighted[0], weighted[1], weighted[2], weighted[3]
    for r in range(0, len(rows), 4):
        for a in range(len(half)):
            for k in range(4):
                for s in range(weights.shape[1]):
                    weighted[k, s] = weights[r + k, s] * rows[r + k, a, s]
            for b in range(a + 1):
                into, own, other = half[a, b], rows[r, b], rows[r + 1, b]
                further, last = rows[r + 2, b], rows[r + 3, b]
                for s in range(weights.shape[1]):
                    into[s] += (first[s] * own[s] + second[s] * other[s]) + (
                        third[s] * further[s] + fourth[s] * last[s]
                    )


@compiled(*either("void(i8[:, ::1], F[:, :, ::1], F[:, :, ::1], F[:, :, ::1])"))
@no_type_check
def add_products(net, lefts, rights, half):
    """Adds sum_c (x_c y_c^T + y_c x_c^T) of the comparators' (C, n, lanes) below the diagonal."""
    for c in range(net.shape[1]):
        for a in range(net[2, c], net[3, c]):
            left, right = lefts[c, a], rights[c, a]
            for b in range(net[2, c], a + 1):
                into, own, other = half[a, b], lefts[c, b], rights[c, b]
                for s in range(half.shape[2]):
                    into[s] += left[s] * other[s] + right[s] * own[s]


@compiled(*either("void(F[:, :, ::1], F[:, :, ::1])"))
@no_type_check
def mirror(half, whole):
    """Writes the symmetric matrices whose lower halves are ``half``, one for each of the first
    lanes: (samples, n, n).
    """
    for s in range(len(whole)):
        for a in range(len(half)):
            for b in range(a + 1):
                whole[s, a, b] = half[a, b, s]
                whole[s, b, a] = half[a, b, s]
