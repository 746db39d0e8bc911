"""Compiled batch means of the softmax-sorting Hessians (numba; imported on first use).

The torch route forms (n, n, n, N) tensors, which leave every cache. Here one sample after the other
is summed in float64 from its rows' factors: H_kl = sum of left_k right_l + left_l right_k over the
pairs, off a row's diagonal, and the rows of H sum to zero.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import Kernel, compiled


@compiled("void(float64[:, ::1])")
@no_type_check
def _laplacian(matrix):
    """Adds the transpose, and overwrites the diagonal so that the rows sum to zero."""
    n = matrix.shape[0]
    for k in range(n):
        for other in range(k):
            both = matrix[k, other] + matrix[other, k]
            matrix[k, other] = both
            matrix[other, k] = both
    for k in range(n):
        matrix[k, k] = 0.0
        total = 0.0
        for other in range(n):
            total += matrix[k, other]
        matrix[k, k] = -total


@compiled("void(float64[::1], int64[::1])")
@no_type_check
def _sort(scores, order):
    """Fills ``order`` with the scores' places, the least first; equal ones keep their order."""
    for i in range(len(scores)):
        place = i
        while place > 0 and scores[order[place - 1]] > scores[i]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = i


@compiled("float64(float64, float64)")
@no_type_check
def _sign(one, other):
    """The sign of one - other, without a branch, which no processor could foretell."""
    return 1.0 * ((one > other) - (one < other))


@compiled("void(float64[:, :, ::1], float64[:, :, ::1], float64[::1], float64[:, :, ::1],"
          " float64[:, ::1])")  # fmt: skip
@no_type_check
def _add_neuralsort(left, right, scores, sums, total):
    """Adds tau^2 times one sample's NeuralSort Hessian: K2 + K1 M + (K1 M)^T + M^T K0 M.

    K_i = sum_r c_r^i H_r with c_r = 2 r - n + 1 for r = 0..n-1, and M = sign(s_k - s_m), its
    diagonal minus the row sums. ``sums`` (5, n, n) are overwritten.
    """
    pairs, n, _ = left.shape
    sums[:] = 0
    for pair in range(pairs):
        for r in range(n):
            c = 2.0 * r - n + 1.0
            for k in range(n):
                zeroth = left[pair, r, k]
                first, second = c * zeroth, c * c * zeroth
                for m in range(n):
                    sums[0, k, m] += zeroth * right[pair, r, m]
                    sums[1, k, m] += first * right[pair, r, m]
                    sums[2, k, m] += second * right[pair, r, m]
    signs, mixed = sums[3], sums[4]
    for k in range(n):
        row = 0.0
        for m in range(n):
            signs[k, m] = _sign(scores[k], scores[m])
            row += signs[k, m]
        signs[k, k] = -row
    for i in range(3):
        _laplacian(sums[i])
    for a in range(n):
        for k in range(n):
            half = 0.5 * signs[a, k]
            for m in range(n):
                sums[1, k, m] += half * sums[0, a, m]
    for k in range(n):
        for a in range(n):
            entry = sums[1, k, a]
            for m in range(n):
                mixed[k, m] += entry * signs[a, m]
    for k in range(n):
        for m in range(n):
            total[k, m] += sums[2, k, m] + mixed[k, m] + mixed[m, k]


@compiled("void(float64[:, :, ::1], float64[:, :, ::1], float64[::1], int64[::1],"
          " float64[:, :, ::1], float64[:, ::1])")  # fmt: skip
@no_type_check
def _add_softsort(left, right, scores, order, scratch, total):
    """Adds tau^2 times one sample's SoftSort Hessian: S - E R - (E R)^T, its rows summing to zero.

    As ``SoftSortLogits.pull_hessian`` has it. ``scratch`` (5, n, n) is overwritten.
    """
    pairs, n, _ = left.shape
    sums, signed_left, signed_right, sign = scratch[0], scratch[1, 0], scratch[2, 0], scratch[3, 0]
    sums[:] = 0
    for r in range(n):
        for k in range(n):
            sign[k] = _sign(scores[order[r]], scores[k])
        for pair in range(pairs):
            sum_left = sum_right = signed_sum_left = signed_sum_right = 0.0
            for k in range(n):
                signed_left[k] = sign[k] * left[pair, r, k]
                signed_right[k] = sign[k] * right[pair, r, k]
                sum_left += left[pair, r, k]
                sum_right += right[pair, r, k]
                signed_sum_left += signed_left[k]
                signed_sum_right += signed_right[k]
            for k in range(n):
                for m in range(n):
                    sums[k, m] += signed_left[k] * signed_right[m]
                spread_left = signed_sum_left - sign[k] * sum_left
                spread_right = signed_sum_right - sign[k] * sum_right
                sums[order[r], k] -= signed_left[k] * spread_right + signed_right[k] * spread_left
    _laplacian(sums)
    for k in range(n):
        for m in range(n):
            total[k, m] += sums[k, m]


@compiled(*(f"void({f}[:, :, ::1], float64[::1], int64[::1], int64, boolean, float64,"
            f" float64[:, ::1], {f}[::1])" for f in ("float32", "float64")))  # fmt: skip
@no_type_check
def _pull_gradient(rows, own, order, sample, neuralsort, temperature, sums, into):
    """Fills a sample's gradient, sum_r A_r^T g_r, from its rows' g_r at rows[r, k, sample].

    ``own`` are its scores and ``sums`` (at least 2, n) are overwritten.
    """
    n = rows.shape[0]
    gradient, total = sums[0], sums[1]
    gradient[:] = 0
    total[:] = 0
    if neuralsort:
        for r in range(n):
            c = 2.0 * r - n + 1.0
            for k in range(n):
                entry = float(rows[r, k, sample])
                total[k] += entry
                gradient[k] += c * entry
        for k in range(n):
            for m in range(n):
                sign = _sign(own[k], own[m])
                gradient[k] -= sign * (total[k] + total[m])
    else:
        for r in range(n):
            moved = 0.0
            for k in range(n):
                entry = _sign(own[order[r]], own[k]) * float(rows[r, k, sample])
                gradient[k] += entry
                moved += entry
            gradient[order[r]] -= moved
    for k in range(n):
        into[k] = gradient[k] / temperature


@no_type_check
def _saturating(
    p, first, pulled, target, scores, saturated, neuralsort, temperature, square, gradients
):  # fmt: skip
    """The mean of the samples' Hessians of BCELoss, (n, n), and whether it holds.

    With a row's softmax p, its derivatives f and c of the loss in p, w = p^2 c and
    d = w + p (f - p.f), a row's Hessian is diag(d) - d p^T - p d^T + sum(w) p p^T: one pair of
    factors, sum(w) p / 2 - d and p. Where p is above ``saturated`` at a wrong item, torch's own
    float32 rounding decides over the Hessian: the answer is then no. So it is for NaN.

    Args:
        p, first: (n, n, N) softmax and f.
        pulled: (n, n, N) derivatives of the loss in the rows' logits.
        square: of the temperature.
        gradients: (N, n) filled with the samples' gradients.
    """
    n, _, samples = p.shape
    kind = p.dtype.type
    one, two, size, least = kind(1), kind(2), kind(n * n), kind(1e-12)
    total = np.zeros((n, n))
    left, right, scratch = np.empty((1, n, n)), np.empty((1, n, n)), np.empty((5, n, n))
    own, curved, order = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for sample in range(samples):
        for i in range(n):
            own[i] = scores[i, sample]
        _sort(own, order)
        for r in range(n):
            mean = 0.0
            weight = 0.0
            for k in range(n):
                entry, truth = p[r, k, sample], target[r, k, sample]
                if not entry - truth <= saturated:
                    return total, False
                below, above = entry + least, one - entry + least
                guards = (below * below) * (above * above)
                curvature = (entry * entry - two * entry * truth + truth) / guards / size
                wide = np.float64(entry)
                curved[k] = wide * wide * float(curvature)
                mean += wide * float(first[r, k, sample])
                weight += curved[k]
            for k in range(n):
                entry = float(p[r, k, sample])
                d = curved[k] + entry * (float(first[r, k, sample]) - mean)
                left[0, r, k] = 0.5 * weight * entry - d
                right[0, r, k] = entry
        _pull_gradient(
            pulled, own, order, sample, neuralsort, temperature, scratch[0], gradients[sample]
        )  # fmt: skip
        if neuralsort:
            _add_neuralsort(left, right, own, scratch, total)
        else:
            _add_softsort(left, right, own, order, scratch, total)
    for k in range(n):
        for m in range(n):
            total[k, m] = total[k, m] / square / samples
    return total, True


@no_type_check
def _log_domain(first_left, first_right, second_left, second_right, scores, neuralsort):
    """The sum of tau^2 times the samples' Hessians from their rows' two pairs of factors."""
    n, _, samples = first_left.shape
    total = np.zeros((n, n))
    left, right, scratch = np.empty((2, n, n)), np.empty((2, n, n)), np.empty((5, n, n))
    own, order = np.empty(n), np.empty(n, np.int64)
    for sample in range(samples):
        for i in range(n):
            own[i] = scores[i, sample]
        _sort(own, order)
        for r in range(n):
            for k in range(n):
                left[0, r, k] = first_left[r, k, sample]
                right[0, r, k] = first_right[r, k, sample]
                left[1, r, k] = second_left[r, k, sample]
                right[1, r, k] = second_right[r, k, sample]
        if neuralsort:
            _add_neuralsort(left, right, own, scratch, total)
        else:
            _add_softsort(left, right, own, order, scratch, total)
    return total


def _each(kernel: Kernel, answer: str, rest: str) -> dict[str, Kernel]:
    """The kernel for either dtype of its four (n, n, N) arrays and the scores."""
    return {
        f: compiled(f"{answer}({', '.join([f'{f}[:, :, ::1]'] * 4)}, {rest.format(f)})")(kernel)
        for f in ("float32", "float64")
    }


SATURATING = _each(
    _saturating,
    "Tuple((float64[:, ::1], boolean))",
    "{0}[:, ::1], float64, boolean, float64, float64, {0}[:, ::1]",
)
LOG_DOMAIN = _each(_log_domain, "float64[:, ::1]", "{0}[:, ::1], boolean")
