"""The Hessians of BCELoss on NeuralSort's P, rounded as torch's double backward pass (numba).

Where logits are steep, float32's rounding is part of what ``bce_loss`` means, and Adam makes
another run of one bit within five steps. So each operation here is one of
:func:`~newton_core.losses.softmax_sorting.saturating_derivatives`, in torch's order, sums included:
of n = 2 to 63 items and 8 to 100 samples on a processor with AVX-512, all bits are the same but for
a last one here and there where n^2 N is no multiple of four. Other processors sum in other orders.
What is saved are its tensors of n^3 N numbers, a dozen of them, which leave the caches.
"""

from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled
from newton_core.algorithms.summing_kernels import add_rows, fused


@compiled("void(f4[:, :, ::1], f4[:, :, ::1], f4[:, :, ::1], f4[:, :, ::1], f4, f4[:, :, ::1])")
@no_type_check
def saturating_hessians(p, first, target, sign, temperature, hessians):
    """Fills ``hessians`` (N, n, n).

    With a row's softmax p, the loss's derivatives f and c in p and the tangents J = dz / ds_m, its
    logits' cotangents are p (t - p.t) with t = f J - (p.f) J - f (p.J) + c p (J - p.J).

    Args:
        p, first, target: (n, n, N) [rank, item, sample]: P, f and the true permutation.
        sign: (n, n, N) sign(s_k - s_m) at [k, m, sample].
        temperature: τ.
    """
    n, _, samples = p.shape
    one, two, size, least = np.float32(1), np.float32(2), np.float32(n * n), np.float32(1e-12)
    cubes = np.zeros((5, n, n, samples), np.float32)  # [item, score, sample], as J is
    tangents, cotangents, products = cubes[0], cubes[1], cubes[2]
    pulled, weighted = cubes[3], cubes[4]
    rows = products.reshape(n, n * samples)
    sums, part = np.empty((n, samples), np.float32), np.empty(n * samples, np.float32)
    total = sums.reshape(n * samples)
    around, slopes = np.zeros((n, samples), np.float32), np.empty((n, samples), np.float32)
    curve, mean = np.empty(samples, np.float32), np.empty(samples, np.float32)
    for k in range(n):
        for m in range(n):
            for s in range(samples):
                tangents[k, m, s] = sign[k, m, s] / temperature
                around[k, s] += sign[k, m, s]
    for r in range(n):
        weight = np.float32(2 * r + 1 - n)
        for k in range(n):
            own, slope = p[r, k], first[r, k]
            for s in range(samples):
                tangents[k, k, s] = (weight - around[k, s]) / temperature
                slopes[k, s] = own[s] * slope[s]
            for m in range(n):
                tangent, product = tangents[k, m], products[k, m]
                for s in range(samples):
                    product[s] = own[s] * tangent[s]
        add_rows(slopes, part, mean)
        add_rows(rows, part, total)
        for k in range(n):
            own, slope, true = p[r, k], first[r, k], target[r, k]
            for s in range(samples):
                below, above = own[s] + least, (one - own[s]) + least
                top = (own[s] * own[s] - (two * own[s]) * true[s]) + true[s]
                curve[s] = (top / ((below * below) * (above * above))) / size
            for m in range(n):
                tangent, shift = tangents[k, m], sums[m]
                cotangent, product = cotangents[k, m], products[k, m]
                for s in range(samples):
                    moved = (slope[s] * tangent[s] - mean[s] * tangent[s]) - slope[s] * shift[s]
                    bent = (tangent[s] - shift[s]) * own[s]
                    cotangent[s] = fused(bent, curve[s], moved)
                    product[s] = own[s] * cotangent[s]
        add_rows(rows, part, total)
        for k in range(n):
            own = p[r, k]
            for m in range(n):
                cotangent, shift = cotangents[k, m], sums[m]
                straight, tilted = pulled[k, m], weighted[k, m]
                for s in range(samples):
                    entry = (cotangent[s] - shift[s]) * own[s]
                    straight[s] += entry
                    tilted[s] += weight * entry
    # From the rows' logits back to the scores, as NeuralSortLogits.pull_gradient does it.
    for k in range(n):
        for other in range(n):
            signs = sign[k, other]
            for m in range(n):
                product, straight = products[other, m], pulled[other, m]
                for s in range(samples):
                    product[s] = signs[s] * straight[s]
        add_rows(rows, part, total)
        for m in range(n):
            straight, tilted, shift = pulled[k, m], weighted[k, m], sums[m]
            cotangent = cotangents[k, m]
            for s in range(samples):
                rest = fused(-around[k, s], straight[s], tilted[s])
                cotangent[s] = (rest - shift[s]) / temperature
    for k in range(n):
        for m in range(n):
            for s in range(samples):
                hessians[s, k, m] = (cotangents[k, m, s] + cotangents[m, k, s]) / two
