"""Hessians that are products of two short, wide matrices each: what few noise samples lead to."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class ProductHessian:
    """N symmetric matrices left_i^T right_i - shift_i I, not multiplied out.

    Attributes:
        left, right: (N, k, m) factors, of some k.
        plus_transpose: whether right_i^T left_i is added, where one product is not symmetric.
        shift: (N,) what is taken off each diagonal; None: nothing.
    """

    left: Float[Tensor, "N k m"]
    right: Float[Tensor, "N k m"]
    shift: Float[Tensor, " N"] | None = None
    plus_transpose: bool = False

    def each(self) -> Float[Tensor, "N m m"]:
        """The matrix of each sample."""
        left, right = self.left, self.right
        if self.plus_transpose:  # as one product: adding a transpose of each costs more
            left, right = torch.cat((left, right), dim=1), torch.cat((right, left), dim=1)
        matrices = left.mT @ right
        if self.shift is not None:
            matrices.diagonal(dim1=1, dim2=2).sub_(self.shift[:, None])
        return matrices

    def mean(self) -> Float[Tensor, "m m"]:
        """Their mean in float64, by one product over all N k rows; no (N, m, m) tensor."""
        left, right = self.left.flatten(0, 1), self.right.flatten(0, 1)
        mean = (left.mT @ right).to(torch.float64).div_(len(self.left))
        if self.plus_transpose:
            mean = mean + mean.mT
        if self.shift is not None:
            mean.diagonal().sub_(self.shift.mean(dtype=torch.float64))
        return mean
