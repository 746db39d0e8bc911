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
    minus infinity, which no comparator moves, so they and their comparators are left out.
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
    """One layer of a network, as gathers of whole wires.

    ``state[gather]`` brings the wires of the previous layer into the order low wires, high wires,
    wires that no comparator touches; ``scatter`` undoes it.

    Attributes:
        gather, scatter: (n,) indices.
        comparators: how many low (and high) wires there are.
        start: number of comparators in the layers before.
    """

    gather: Tensor
    scatter: Tensor
    comparators: int
    start: int

    @property
    def slice(self) -> slice:
        """Where the layer's comparators are among those of all layers."""
        return slice(self.start, self.start + self.comparators)

    def enter(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Low, high and idle wires of a state (n, ...) in the order of the previous layer."""
        return self.split(state.index_select(0, self.gather))

    def split(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Low, high and idle wires of a state (n, ...) in the order of this layer."""
        k = self.comparators
        return state[:k], state[k : 2 * k], state[2 * k :]


@dataclass(frozen=True)
class Wiring:
    """A network as gathers: ``layers`` in turn, then ``state[restore]`` for the wires' own order.

    Attributes:
        layers: the layers, first to last.
        restore, unrestore: (n,) indices from the last layer's order to the wires' and back.
        comparators: number of comparators in all layers.
    """

    layers: tuple[WiredLayer, ...]
    restore: Tensor
    unrestore: Tensor
    comparators: int


@lru_cache
def wiring(name: NetworkName, n: int, device: torch.device) -> Wiring:
    """The network called ``name`` for n wires, with its indices on ``device``."""
    layers: list[WiredLayer] = []
    order, start = list(range(n)), 0
    # Cached: must serve graphs that record gradients, even if first asked for in inference mode.
    with torch.inference_mode(False):
        for layer in sorting_network(name, n):
            low, high = [a for a, _ in layer], [b for _, b in layer]
            wires = low + high
            wires += [wire for wire in range(n) if wire not in wires]
            gather = torch.tensor([order.index(wire) for wire in wires], device=device)
            layers.append(WiredLayer(gather, gather.argsort(), len(layer), start))
            order, start = wires, start + len(layer)
        unrestore = torch.tensor(order, device=device)
        return Wiring(tuple(layers), unrestore.argsort(), unrestore, start)


def _check_wires(n: int) -> None:
    if n < 2:
        raise ValueError(f"a sorting network needs at least 2 wires, got {n}")
