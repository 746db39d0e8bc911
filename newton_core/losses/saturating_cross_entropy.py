"""``torch.nn.BCELoss`` per sample, with its first and second derivatives exactly as torch has them.

This is what the literature trains relaxed sorting with. Its derivatives are torch's, rounding
included: the gradient (P - Q) / max(P (1 - P), 1e-12), and in the double backward pass
(P^2 - 2 P Q + Q) / ((P + 1e-12)^2 (1 - P + 1e-12)^2).

Entries are (r, n, N), the sample last, as in :mod:`newton_core.losses.row_cross_entropy`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.tensors import constant

Entries = Float[Tensor, "r n N"]

EPSILON = 1e-12
"""torch's guard against a division by P = 0 or 1 - P = 0."""


def saturating_loss(p: Entries, target: Entries) -> Float[Tensor, " N"]:
    """Mean over the entries of the cross-entropy, its logarithms clamped at -100.

    p is in [0, 1]. A sample with a NaN has the value NaN (torch would refuse it, on a GPU by
    ending the process).
    """
    valid = torch.nan_to_num(p, nan=0.5)
    return bce_loss(valid, target) + (0 * p).sum((0, 1))


def bce_loss(p: Entries, target: Entries) -> Float[Tensor, " N"]:
    """The same where no entry is NaN, by torch's operation without its checks of the arguments."""
    loss: Tensor = torch.ops.aten.binary_cross_entropy(p, target, None, 0)
    return loss.mean((0, 1))


def saturating_gradient(p: Entries, target: Entries) -> Entries:
    """Derivative of :func:`saturating_loss` in P, by torch's own kernel."""
    scale = constant(1.0 / (p.shape[0] * p.shape[1]), p).expand_as(p)
    gradient: Tensor = torch.ops.aten.binary_cross_entropy_backward(scale, p, target, None, 0)
    return gradient


def saturating_curvature(p: Entries, target: Entries) -> Entries:
    """Derivative of :func:`saturating_gradient` in P, as torch's double backward pass has it."""
    numerator = p * p - 2 * p * target + target
    guards = (p + EPSILON).square() * (1 - p + EPSILON).square()
    return (numerator / guards).div_(p.shape[0] * p.shape[1])
