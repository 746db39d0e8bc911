"""Losses that automatic differentiation sees through only once, and those without curvature.

Autograd gives both a Hessian of zeros, or an error of its own: a backward pass that leaves torch
(NumPy, ``once_differentiable``, ``ctc_loss``), and a loss that is linear in pieces. Only the first
has a gradient that changes with y, so that is what is looked at. Where such a backward pass is only
a part of the loss, the others have a Hessian, which lacks that part: differences of the gradient
show it.
"""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from newton_core.conditions import holds
from newton_core.losses.differences import compare
from newton_core.tensors import flatten_outputs

ROUNDING = 16
"""Relative changes of a gradient up to this many machine epsilons count as rounding."""


MISSED = 0.1
"""Share of the gradient's change along a line that a Hessian may miss, as differences are rough."""


class OpaqueLossError(ValueError):
    """A Hessian was asked of a loss that can be differentiated only once."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the loss can be differentiated only once, so its Hessian is unknown: {reason}. Use"
            " curvature 'fisher', which reads gradients alone, or a Loss with its own derivatives()"
        )


def check_seen_through(
    gradient: Callable[[Tensor], Tensor],
    product: Callable[[Tensor, Tensor], Tensor],
    y: Tensor,
    value: Tensor,
    second: Tensor,
) -> None:
    """Refuses second derivatives of which autograd has seen nothing, or a part alone.

    Args:
        gradient: y of shape (N, *S) to gradients (N, m).
        product: y and a direction (N, *S) to autograd's Hessians times the direction, (N, m).
        y: (N, *S) where.
        value: (N,) the loss at y, with its graph.
        second: (N, m, m) what autograd found of the Hessian at y.

    Raises:
        OpaqueLossError: the gradient changes with y as they do not say.
    """
    with torch.random.fork_rng(devices=[]):  # a loss may draw noise, whose sequence is the caller's
        if not holds(second.any()):
            hidden, seen = gradient_moves(gradient, y), "a constant"
        else:
            hidden = has_custom_backward(value) and hessian_misses(gradient, product, y, value)
            seen = "a part of that"
    if hidden:
        raise OpaqueLossError(
            f"its gradient changes with y, and autograd sees {seen} (a backward pass in NumPy, or"
            " once_differentiable)"
        )


def gradient_moves(gradient: Callable[[Tensor], Tensor], y: Tensor) -> bool:
    """Whether a gradient changes with y all the way along a short line, for most samples.

    A gradient that is constant in pieces jumps at a few points of the line at most, and rests
    between them; that of a curved loss changes on each of the line's three sections. Samples whose
    gradient is zero at y are no evidence: there a kink may stand (SoftSort at equal scores).

    Args:
        gradient: y of shape (N, *S) to gradients (N, m).
        y: (N, *S) where the line begins; no entry changes its sign along it.
    """
    eps = torch.finfo(y.dtype).eps
    slant = slanted(y)
    found = [gradient(y + k * eps ** (1 / 3) * slant) for k in range(1, 5)]
    largest = torch.stack([g.abs().amax(dim=1) for g in found]).amax(dim=0)
    moved = torch.ones(len(y), dtype=torch.bool, device=y.device)
    for before, after in itertools.pairwise(found):
        moved &= (after - before).abs().amax(dim=1) > ROUNDING * eps * largest
    lively = gradient(y).abs().amax(dim=1) > 0
    return 2 * int((moved & lively).sum()) > int(lively.sum())


def has_custom_backward(value: Tensor) -> bool:
    """Whether the graph of a value runs through a ``torch.autograd.Function`` written in Python.

    What torch differentiates itself it differentiates twice, or says that it cannot. So does a
    function whose class says ``differentiable_twice = True``: differences are no judge of it, as
    an exploded gradient and its derivative need not agree in a loss that rounds.
    """
    seen: set[object] = set()
    ahead: list[Any] = [value.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        if isinstance(node, BackwardCFunction):
            function = getattr(node, "_forward_cls", None)
            if not getattr(function, "differentiable_twice", False):
                return True
        seen.add(node)
        ahead += [following for following, _ in node.next_functions]
    return False


def hessian_misses(
    gradient: Callable[[Tensor], Tensor],
    product: Callable[[Tensor, Tensor], Tensor],
    y: Tensor,
    value: Tensor,
) -> bool:
    """Whether the gradient of some sample changes with y otherwise than its Hessian says.

    Looked at in float64 where the loss takes that. False where nothing can be told: at a kink, in
    rounding, or where the loss draws noise that is not the same at every call.

    Args:
        gradient, product, y, value: as for :func:`check_seen_through`.
    """
    try:
        found = gradient(y.double())
        y = y.double()
    except (RuntimeError, TypeError):  # of another dtype than its own constants
        found = gradient(y)
    eps = torch.finfo(y.dtype).eps
    if (gradient(y) - found).abs().gt(ROUNDING * eps * found.abs().amax()).any():
        return False
    slant = slanted(y)
    # saturated samples are small differences of large numbers: the batch's scale is theirs
    scale = found.abs().amax() + value.detach().abs().amax() / y.abs().mean().clamp(min=eps)
    claimed = product(y, slant)
    seen = compare(gradient, y, slant, claimed, scale.expand_as(claimed), eps)
    # a gradient that rests while the Hessian does not is a straight-through estimator's
    moves = seen.central.abs().amax(1) > MISSED * seen.claimed.abs().amax(1)
    return bool(((seen.off > MISSED) & moves & ~seen.kink).any())


def slanted(y: Tensor) -> Tensor:
    """A direction (N, *S) of 0.5 to 1.5 times the size of each entry of y, its signs mixed.

    No symmetry of a loss leaves y alone along it, and up to 0.6 of it no entry changes its sign.
    """
    random = torch.rand(y.shape, generator=torch.Generator().manual_seed(0)).to(y)
    flat = flatten_outputs(y.abs())
    typical = flat.mean(dim=1, keepdim=True)
    size = torch.where(flat > 0, flat, torch.where(typical > 0, typical, 1.0)).view_as(y)
    return size * (random - 0.5).sign() * (0.5 + random)


def outside_inference(value: Any) -> Any:
    """A target that a graph may hold: tensors made under ``inference_mode`` become copies."""
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if type(value) in (tuple, list):
        return type(value)(outside_inference(item) for item in value)
    if type(value) is dict:
        return {key: outside_inference(item) for key, item in value.items()}
    return value


class InferenceCopies(TorchFunctionMode):
    """Within it, tensors made under ``inference_mode`` that torch is called with become copies.

    Whatever a callable holds besides its arguments (weights in its closure, a module) has no other
    place where it could be copied.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The call itself, with copies."""
        return func(*outside_inference(args), **outside_inference(kwargs or {}))
