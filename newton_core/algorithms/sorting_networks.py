"""Sorting networks: comparators arranged in layers that sort any n values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

NetworkName = Literal["odd_even", "bitonic"]

Comparator = tuple[int, int]
"""Two wires (low, high), low < high: the smaller value leaves on ``low``."""

Layers = tuple[tuple[Comparator, ...], ...]
"""Layers of comparators; the comparators of one layer share no wire."""


def odd_even_network(n: int) -> Layers:
    """Odd-even transposition: n layers (1 for n = 2), n (n - 1) / 2 comparators of neighbours.

    The first layer compares wires (0, 1), (2, 3), ..., the second (1, 2), (3, 4), ..., and so on
    in turn.
    """
    _check_wires(n)
    layers = (tuple((i, i + 1) for i in range(layer % 2, n - 1, 2)) for layer in range(n))
    return tuple(layer for layer in layers if layer)


def bitonic_network(n: int) -> Layers:
    """Bitonic sort (Batcher 1968): k (k + 1) / 2 layers with k = ceil(log2 n).

    Sorted runs of equal length are merged in pairs. The first layer of a merge compares each wire
    with its mirror image, so that every comparator points the same way; relabelling the wires
    turns this into the form whose runs alternate in direction.

    Where n is no power of 2, the network for the next power is cut: the front wires would carry
    minus infinity, which no comparator moves, so they and their comparators are left out. (The
    form with alternating directions must not be cut so: for n = 22, among others, it then no
    longer sorts.)
    """
    _check_wires(n)
    size = 1 << (n - 1).bit_length()
    layers: list[list[Comparator]] = []
    run = 2
    while run <= size:
        layers.append(
            [(s + i, s + run - 1 - i) for s in range(0, size, run) for i in range(run // 2)]
        )
        stride = run // 4
        while stride:
            layers.append([(i, i + stride) for i in range(size) if not i & stride])
            stride //= 2
        run *= 2
    front = size - n
    return tuple(
        tuple((low - front, high - front) for low, high in layer if low >= front)
        for layer in layers
    )


NETWORKS: dict[NetworkName, Callable[[int], Layers]] = {
    "odd_even": odd_even_network,
    "bitonic": bitonic_network,
}


@lru_cache
def sorting_network(name: NetworkName, n: int) -> Layers:
    """The comparator layers of the network called ``name`` for n wires.

    Raises:
        ValueError: n < 2.
    """
    return NETWORKS[name](n)


@dataclass(frozen=True)
class WiredLayer:
    """One layer of a network, acting on states (n, ...) with one row for each wire.

    Within a layer the wires stand in the order low wires, high wires, wires that no comparator
    touches.

    Attributes:
        gather: (n,) indices that bring the previous layer's order into this one's.
        scatter: (n,) indices that undo it.
        sizes: how many low, high and untouched wires there are.
    """

    gather: Tensor
    scatter: Tensor
    sizes: tuple[int, int, int]

    @property
    def comparators(self) -> int:
        """How many comparators the layer has."""
        return self.sizes[0]

    def enter(self, state: Tensor) -> tuple[Tensor, ...]:
        """Low, high and idle wires of a state in the previous layer's order."""
        return self.split(state.index_select(0, self.gather))

    def split(self, state: Tensor) -> tuple[Tensor, ...]:
        """Low, high and idle wires of a state in this layer's order."""
        return torch.split(state, list(self.sizes))

    def leave(self, *parts: Tensor) -> Tensor:
        """The parts that :meth:`enter` gives, back in the previous layer's order."""
        return torch.cat(parts).index_select(0, self.scatter)


@dataclass(frozen=True)
class Wiring:
    """A network as gathers of whole wires: ``layers`` in turn, then ``restore``.

    Attributes:
        layers: the layers, first to last.
        restore: (n,) indices that bring the last layer's order into the wires' own.
        unrestore: (n,) indices that undo it.
        sizes: the number of comparators of each layer.
    """

    layers: tuple[WiredLayer, ...]
    restore: Tensor
    unrestore: Tensor
    sizes: tuple[int, ...]

    def by_layer(self, comparators: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
        """What belongs to the comparators of each layer, of a tensor for all (C along ``dim``)."""
        return torch.split(comparators, list(self.sizes), dim)


@lru_cache
def wiring(name: NetworkName, n: int, device: torch.device) -> Wiring:
    """The network called ``name`` for n wires, with its indices on ``device``."""
    layers: list[WiredLayer] = []
    order = list(range(n))
    # Cached: must serve graphs that record gradients, even if first asked for in inference mode.
    with torch.inference_mode(False):
        for layer in sorting_network(name, n):
            wires = [low for low, _ in layer] + [high for _, high in layer]
            wires += [wire for wire in range(n) if wire not in wires]
            gather = torch.tensor([order.index(wire) for wire in wires], device=device)
            sizes = (len(layer), len(layer), n - 2 * len(layer))
            layers.append(WiredLayer(gather, gather.argsort(), sizes))
            order = wires
        unrestore = torch.tensor(order, device=device)
        sizes_of_layers = tuple(layer.comparators for layer in layers)
        return Wiring(tuple(layers), unrestore.argsort(), unrestore, sizes_of_layers)


def _check_wires(n: int) -> None:
    if n < 2:
        raise ValueError(f"a sorting network needs at least 2 wires, got {n}")
