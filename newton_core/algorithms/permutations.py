"""Permutation matrices, with which ranking losses compare relaxed sorts."""

import torch
from jaxtyping import Float, Num
from torch import Tensor

from newton_core.tensors import check_tensor


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
