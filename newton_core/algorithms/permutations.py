"""Permutation matrices, with which ranking losses compare relaxed sorts."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Num
from numpy.typing import NDArray
from torch import Tensor

from newton_core.conditions import holds
from newton_core.tensors import check_tensor, is_transformed


def permutation_matrix(values: Num[Tensor, "*batch n"]) -> Float[Tensor, "*batch n n"]:
    """The permutation matrix that sorts ``values`` in ascending order.

    Row r marks the item that is the r-th smallest, so ``matrix @ values`` is sorted. Equal values
    keep their order (the earlier item gets the lower rank).

    Args:
        values: (..., n) numbers of any type, n >= 1.

    Returns:
        (..., n, n) zeros and ones on the device of ``values``. The dtype is that of ``values`` if
        it is floating, otherwise torch's default.

    Raises:
        TypeError: the values are no tensor.
        ValueError: a value is NaN, which has no rank.
    """
    check_tensor("values", values)
    floating = values.is_floating_point()
    if floating and bool(values.isnan().any()):
        raise ValueError("cannot rank NaN: every value must be a number")
    order = torch.argsort(values, dim=-1, stable=True)
    dtype = values.dtype if floating else torch.get_default_dtype()
    matrix = torch.zeros(*values.shape, values.shape[-1], dtype=dtype, device=values.device)
    return matrix.scatter_(-1, order.unsqueeze(-1), 1.0)


def check_permutations(target: Num[Tensor, "N n n"], what: str) -> None:
    """Refuses matrices whose rows and columns do not all sum to one, or with negative entries.

    Means of permutations pass: doubly stochastic matrices say that places are shared, or not known
    for sure. Sums may be off by 1e-5, or by the rounding of a coarser dtype. Inside a transform of
    ``torch.func``, which hides the numbers, nothing is looked at.

    Raises:
        ValueError: one is such; the message says what would be right.
    """
    plain = target.detach()  # which a transform wraps, as it does all that it computes
    device, dtype, off = plain.device.type, plain.dtype, 1e-5
    if device == "meta" or is_transformed(plain):
        return
    if dtype not in (torch.float32, torch.float64):
        if dtype in (torch.float16, torch.bfloat16):
            off = max(off, 4 * torch.finfo(dtype).eps)
        plain = plain.float()
    if device == "cpu":
        right = _sums_to_one()(plain.contiguous().numpy(), off)
    else:
        sums = torch.cat((plain.sum(1), plain.sum(2)))
        right = holds(((sums - 1).abs() < off).all() & (plain >= 0).all())
    if not right:
        raise ValueError(
            f"{what} is no permutation matrix: entries are 0 or 1, and each row and each column has"
            " a single 1 (or, where places are shared, entries of at least 0 that sum to 1)"
        )


@functools.cache
def _sums_to_one() -> Callable[[NDArray[np.floating[Any]], float], bool]:
    """The compiled check; numba loads on the first call, not on import."""
    from newton_core.algorithms import permutation_kernels

    kernel: Callable[[NDArray[np.floating[Any]], float], bool] = permutation_kernels.sums_to_one
    return kernel
