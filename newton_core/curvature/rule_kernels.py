"""Small damped systems whose negative eigenvalues a rule changes, in one compiled loop (numba).

A library's calls for the mean, the eigenvectors and the products each take as long as their work on
ten numbers, and their code is no longer in the caches after a network's pass.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled
from newton_core.curvature.kernels import is_finite


@no_type_check
def _solve_by_rule(hessian, gradient, tikhonov, shared, clip, direction):
    """Fills ``direction`` with (C_i + tikhonov I)^-1 g_i after a rule for negative eigenvalues.

    Args:
        hessian: symmetric, (N, m, m).
        gradient: (N, m).
        shared: whether C is the mean of the Hessians, of any number, or each row has its own.
        clip: whether 0 takes the place of negative eigenvalues, or their absolute values.

    Returns False, and fills in some rows at most, where C or the direction is not finite.
    """
    samples, m = gradient.shape
    matrix, x = np.zeros((m, m)), np.empty(m)
    if shared:
        for sample in range(len(hessian)):
            for i in range(m):
                for j in range(m):
                    matrix[i, j] += float(hessian[sample, i, j])
        for i in range(m):
            for j in range(m):
                matrix[i, j] /= len(hessian)
    for sample in range(samples):
        if not shared:
            for i in range(m):
                for j in range(m):
                    matrix[i, j] = float(hessian[sample, i, j])
        if sample == 0 or not shared:
            if not is_finite(matrix):
                return False
            eigenvalues, vectors = np.linalg.eigh(matrix)
        x[:] = 0.0
        for k in range(m):
            share = 0.0
            for j in range(m):
                share += vectors[j, k] * float(gradient[sample, j])
            size = eigenvalues[k]
            share /= (max(size, 0.0) if clip else abs(size)) + tikhonov
            for j in range(m):
                x[j] += share * vectors[j, k]
        for j in range(m):
            direction[sample, j] = x[j]
    return is_finite(direction)


solve_by_rule = compiled(*(
    f"boolean({h}[:, :, :], {g}[:, :], float64, boolean, boolean, {g}[:, ::1])"
    for h in ("float32", "float64") for g in ("float32", "float64")
))(_solve_by_rule)  # fmt: skip
