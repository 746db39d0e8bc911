"""Compiled kernels of isotonic regression: pools of adjacent violators, and their sums (numba).

Rows are samples. ``order`` lists a row's items from the largest to the smallest, ``pools`` says of
every item at which place of ``order`` its pool begins.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled("void(f8[:, ::1], i8[:, ::1], b1, i8[:, ::1], i8[:, ::1])")
@no_type_check
def pool_rows(values, order, entropic, pools, sizes):
    """Pool adjacent violators (Best, Chakravarti & Ubhaya 2000): O(n) a row.

    The place p of ``order`` has the weight n - p. A pool's level is mean(value) - mean(weight), or
    with ``entropic`` the difference of the logarithms of their sums, sum(exp(value)) and
    sum(weight). Levels must fall from pool to pool: where the next one is as high or higher, the
    two become one. ``sizes`` is the number of items in each item's pool.
    """
    samples, n = values.shape
    begins = np.empty(n + 1, np.int64)
    tops = np.empty(n)
    sums = np.empty(n)
    levels = np.empty(n)
    for i in range(samples):
        last = -1
        for p in range(n):
            value = values[i, order[i, p]]
            last += 1
            begins[last] = p
            weight = float(n - p)
            if entropic:
                tops[last] = value
                sums[last] = 1.0
                levels[last] = value - np.log(weight)
            else:
                sums[last] = value - weight
                levels[last] = value - weight
            while last > 0 and levels[last - 1] <= levels[last]:
                last -= 1
                begin = begins[last]
                count = float(p + 1 - begin)
                if entropic:
                    top = max(tops[last], tops[last + 1])
                    sums[last] = sums[last] * np.exp(tops[last] - top) + sums[last + 1] * np.exp(
                        tops[last + 1] - top
                    )
                    tops[last] = top
                    weight = count * (n - 0.5 * (begin + p))
                    levels[last] = top + np.log(sums[last]) - np.log(weight)
                else:
                    sums[last] += sums[last + 1]
                    levels[last] = sums[last] / count
        begins[last + 1] = n
        for k in range(last + 1):
            for p in range(begins[k], begins[k + 1]):
                pools[i, order[i, p]] = begins[k]
                sizes[i, order[i, p]] = begins[k + 1] - begins[k]


@compiled("void(f8[:, ::1], i8[:, ::1], f8[:, ::1])")
@no_type_check
def average_ranks(values, order, ranks):
    """Ranks from 1 for the smallest; equal values share the mean of theirs."""
    samples, n = values.shape
    for i in range(samples):
        begin = 0
        while begin < n:
            end = begin + 1
            while end < n and values[i, order[i, end]] == values[i, order[i, begin]]:
                end += 1
            for p in range(begin, end):
                ranks[i, order[i, p]] = n - 0.5 * (begin + end - 1)
            begin = end


@compiled(
    "void(i8[:, ::1], i8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1])"
)
@no_type_check
def add_pool_matrices(order, sizes, own, factor, half, common, total):
    """Adds every row's matrix to ``total``.

    Its entries are own_i [i = j] - factor_i factor_j (half_i + half_j - common_i) for items of one
    pool, which shares ``common``, and 0 elsewhere. Only the entries with i before j in ``order``
    and the diagonal are added, each of the former at (min, max): the caller mirrors them.
    """
    samples, n = order.shape
    for s in range(samples):
        begin = 0
        while begin < n:
            end = begin + sizes[s, order[s, begin]]
            for p in range(begin, end):
                i = order[s, p]
                x = factor[s, i]
                left = half[s, i] - common[s, i]
                total[i, i] += own[s, i] - x * x * (left + half[s, i])
                for q in range(p + 1, end):
                    j = order[s, q]
                    total[min(i, j), max(i, j)] -= x * factor[s, j] * (left + half[s, j])
            begin = end
