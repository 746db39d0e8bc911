"""``torch.nn.BCELoss`` per sample, with its first and second derivatives exactly as torch has them.

This is what the literature trains relaxed sorting with. Its derivatives are torch's, rounding
included: the gradient (P - Q) / max(P (1 - P), 1e-12), and in the double backward pass
(P^2 - 2 P Q + Q) / ((P + 1e-12)^2 (1 - P + 1e-12)^2).

Entries are (r, n, N), the sample last, as in :mod:`newton_core.losses.row_cross_entropy`.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Entries = Float[Tensor, "r n N"]

EPSILON = 1e-12
"""torch's guard against a division by P = 0 or 1 - P = 0."""


def saturating_loss(p: Entries, target: Entries) -> Float[Tensor, " N"]:
    """Mean over the entries of the cross-entropy, its logarithms clamped at -100.

    torch refuses NaN and inputs outside [0, 1] (on a GPU by ending the process). Products of
    layers that exceed 1 by rounding are clamped; a sample with a NaN has the value NaN.
    """
    valid = torch.nan_to_num(p, nan=0.5).clamp(0.0, 1.0)
    value = functional.binary_cross_entropy(valid, target, reduction="none").mean((0, 1))
    return value + (0 * p).sum((0, 1))


def saturating_gradient(p: Entries, target: Entries) -> Entries:
    """Derivative of :func:`saturating_loss` in P, by torch's own kernel."""
    valid = p.clamp(0.0, 1.0)
    scale = torch.full_like(valid, 1.0 / (p.shape[0] * p.shape[1]))
    gradient: Tensor = torch.ops.aten.binary_cross_entropy_backward(scale, valid, target, None, 0)
    return gradient.masked_fill_(valid != p, 0.0)


def saturating_curvature(p: Entries, target: Entries) -> Entries:
    """Derivative of :func:`saturating_gradient` in P, as torch's double backward pass has it."""
    valid = p.clamp(0.0, 1.0)
    guarded, rest = valid + EPSILON, 1 - valid + EPSILON
    numerator = valid * valid - 2 * valid * target + target
    curvature = numerator / (guarded.square() * rest.square())
    return curvature.div_(p.shape[0] * p.shape[1]).masked_fill_(valid != p, 0.0)
