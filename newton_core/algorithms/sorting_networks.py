"""Sorting networks: layers of comparators that sort any n values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from newton_core.tensors import to_keep

NetworkName = Literal["odd_even", "bitonic"]

Indices = npt.NDArray[np.int64]

Comparator = tuple[int, int]
"""Two wires (low, high), low < high: the smaller value goes to ``low``."""

Layers = tuple[tuple[Comparator, ...], ...]
"""Layers of comparators; the comparators of one layer share no wire."""


def odd_even_network(n: int) -> Layers:
    """Odd-even transposition: n layers (1 for n = 2), n (n - 1) / 2 comparators of neighbours.

    The first layer compares wires (0, 1), (2, 3), ..., the second (1, 2), (3, 4), ..., and the
    layers after them alternate in the same way.
    """
    _check_wires(n)
    layers = (tuple((i, i + 1) for i in range(layer % 2, n - 1, 2)) for layer in range(n))
    return tuple(layer for layer in layers if layer)


def bitonic_network(n: int) -> Layers:
    """Bitonic sort (Batcher 1968): k (k + 1) / 2 layers with k = ceil(log2 n).

    Sorted runs of equal length are merged in pairs. The first layer of a merge compares each wire
    with its mirror image, so all comparators have the same direction. Relabelling the wires gives
    the other common form, in which the runs alternate in direction.

    If n is not a power of 2, the network for the next power is cut. Its first wires would carry
    minus infinity, which no comparator moves, so these wires and their comparators are left out.
    (The form with alternating directions must not be cut in this way: for n = 22, among others, it
    would no longer sort.)
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
    """One layer of a network, which acts on states (n, ...) with one row for each wire.

    A layer orders the wires: first the low wires, then the high wires, then the idle wires, which
    have no comparator.

    Attributes:
        gather: (n,) indices from the previous layer's order to this one's.
        scatter: (n,) indices of the inverse.
        sizes: number of low, high and idle wires.
    """

    gather: Tensor
    scatter: Tensor
    sizes: tuple[int, int, int]

    @property
    def comparators(self) -> int:
        """Number of comparators of the layer."""
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
    """A network as gathers of whole wires: the ``layers`` one after the other, then ``restore``.

    Attributes:
        layers: the layers, first to last.
        restore: (n,) indices from the last layer's order to the wires' own.
        unrestore: (n,) indices of the inverse.
        sizes: the number of comparators of each layer.
        wires: (4, C) for compiled kernels: the low and the high wire of every comparator, the first
            input that can reach it, and the first beyond the last one.
    """

    layers: tuple[WiredLayer, ...]
    restore: Tensor
    unrestore: Tensor
    sizes: tuple[int, ...]
    wires: Indices

    def by_layer(self, comparators: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
        """Splits a tensor over all C comparators (along ``dim``) into one part for each layer."""
        return torch.split(comparators, list(self.sizes), dim)


@lru_cache
def wiring(name: NetworkName, n: int, device: torch.device) -> Wiring:
    """The network called ``name`` for n wires, with its indices on ``device``."""
    layers: list[WiredLayer] = []
    order = list(range(n))
    with to_keep():
        for layer in sorting_network(name, n):
            wires = [low for low, _ in layer] + [high for _, high in layer]
            wires += [wire for wire in range(n) if wire not in wires]
            gather = torch.tensor([order.index(wire) for wire in wires], device=device)
            sizes = (len(layer), len(layer), n - 2 * len(layer))
            layers.append(WiredLayer(gather, gather.argsort(), sizes))
            order = wires
        unrestore = torch.tensor(order, device=device)
        sizes_of_layers = tuple(layer.comparators for layer in layers)
        restore = unrestore.argsort()
        reached = _reached(sorting_network(name, n), n)
        return Wiring(tuple(layers), restore, unrestore, sizes_of_layers, reached)


def _reached(layers: Layers, n: int) -> Indices:
    """The wires of all comparators, and the range of the inputs that can reach each."""
    first, past = list(range(n)), list(range(1, n + 1))
    found = []
    for low, high in (pair for layer in layers for pair in layer):
        first[low] = first[high] = min(first[low], first[high])
        past[low] = past[high] = max(past[low], past[high])
        found.append((low, high, first[low], past[low]))
    return np.ascontiguousarray(np.array(found, dtype=np.int64).T)


def _check_wires(n: int) -> None:
    if n < 2:
        raise ValueError(f"a sorting network needs at least 2 wires, got {n}")
