"""A device to count synchronisations on where there is none.

Its tensors say that they are on a GPU, refuse NumPy and do not mix with those of the CPU, so that
the code takes the routes that it takes on a GPU; the numbers are computed on the CPU. What the host
would have to wait for on a real one is counted: every number that it reads, and every copy
between host and device. That a kernel waits by itself is taken from torch's documentation.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map_only

DEVICE = torch.device("cuda:99")
"""None that a machine has: some tensors are kept for each device."""

aten = torch.ops.aten
WAITS = {
    aten._local_scalar_dense, aten.equal, aten.nonzero, aten.masked_select, aten.bincount,
    aten._unique2, aten.unique_dim, aten.repeat_interleave, aten._linalg_check_errors,
    aten._linalg_eigh, aten._linalg_svd, aten.linalg_eig, aten.linalg_lstsq,
}  # fmt: skip
"""Operations after which the host knows something of a tensor's numbers: that is what it waits for.

Decompositions into eigenvalues or singular values look at an error code of the solver."""
WITH_INDICES = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}

_waits: Counter[str] = Counter()


class StandIn(Tensor):
    """A tensor that says it is on the device."""

    plain: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "StandIn":
        made: StandIn = Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=inner.device,
        )
        made.plain = inner
        return made

    # torch's own way to leave functions to __torch_dispatch__, which its stubs do not know
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    device = property(lambda self: DEVICE)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override] # torch's own has other names
        cls, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        packet = func.overloadpacket
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        strangers = [t for t in tensors if not isinstance(t, StandIn) and t.ndim > 0]
        if packet in WAITS:
            _waits[str(packet)] += 1
        elif packet in WITH_INDICES:
            if any(t is not None and t.dtype == torch.bool for t in args[1]):
                _waits["index by a mask"] += 1
            if strangers:
                _waits["copy of an index"] += 1
        elif strangers and packet in (aten.copy_, aten._to_copy):
            _waits["copy"] += 1
        elif strangers:
            raise RuntimeError(f"{func} mixes tensors of two devices")
        plain_args, named = tree_map_only(StandIn, lambda t: t.plain, (args, kwargs))
        found = tree_map_only(Tensor, StandIn, func(*plain_args, **named))
        return return_and_correct_aliasing(func, args, kwargs, found)


class _Device(TorchFunctionMode):
    """Answers what is asked of the device itself: tensors made there, moved there and back."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = dict(kwargs or {})
        first = args[0] if args else None
        there = isinstance(first, StandIn)
        if there and func is Tensor.numpy:
            raise TypeError("a tensor on a device has no NumPy array")
        if there and func in (Tensor.tolist, Tensor.cpu):
            _waits["tolist" if func is Tensor.tolist else "cpu"] += 1
            return func(first.plain)
        if there and func is Tensor.__format__:
            return format(first.item(), args[1])
        if func is Tensor.to and isinstance(first, Tensor):
            return _moved(first, args[1:], given)
        if given.get("device") is not None and torch.device(given["device"]) == DEVICE:
            if func in (torch.tensor, torch.as_tensor):
                _waits["copy to the device"] += 1
            made = func(*args, **{**given, "device": "cpu"})
            return StandIn(made) if type(made) is Tensor else made
        return func(*args, **given)


def _moved(tensor: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """``tensor.to(...)``, where the device is among what is said."""
    there = isinstance(tensor, StandIn)
    to_there = there
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, Tensor):
            to_there = isinstance(argument, StandIn)
        elif isinstance(argument, str | torch.device):
            to_there = torch.device(argument) == DEVICE

    def plain(argument: Any) -> Any:
        if isinstance(argument, str | torch.device):
            return "cpu"
        return argument.plain if isinstance(argument, StandIn) else argument

    start = tensor.plain if isinstance(tensor, StandIn) and not to_there else tensor
    moved = start.to(*map(plain, args), **{name: plain(value) for name, value in kwargs.items()})
    if to_there is there:
        return moved
    _waits["copy"] += 1
    return StandIn(moved.clone()) if to_there else moved.clone()


@contextmanager
def stand_in() -> Iterator[Counter[str]]:
    """Within it the device is there; gives what the host waited for until now."""
    _waits.clear()
    with _Device():
        yield _waits


def on_device(module: nn.Module) -> nn.Module:
    """Moves a module's parameters and buffers to the device, in place."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(StandIn(parameter.detach().clone()))
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = StandIn(buffer.detach().clone())
    return module
