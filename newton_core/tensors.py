"""Small things that every loss and every solve does with outputs and targets."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx

from newton_core.conditions import holds

if TYPE_CHECKING:

    class Context(FunctionCtx):
        """What an autograd function keeps for its backward pass; torch's own class lacks these."""

        saved_tensors: tuple[Tensor, ...]
        needs_input_grad: tuple[bool, ...]

    class _Complaint(Context):
        complaint: str

else:  # torch hands over its own, and under torch.func a wrapper that is no FunctionCtx
    Context = _Complaint = object


def flatten_outputs(y: Float[Tensor, " N *S"]) -> Float[Tensor, "N m"]:
    """(N, *S) as (N, m), also where S is empty (m = 1)."""
    return y.flatten(1) if y.ndim > 1 else y.unsqueeze(1)


def check_tensor(what: str, given: object) -> None:
    """Refuses arrays, lists (ragged ones too) and whatever else is no tensor.

    Raises:
        TypeError: it is none; the message says how to make one.
    """
    if not isinstance(given, Tensor):
        raise TypeError(
            f"{what} must be a torch tensor, one row per sample, got {type(given).__name__}:"
            " torch.as_tensor(...) makes one of numbers whose rows are equally long"
        )


def of_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a loss that refuses what is no tensor, such as an array or a list, in a sentence.

    Targets are tensors where the loss declares their kind; without one they may be anything.
    Unless the loss says ``under_autocast``, ``torch.autocast`` does not reach into the method.
    """

    @functools.wraps(method)
    def checked(self: Any, *given: Any, **named: Any) -> Any:
        y: Any = given[0] if given else named.get("y")
        target = given[1] if len(given) > 1 else named.get("target")
        # Each call from here costs microseconds at every step, so what is right makes none.
        if not isinstance(y, Tensor):
            check_tensor("y", y)
        if not (target is None or isinstance(target, Tensor)) and hasattr(self, "target_kind"):
            check_tensor("target", target)
        device = y.device.type
        if self.under_autocast or device == "meta" or not torch.is_autocast_enabled(device):
            return method(self, *given, **named)
        with without_autocast(y):
            return method(self, *given, **named)

    return checked


def without_autocast(tensor: Tensor) -> AbstractContextManager[object]:
    """Within it, ``torch.autocast`` chooses no dtypes on the tensor's device."""
    device = tensor.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


@contextmanager
def to_keep() -> Iterator[None]:
    """Within it, tensors are made that later calls read, wherever the first call is.

    Autograd cannot keep those of ``inference_mode``, and a transform of ``torch.func`` wraps all
    that is made inside it, which is of no use when it is over.
    """
    with torch.inference_mode(False), torch._C._DisableFuncTorch():
        yield


def constant(number: float, like: Tensor) -> Tensor:
    """A number as a tensor, kept: torch takes longer to wrap it than to multiply with it."""
    return _constant(number, like.dtype, like.device)


@functools.cache
def _constant(number: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    with to_keep():
        return torch.tensor(number, dtype=dtype, device=device)


def check_floating(y: Tensor, what: str) -> None:
    """Refuses outputs without derivatives.

    Raises:
        TypeError: y holds whole numbers.
    """
    if not y.is_floating_point():
        raise TypeError(f"{what} must be floating point, got {y.dtype}")


def coordinates(y: Tensor) -> tuple[Tensor, Tensor]:
    """x and y of points (N, 2).

    Raises:
        TypeError: they are whole numbers.
        ValueError: they have another shape.
    """
    check_floating(y, "points")
    if y.ndim != 2 or y.shape[1] != 2:
        raise ValueError(f"a surface takes points of shape (N, 2), got {tuple(y.shape)}")
    return y[:, 0], y[:, 1]


def check_plain(*arguments: object) -> None:
    """Refuses tensors that a transform of ``torch.func`` or a vectorized gradient has wrapped.

    A Newton step looks at numbers (is the system singular?) and its direction is a constant; inside
    a transform there are no numbers to look at, and the constant would pass for a derivative of 0.

    Raises:
        RuntimeError: one is such a tensor.
    """
    wraps = torch._C._functorch
    for tensor in arguments:
        if isinstance(tensor, Tensor) and (
            wraps.is_functorch_wrapped_tensor(tensor) or wraps.is_legacy_batchedtensor(tensor)
        ):
            raise RuntimeError(
                "Newton steps are not taken inside the transforms of torch.func (vmap, grad,"
                " jacrev, ...) nor in vectorized gradients: give the whole batch (N, *S) at once,"
                " and differentiate with backward() or torch.autograd.grad"
            )


def check_finite(target: Tensor, what: str) -> None:
    """Refuses a target that is not finite: outputs may be infinite, which counts as diverged.

    Raises:
        ValueError: a number of the target is not finite; the message names the first sample.
    """
    finite = torch.isfinite(target).flatten(1).all(1)
    if not holds(finite.all()):
        row = int((~finite).nonzero()[0])
        raise ValueError(f"{what} of sample {row} has values that are not finite: leave it out")


def is_transformed(tensor: Tensor) -> bool:
    """Whether a transform of ``torch.func`` (``vmap``, ``grad``) stands between us and numbers."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))


def target_like(y: Float[Tensor, " N *S"], target: Tensor | None) -> Float[Tensor, " N *S"]:
    """``target`` in y's dtype, if it has y's shape.

    Raises:
        TypeError: y holds whole numbers.
        ValueError: there is no target, or it has another shape.
    """
    check_floating(y, "outputs")
    if target is None:
        raise ValueError(f"this loss needs a target of the shape of y, {tuple(y.shape)}")
    if target.shape != y.shape:
        raise ValueError(
            f"the target must have the shape of y, {tuple(y.shape)}, got {tuple(target.shape)}"
        )
    return target.to(y.dtype)


def to_float64(tensor: Tensor, *, copy: bool = False) -> Float[Tensor, "..."]:
    """``tensor`` in float64; moved to the CPU where its device (Apple's MPS) has no float64."""
    if tensor.device.type == "mps":
        tensor = tensor.cpu()
    return tensor.to(torch.float64, copy=copy)


def differentiable_once(tensor: Tensor, complaint: str, *sources: Tensor) -> Tensor:
    """``tensor``, as a backward pass returns it; differentiating it in ``sources`` is an error.

    Without this autograd would take what a custom backward pass computes for a constant, and give
    second derivatives of zero without a word.
    """
    if not torch.is_grad_enabled() or not any(source.requires_grad for source in sources):
        return tensor
    once: Tensor = _Once.apply(complaint, tensor, *sources)  # type: ignore[no-untyped-call] # torch's
    return once


class _Once(torch.autograd.Function):
    """Makes a tensor depend on its sources; the backward pass to them raises RuntimeError."""

    @staticmethod
    def forward(ctx: _Complaint, complaint: str, tensor: Tensor, *sources: Tensor) -> Tensor:
        ctx.complaint = complaint
        return tensor.clone()

    @staticmethod
    def backward(ctx: _Complaint, *grad_outputs: Tensor) -> NoReturn:
        raise RuntimeError(ctx.complaint)
