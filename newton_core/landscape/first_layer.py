"""A shortcut for landscapes: a linear first layer is evaluated three times for all points.

(W + a D1 + b D2) x = W x + a D1 x + b D2 x, so the first layer's output at every point of a plane
is a mix of three tensors. In small networks on images that layer is most of the work.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from newton_core.landscape.planes import ParameterPlane

_AFFINE = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class AffineFirstLayer(nn.Module):
    """Replaces a first layer whose input never changes: base + a first + b second."""

    base: Tensor
    first: Tensor
    second: Tensor
    output: Tensor

    def __init__(self, base: Tensor, first: Tensor, second: Tensor) -> None:
        super().__init__()
        self.register_buffer("base", base)
        self.register_buffer("first", first)
        self.register_buffer("second", second)
        self.register_buffer("output", base.clone())

    def move(self, a: float, b: float) -> None:
        """Moves to a point of the plane; overwrites the output of the point before."""
        torch.add(self.base, self.first, alpha=a, out=self.output).add_(self.second, alpha=b)

    def forward(self, inputs: Tensor) -> Tensor:
        """The layer's output at that point, valid until the next move; the inputs are ignored."""
        return self.output


@dataclass(frozen=True)
class SplitNetwork:
    """A network whose first layer is replaced by :class:`AffineFirstLayer`.

    Attributes:
        network: the copy with the replacement.
        layer: the replacement.
    """

    network: nn.Module
    layer: AffineFirstLayer


@dataclass(frozen=True)
class Trace:
    """A record of one forward pass of a network.

    Attributes:
        calls: (name, module) of every module that has parameters of its own, in order of call.
        first_input: the argument of the first call, if that is a single tensor.
        largest: number of elements of the largest output of any module.
        output: of the network.
    """

    calls: tuple[tuple[str, nn.Module], ...]
    first_input: Tensor | None
    largest: int
    output: Tensor


def trace(network: nn.Module, weights: dict[str, Tensor], inputs: Tensor) -> Trace:
    """Runs the network once at the given weights and records its calls."""
    calls: list[tuple[str, nn.Module]] = []
    first_inputs: list[Tensor | None] = []
    largest = [inputs.numel()]

    def before(name: str) -> Callable[[nn.Module, tuple[object, ...]], None]:
        def hook(module: nn.Module, arguments: tuple[object, ...]) -> None:
            calls.append((name, module))
            only = arguments[0] if len(arguments) == 1 else None
            first_inputs.append(only if isinstance(only, Tensor) else None)

        return hook

    def after(module: nn.Module, arguments: object, output: object) -> None:
        if isinstance(output, Tensor):
            largest.append(output.numel())

    with _hooks() as handles:
        for name, module in network.named_modules():
            handles.append(module.register_forward_hook(after))
            if any(True for _ in module.parameters(recurse=False)):
                handles.append(module.register_forward_pre_hook(before(name)))
        output = functional_call(network, weights, (inputs,))
    first = first_inputs[0] if first_inputs else None
    return Trace(tuple(calls), first, max(largest), output)


@contextmanager
def _hooks() -> Iterator[list[torch.utils.hooks.RemovableHandle]]:
    handles: list[torch.utils.hooks.RemovableHandle] = []
    try:
        yield handles
    finally:
        for handle in handles:
            handle.remove()


def split_first_layer(
    network: nn.Module, plane: ParameterPlane, traced: Trace, *, most_elements: int
) -> SplitNetwork | None:
    """The network with its first layer evaluated along the plane, or None if that is no gain.

    The first module with parameters must be a plain linear layer or convolution. It must be called
    once, with one tensor, share no parameter with another module, and have an output of at most
    ``most_elements`` numbers (three such tensors are kept). Its input is then the same at all
    points of the plane, because nothing before it has weights.
    """
    if not traced.calls or traced.first_input is None:
        return None
    name, layer = traced.calls[0]
    # A subclass (weight normalisation makes one) need not be affine in its parameters.
    if not name or type(layer) not in _AFFINE or layer._forward_hooks:
        return None
    if [call[0] for call in traced.calls].count(name) > 1:
        return None
    own = {f"{name}.{key}": key for key, _ in layer.named_parameters(recurse=False)}
    owners = [id(p) for module in network.modules() for p in module.parameters(recurse=False)]
    if any(owners.count(id(p)) > 1 for p in layer.parameters(recurse=False)):
        return None
    parts = [
        functional_call(layer, {key: at[full] for full, key in own.items()}, (traced.first_input,))
        for at in (plane.origin, plane.first, plane.second)
    ]
    if parts[0].numel() > most_elements:
        return None
    replaced = copy.deepcopy(network)
    parent, _, attribute = name.rpartition(".")
    affine = AffineFirstLayer(*parts)
    setattr(replaced.get_submodule(parent), attribute, affine)
    return SplitNetwork(replaced, affine)
