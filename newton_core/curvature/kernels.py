"""Small damped systems as one compiled loop each (numba; imported on first use).

On a hundred gradients of five numbers the arithmetic takes microseconds; a dozen calls of a
library, whose code a network's forward pass has driven out of the caches, take a tenth of a
millisecond.
"""

import math
from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled("void(float64[:, ::1], int64)")
@no_type_check
def _triangle(rows, samples):
    """Leaves R of the QR factorisation of [top; D] on and above the diagonal, Householder's way.

    ``rows`` are ``samples`` of the top, then those of the diagonal matrix D: a reflection of column
    k reaches down to D's row k. All columns are summed side by side, row by row.
    """
    outputs = rows.shape[1]
    products = np.empty(outputs)
    for k in range(outputs):
        height = samples + k + 1
        square = 0.0
        for i in range(k, height):
            square += rows[i, k] * rows[i, k]
        corner = -math.copysign(math.sqrt(square), rows[k, k])
        rows[k, k] -= corner  # the reflection vector, in place
        scale = 1.0 / (corner * rows[k, k])
        products[:] = 0.0
        for i in range(k, height):
            share, row = rows[i, k], rows[i]
            for j in range(k + 1, outputs):
                products[j] += share * row[j]
        for j in range(k + 1, outputs):
            products[j] *= scale
        for i in range(k, height):
            share, row = rows[i, k], rows[i]
            for j in range(k + 1, outputs):
                row[j] += products[j] * share
        rows[k, k] = corner


@compiled("void(float64[:, ::1], float64[:, ::1])")
@no_type_check
def _two_triangles(rows, x):
    """Overwrites every column g of x (m, N) with (R^T R)^-1 g; R as :func:`_triangle` leaves it."""
    outputs, samples = x.shape
    for k in range(outputs):
        own, corner = x[k], rows[k, k]
        for j in range(k):
            share, other = rows[j, k], x[j]
            for i in range(samples):
                own[i] -= share * other[i]
        for i in range(samples):
            own[i] /= corner
    for k in range(outputs - 1, -1, -1):
        own, corner = x[k], rows[k, k]
        for j in range(k + 1, outputs):
            share, other = rows[k, j], x[j]
            for i in range(samples):
                own[i] -= share * other[i]
        for i in range(samples):
            own[i] /= corner


@compiled("void(float64[::1], float64, int64, int64, float64[:, ::1], float64[::1])")
@no_type_check
def _reflect(vector, scale, k, first, x, products):
    """Reflects the columns of x (m, N) from ``first`` on; the vector is zero before entry k."""
    outputs, samples = x.shape
    products[:] = 0.0
    for j in range(k, outputs):
        share, own = vector[j], x[j]
        for i in range(first, samples):
            products[i] += share * own[i]
    for i in range(first, samples):
        products[i] *= scale
    for j in range(k, outputs):
        share, own = vector[j], x[j]
        for i in range(first, samples):
            own[i] += products[i] * share


@no_type_check
def _solve(gradient, tikhonov, trusted, direction):
    """Fills ``direction`` with N G (G^T G + N tikhonov I)^-1 for the (N, m) rows of G.

    A Householder QR factorisation of [G; sqrt(N tikhonov) I] gives R with R^T R in place of the
    matrix, and each row of G meets two triangular solves, all rows side by side.

    Where the condition number of the matrix may be above 1 / ``trusted`` (its largest eigenvalue is
    at most its trace), rows of all sizes would lose digits beside each other. Then the rows come in
    the order of their sizes, and reflections of the output space turn the largest along the first
    axis, the next into the plane of the first two, and so on: huge entries end up in the first
    columns alone. Solved there, the rows are turned back.

    Returns False, and fills in nothing, where a row is not finite or too large to be squared.
    """
    samples, outputs = gradient.shape
    smallest = samples * tikhonov
    trace = outputs * smallest
    rows = np.zeros((samples + outputs, outputs))
    for k in range(outputs):
        rows[samples + k, k] = math.sqrt(smallest)
    x = np.empty((outputs, samples))
    for i in range(samples):
        for j in range(outputs):
            entry = float(gradient[i, j])
            rows[i, j] = x[j, i] = entry
            trace += entry * entry
    if trusted * trace < smallest:
        _triangle(rows, samples)
        _two_triangles(rows, x)
        for i in range(samples):
            for k in range(outputs):
                direction[i, k] = samples * x[k, i]
        return True
    if not trace < np.inf:
        return False

    sizes = np.empty(samples)
    for i in range(samples):
        sizes[i] = 0.0
        for j in range(outputs):
            sizes[i] = min(sizes[i], -abs(rows[i, j]))
    order = np.argsort(sizes, kind="mergesort")
    for i in range(samples):
        for j in range(outputs):
            x[j, i] = rows[order[i], j]
    products = np.empty(samples)
    reflections = np.zeros((outputs, outputs))
    scales = np.zeros(outputs)
    for k in range(min(samples, outputs) - 1):
        square = 0.0
        for j in range(k, outputs):
            square += x[j, k] * x[j, k]
        corner = -math.copysign(math.sqrt(square), x[k, k])
        if corner == 0.0:
            continue
        for j in range(k, outputs):
            reflections[k, j] = x[j, k]
        reflections[k, k] -= corner
        scales[k] = 1.0 / (corner * reflections[k, k])
        _reflect(reflections[k], scales[k], k, k, x, products)
        for j in range(k + 1, outputs):
            x[j, k] = 0.0
    for i in range(samples):
        for j in range(outputs):
            rows[i, j] = x[j, i]
    _triangle(rows, samples)
    _two_triangles(rows, x)
    for k in range(min(samples, outputs) - 2, -1, -1):
        _reflect(reflections[k], scales[k], k, 0, x, products)
    for i in range(samples):
        for k in range(outputs):
            direction[order[i], k] = samples * x[k, i]
    return True


solve_float32 = compiled("boolean(float32[:, :], float64, float64, float32[:, ::1])")(_solve)
solve_float64 = compiled("boolean(float64[:, :], float64, float64, float64[:, ::1])")(_solve)


_SINGULAR, _CHOLESKY, _ELIMINATED = 0, 1, 2


@compiled(*(f"int64({f}[:, :], float64, float64, float64[:, ::1], int64[::1])"
            for f in ("float32", "float64")))  # fmt: skip
@no_type_check
def _factorise(matrix, tikhonov, safe, factor, order):
    """Factorises C + tikhonov I for a symmetric (m, m) C into ``factor``, and says how.

    Cholesky: L, its diagonal as reciprocals. Gaussian elimination with row exchanges where a pivot
    is not positive or is rounding alone: L below the diagonal, whose own is 1, and U; row i of
    these is the row ``order[i]`` of C. Neither if one of its pivots is below ``safe`` times the
    largest: the matrix may be singular. NaN and infinity pass no comparison.
    """
    m = len(matrix)
    rounding = 4.0 * m * 2.220446049250313e-16
    largest = -np.inf
    for i in range(m):
        largest = max(largest, float(matrix[i, i]))
    least = rounding * (largest + 2.0 * tikhonov)
    definite = True
    for i in range(m):
        for j in range(i):
            rest = float(matrix[i, j])
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            factor[i, j] = rest * factor[j, j]
        rest = float(matrix[i, i]) + tikhonov
        for k in range(i):
            rest -= factor[i, k] * factor[i, k]
        if not rest > least:
            definite = False
            break
        factor[i, i] = 1.0 / math.sqrt(rest)
    if definite:
        return _CHOLESKY
    for i in range(m):
        order[i] = i
        for j in range(m):
            factor[i, j] = float(matrix[i, j])
        factor[i, i] += tikhonov
    smallest, largest = np.inf, 0.0
    for j in range(m):
        best = j
        for i in range(j + 1, m):
            if abs(factor[i, j]) > abs(factor[best, j]):
                best = i
        pivot = abs(factor[best, j])
        if not pivot < np.inf:
            return _SINGULAR
        smallest, largest = min(smallest, pivot), max(largest, pivot)
        if not smallest > safe * (largest + tikhonov):
            return _SINGULAR
        if best != j:
            order[j], order[best] = order[best], order[j]
            for k in range(m):
                factor[j, k], factor[best, k] = factor[best, k], factor[j, k]
        for i in range(j + 1, m):
            share = factor[i, j] / factor[j, j]
            factor[i, j] = share
            for k in range(j + 1, m):
                factor[i, k] -= share * factor[j, k]
    return _ELIMINATED


@compiled("boolean(float32[:, ::1])", "boolean(float64[:, ::1])")
@no_type_check
def is_finite(rows):
    """Whether all numbers are."""
    others = 0
    for row in rows:
        for i in range(len(row)):
            others += not abs(row[i]) < np.inf
    return others == 0


@no_type_check
def _solve_each(hessian, gradient, tikhonov, safe, direction):
    """Fills ``direction`` with (H_i + tikhonov I)^-1 g_i for symmetric (N, m, m), (N, m).

    Returns False, and fills in some rows at most, where :func:`_factorise` refuses a matrix, or
    the direction is not finite.
    """
    samples, m = gradient.shape
    factor, order = np.empty((m, m)), np.empty(m, np.int64)
    x = np.empty(m)
    for sample in range(samples):
        form = _factorise(hessian[sample], tikhonov, safe, factor, order)
        if form == _CHOLESKY:
            for i in range(m):
                rest = float(gradient[sample, i])
                for k in range(i):
                    rest -= factor[i, k] * x[k]
                x[i] = rest * factor[i, i]
            for i in range(m - 1, -1, -1):
                rest = x[i]
                for k in range(i + 1, m):
                    rest -= factor[k, i] * x[k]
                x[i] = rest * factor[i, i]
        elif form == _ELIMINATED:
            for i in range(m):
                rest = float(gradient[sample, order[i]])
                for k in range(i):
                    rest -= factor[i, k] * x[k]
                x[i] = rest
            for i in range(m - 1, -1, -1):
                rest = x[i]
                for k in range(i + 1, m):
                    rest -= factor[i, k] * x[k]
                x[i] = rest / factor[i, i]
        else:
            return False
        for i in range(m):
            direction[sample, i] = x[i]
    return is_finite(direction)


solve_each = compiled(*(
    f"boolean({h}[:, :, :], {g}[:, :], float64, float64, {g}[:, ::1])"
    for h in ("float32", "float64") for g in ("float32", "float64")
))(_solve_each)  # fmt: skip


@compiled("void(float64[::1], float64[::1], int64, int64, float64[:, ::1])")
@no_type_check
def _take_off(own, shares, first, last, rows):
    """Subtracts shares[k] times rows[k], for k from ``first`` up to ``last``, one after the other.

    Four at a time, so that a row that holds all samples' numbers is read and written once for them.
    """
    k = first
    while k + 4 <= last:
        one, two, three, four = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        a, b, c, d = shares[k], shares[k + 1], shares[k + 2], shares[k + 3]
        for sample in range(len(own)):
            rest = own[sample] - a * one[sample]
            rest -= b * two[sample]
            rest -= c * three[sample]
            own[sample] = rest - d * four[sample]
        k += 4
    while k < last:
        share, other = shares[k], rows[k]
        for sample in range(len(own)):
            own[sample] -= share * other[sample]
        k += 1


@no_type_check
def _solve_shared(matrix, gradient, tikhonov, safe, direction):
    """Fills ``direction`` with (C + tikhonov I)^-1 g_i for one symmetric (m, m) C and all rows.

    As :func:`_solve_each`, all rows side by side.
    """
    samples, m = gradient.shape
    factor, order = np.empty((m, m)), np.empty(m, np.int64)
    form = _factorise(matrix, tikhonov, safe, factor, order)
    if form == _SINGULAR:
        return False
    definite = form == _CHOLESKY
    x = np.empty((m, samples))
    for i in range(m):
        place = i if definite else order[i]
        for sample in range(samples):
            x[i, sample] = float(gradient[sample, place])
    for i in range(m):
        _take_off(x[i], factor[i], 0, i, x)
        if definite:
            x[i] *= factor[i, i]
    shares = np.empty(m)
    for i in range(m - 1, -1, -1):
        for k in range(i + 1, m):
            shares[k] = factor[k, i] if definite else factor[i, k]
        _take_off(x[i], shares, i + 1, m, x)
        x[i] *= factor[i, i] if definite else 1.0 / factor[i, i]
    for sample in range(samples):
        for i in range(m):
            direction[sample, i] = x[i, sample]
    return is_finite(direction)


solve_shared = compiled(*(
    f"boolean(float64[:, ::1], {g}[:, :], float64, float64, {g}[:, ::1])"
    for g in ("float32", "float64")
))(_solve_shared)  # fmt: skip
