"""The values of a loss on torch's graph, with gradients from its own ``derivatives``."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from newton_core.losses.base import Loss
from newton_core.tensors import Context

Reference = Callable[[Tensor, Tensor | None], Tensor]


def compiled_value(loss: Loss, reference: Reference, y: Tensor, target: Tensor | None) -> Tensor:
    """The (N,) values at y, each computed together with its gradient.

    A backward pass that is to be differentiated itself (``create_graph``, ``torch.func``) computes
    the gradient anew through ``reference``: the same loss, made of torch's operations. In
    forward-mode differentiation (``torch.func.jvp``, ``jacfwd``) all of it goes there, because a
    function of one's own would lose the tangents of outer levels.

    Args:
        loss: value i depends on y[i] and target[i] alone; the target is a constant.
    """
    if forward_ad._current_level >= 0:
        return reference(y, target)
    constant = None if target is None else target.detach()
    return _values(y, constant, loss, reference)[0]


if TYPE_CHECKING:

    class _ValueContext(Context):
        reference: Reference

else:
    _ValueContext = Context


class _Value(torch.autograd.Function):
    """Values and, without a graph, gradients."""

    differentiable_twice = True

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, Tensor]:  # named ones cost torch 100 us to bind
        y, target, loss, _ = inputs
        found = loss.derivatives(y, target, hessian=False)
        return found.value, found.gradient

    @staticmethod
    def setup_context(ctx: _ValueContext, inputs: Any, output: tuple[Tensor, Tensor]) -> None:
        y, target, _, ctx.reference = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(y, target, output[1])

    @staticmethod
    def backward(ctx: _ValueContext, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        y, target, slope = ctx.saved_tensors
        if torch.is_grad_enabled():
            slope = torch.func.grad(lambda point: ctx.reference(point, target).sum())(y)
        above = gradients[0].view(-1, *(1,) * (y.ndim - 1))
        return above * slope.view_as(y), None, None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], y: Tensor, target: Tensor, *rest: Any
    ) -> tuple[tuple[Tensor, ...], tuple[int, int]]:
        """A batch of batches is one large batch, as samples know nothing of each other."""

        def fold(tensor: Tensor, dim: int | None) -> Tensor:
            if dim is None:
                return tensor.expand(info.batch_size, *tensor.shape).flatten(0, 1)
            return tensor.movedim(dim, 0).flatten(0, 1)

        found = _values(fold(y, in_dims[0]), fold(target, in_dims[1]), *rest)
        return tuple(p.reshape(info.batch_size, -1, *p.shape[1:]) for p in found), (0, 0)


# torch asks for the signature at each call, and inspect takes 10 us to find one that is not said.
_Value.forward.__signature__ = inspect.signature(_Value.forward)  # type: ignore[attr-defined]
_values: Callable[..., tuple[Tensor, Tensor]] = _Value.apply
