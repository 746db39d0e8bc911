"""The check of permutation matrices as one compiled loop (numba; imported on first use).

It runs at every step of a sorting loss. The arithmetic takes a few microseconds; a dozen calls of a
library, whose code a network's forward pass has driven out of the caches, take fifty.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled(*(f"boolean({f}[:, :, ::1], float64)" for f in ("float32", "float64")))
@no_type_check
def sums_to_one(matrices, off):
    """Whether no entry is negative or NaN, and no row or column is ``off`` or more from 1."""
    n = matrices.shape[1]
    columns = np.empty(n)
    for matrix in matrices:
        columns[:] = 0.0
        for r in range(n):
            row = matrix[r]
            negative = 0
            for k in range(n):
                columns[k] += np.float64(row[k])
                negative |= row[k] < 0
            total = 0.0
            for k in range(n % 4):
                total += row[k]
            for k in range(n % 4, n, 4):
                total += (row[k] + row[k + 1]) + (row[k + 2] + row[k + 3])
            if negative or not abs(total - 1.0) < off:
                return False
        for k in range(n):
            if not abs(columns[k] - 1.0) < off:
                return False
    return True
