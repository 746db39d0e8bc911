import itertools
import math

import pytest
import torch

from newton_core.algorithms.sorting_networks import (
    Layers,
    bitonic_network,
    odd_even_network,
    sorting_network,
)


def run_hard(layers: Layers, values: torch.Tensor) -> torch.Tensor:
    values = values.clone()
    for layer in layers:
        for low, high in layer:
            pair = values[:, [low, high]]
            values[:, low], values[:, high] = pair.amin(1), pair.amax(1)
    return values


@pytest.mark.parametrize("name", ["odd_even", "bitonic"])
@pytest.mark.parametrize("n", range(2, 15))
def test_sorts_every_input_of_zeros_and_ones(name, n):
    """By the zero-one principle it then sorts everything."""
    inputs = torch.tensor(list(itertools.product([0, 1], repeat=n)), dtype=torch.int8)
    assert torch.equal(run_hard(sorting_network(name, n), inputs), inputs.sort(1).values)


@pytest.mark.parametrize("name", ["odd_even", "bitonic"])
@pytest.mark.parametrize("n", [*range(15, 35), 45, 63, 64])
def test_sorts_random_inputs(name, n):
    """n = 22, among others, catches a bitonic network cut at the wrong end."""
    values = torch.rand(3000, n, generator=torch.Generator().manual_seed(n))
    assert torch.equal(run_hard(sorting_network(name, n), values), values.sort(1).values)


@pytest.mark.parametrize("name", ["odd_even", "bitonic"])
@pytest.mark.parametrize("n", [2, 3, 8, 11, 32])
def test_comparators_of_a_layer_are_disjoint_and_point_upwards(name, n):
    for layer in sorting_network(name, n):
        assert layer
        wires = [wire for comparator in layer for wire in comparator]
        assert len(set(wires)) == len(wires)
        assert all(0 <= low < high < n for low, high in layer)


@pytest.mark.parametrize("n", [3, 4, 5, 10, 32])
def test_odd_even_size(n):
    layers = odd_even_network(n)
    assert len(layers) == n
    assert sum(map(len, layers)) == n * (n - 1) // 2


def test_odd_even_of_two_has_one_layer() -> None:
    assert odd_even_network(2) == (((0, 1),),)


@pytest.mark.parametrize("n", [2, 4, 7, 8, 9, 16, 32])
def test_bitonic_depth(n):
    k = math.ceil(math.log2(n))
    assert len(bitonic_network(n)) == k * (k + 1) // 2


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="at least 2 wires, got 1"):
        odd_even_network(1)
    with pytest.raises(ValueError, match="at least 2 wires, got 0"):
        bitonic_network(0)
