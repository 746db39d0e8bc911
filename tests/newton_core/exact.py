"""Linear systems in long decimals: the reference that rounding cannot reach."""

from decimal import Decimal, localcontext

import numpy as np
import torch
from torch import Tensor


def exact_fisher_direction(gradient: Tensor, tikhonov: float, digits: int = 80) -> Tensor:
    """G (G^T G / N + tikhonov I)^-1 as written, in decimals; rounded to float64 at the end."""
    with localcontext(prec=digits):
        G = decimals(gradient)
        system = G.T @ G / Decimal(len(G)) + Decimal(tikhonov) * decimals(torch.eye(G.shape[1]))
        return torch.from_numpy(solve(system, G.T).T.astype(np.float64))


def decimals(tensor: Tensor) -> np.ndarray:
    """The numbers of a tensor, exactly."""
    return np.vectorize(Decimal, otypes=[object])(tensor.double().numpy())


def solve(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Gaussian elimination for a positive definite ``system``, in the current precision."""
    work = np.concatenate([system, right], axis=1)
    size = len(system)
    for k in range(size):
        work[k, k:] /= work[k, k]
        below = work[k + 1 :, k : k + 1] * work[k : k + 1, k:]
        work[k + 1 :, k:] -= below
    for k in range(size - 1, 0, -1):
        work[:k, size:] -= work[:k, k : k + 1] * work[k : k + 1, size:]
    return work[:, size:]
