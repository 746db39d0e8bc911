"""Finite differences of a loss or of its gradient, beside the derivatives that it claims."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from newton_core.tensors import flatten_outputs


@dataclass(frozen=True)
class Differences:
    """Claimed derivatives along one direction, and what finite differences say of them.

    Attributes:
        claimed: (N, k) derivatives along the direction.
        central: (N, k) central differences.
        off: (N,) largest disagreement of a sample, relative to the larger of the two.
        kink: (N,) whether the sample bends or jumps there, so that no difference is evidence.
    """

    claimed: Float[Tensor, "N k"]
    central: Float[Tensor, "N k"]
    off: Float[Tensor, " N"]
    kink: Bool[Tensor, " N"]


def compare(
    function: Callable[[Tensor], Tensor],
    y: Float[Tensor, " N *S"],
    slant: Float[Tensor, " N *S"],
    claimed: Float[Tensor, "N k"],
    size: Float[Tensor, "N k"],
    eps: float,
) -> Differences:
    """Derivatives of a function along a direction, beside its differences of either side and size.

    Args:
        function: y to values (N, k); called at y and at four places near it.
        y: (N, *S) where.
        slant: (N, *S) the direction.
        claimed: (N, k) the function's derivatives along it.
        size: (N, k) absolute values of the function, whose rounding hides small differences.
        eps: relative rounding of its values.
    """
    h = eps ** (1 / 3)  # where rounding and curvature disturb central differences least
    floor = 1e3 * eps * size / h
    step = h * slant
    here, ahead, behind = (function(at) for at in (y, y + step, y - step))
    near_ahead, near_behind = (function(at) for at in (y + step / 2, y - step / 2))
    forward, backward = (ahead - here) / h, (here - behind) / h
    central, nearer = (ahead - behind) / (2 * h), (near_ahead - near_behind) / h
    largest = claimed.abs().amax(1) + central.abs().amax(1) + floor.amax(1)
    off = (claimed - central).abs().sub(floor).clamp(min=0).amax(1) / largest.clamp(min=1e-300)
    # a bend, or a jump, whose difference quotient doubles as the step is halved
    spread = torch.maximum((forward - backward).abs(), (central - nearer).abs())
    return Differences(claimed, central, off, spread.sub(floor).amax(1) > 0.05 * largest)


def along(hessian: Float[Tensor, "N m m"], slant: Float[Tensor, " N *S"]) -> Float[Tensor, "N m"]:
    """Each sample's Hessian times the direction."""
    product: Tensor = hessian @ flatten_outputs(slant)[..., None]
    return product[..., 0]
