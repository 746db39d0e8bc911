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


@compiled("void(float64[:, :, ::1], float64[:, :, ::1], float64[::1], float64[:, ::1])")
@no_type_check
def _add_neuralsort(left, right, scores, total):
    """Adds tau^2 times one sample's NeuralSort Hessian: K2 + K1 M + (K1 M)^T + M^T K0 M.

    K_i = sum_r c_r^i H_r with c_r = 2 r - n + 1 for r = 0..n-1, and M = sign(s_k - s_m), its
    diagonal minus the row sums.
    """
    pairs, n, _ = left.shape
    sums = np.zeros((3, n, n))
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
    signs = np.empty((n, n))
    for k in range(n):
        row = 0.0
        for m in range(n):
            signs[k, m] = np.sign(scores[k] - scores[m])
            row += signs[k, m]
        signs[k, k] = -row
    for i in range(3):
        _laplacian(sums[i])
    mixed = np.zeros((n, n))
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


@compiled("void(float64[:, :, ::1], float64[:, :, ::1], float64[::1], float64[:, ::1])")
@no_type_check
def _add_softsort(left, right, scores, total):
    """Adds tau^2 times one sample's SoftSort Hessian: S - E R - (E R)^T, its rows summing to zero.

    As ``SoftSortLogits.pull_hessian`` has it.
    """
    pairs, n, _ = left.shape
    sums = np.zeros((n, n))
    order = np.argsort(scores, kind="mergesort")
    signed_left, signed_right, sign = np.empty(n), np.empty(n), np.empty(n)
    for r in range(n):
        for k in range(n):
            sign[k] = np.sign(scores[order[r]] - scores[k])
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


@no_type_check
def _saturating(p, first, curvature, target, scores, saturated, skipped, neuralsort):
    """The sum of tau^2 times the samples' Hessians of BCELoss, (n, n); see module.

    With a row's softmax p, its derivatives f and c of the loss in p, w = p^2 c and
    d = w + p (f - p.f), a row's Hessian is diag(d) - d p^T - p d^T + sum(w) p p^T: one pair of
    factors, sum(w) p / 2 - d and p. Where p is above ``saturated`` at a wrong item, torch's own
    float32 rounding decides over the Hessian: such a sample is left out and marked in ``skipped``.
    """
    n, _, samples = p.shape
    total = np.zeros((n, n))
    left, right = np.empty((1, n, n)), np.empty((1, n, n))
    own = np.empty(n)
    for sample in range(samples):
        skipped[sample] = False
        for i in range(n):
            own[i] = scores[i, sample]
        for r in range(n):
            mean = 0.0
            weight = 0.0
            for k in range(n):
                entry = float(p[r, k, sample])
                if not entry - target[r, k, sample] <= saturated:
                    skipped[sample] = True
                mean += entry * first[r, k, sample]
                weight += entry * entry * curvature[r, k, sample]
            for k in range(n):
                entry = float(p[r, k, sample])
                d = entry * entry * curvature[r, k, sample] + entry * (first[r, k, sample] - mean)
                left[0, r, k] = 0.5 * weight * entry - d
                right[0, r, k] = entry
        if skipped[sample]:
            continue
        if neuralsort:
            _add_neuralsort(left, right, own, total)
        else:
            _add_softsort(left, right, own, total)
    return total


@no_type_check
def _log_domain(first_left, first_right, second_left, second_right, scores, neuralsort):
    """The sum of tau^2 times the samples' Hessians from their rows' two pairs of factors."""
    n, _, samples = first_left.shape
    total = np.zeros((n, n))
    left, right = np.empty((2, n, n)), np.empty((2, n, n))
    own = np.empty(n)
    for sample in range(samples):
        for i in range(n):
            own[i] = scores[i, sample]
        for r in range(n):
            for k in range(n):
                left[0, r, k] = first_left[r, k, sample]
                right[0, r, k] = first_right[r, k, sample]
                left[1, r, k] = second_left[r, k, sample]
                right[1, r, k] = second_right[r, k, sample]
        if neuralsort:
            _add_neuralsort(left, right, own, total)
        else:
            _add_softsort(left, right, own, total)
    return total


def _each(kernel: Kernel, rest: str) -> dict[str, Kernel]:
    """The kernel for either dtype of its four (n, n, N) arrays and the scores."""
    return {
        f: compiled(f"float64[:, ::1]({', '.join([f'{f}[:, :, ::1]'] * 4)}, {rest.format(f)})")(
            kernel
        )
        for f in ("float32", "float64")
    }


SATURATING = _each(_saturating, "{}[:, ::1], float64, boolean[::1], boolean")
LOG_DOMAIN = _each(_log_domain, "{}[:, ::1], boolean")
