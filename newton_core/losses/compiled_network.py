"""Derivatives of losses on relaxed sorting networks by compiled kernels, on the CPU.

The same numbers as :mod:`newton_core.losses.network_derivatives`, which serves other devices and
is the reference. The comparators' distribution stays with torch, so that every α has the same bits
on both ways: where P saturates in float32, its last bit decides over the gradient.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from newton_core.algorithms.sorting_networks import Wiring
from newton_core.algorithms.threads import over_batch
from newton_core.losses.base import Derivatives
from newton_core.losses.relaxed_network import Comparators, Matrices, RelaxedNetwork, Values
from newton_core.losses.saturating_cross_entropy import saturating_loss

BLOCK = 2**21
"""Numbers that a block of samples may keep: few enough that most of them stay in cache."""

LANES = 128
"""Samples of a block at most."""

SHARE = 2**20
"""Products of a batch that are worth a thread of their own."""


def compiled_saturating_derivatives(
    network: RelaxedNetwork, scores: Values, target: Matrices, hessian: bool
) -> Derivatives:
    """As :func:`newton_core.losses.network_derivatives.saturating_derivatives`, on the CPU."""
    n, samples = scores.shape
    difference, v, alpha = travel(network, scores)
    slope = network.distribution.density(v) * network.steepness
    transfer = torch.addcmul(alpha, slope, difference)
    curve = alpha.new_empty((0, samples))
    if hessian:
        curve = network.distribution.density_slope(v) * network.steepness**2
    p, gradient = torch.empty_like(target), torch.empty_like(scores)
    second = scores.new_empty((samples if hessian else 0, n, n))
    lows, highs = wires(network.wiring)
    arrays = [
        t.numpy()
        for t in (difference, alpha, 1 - alpha, slope, transfer, curve, target)
    ]  # fmt: skip
    results = [
        t.numpy()
        for t in (torch.empty_like(alpha), torch.empty_like(alpha), p, gradient, second)
    ]  # fmt: skip
    kernel = _kernels().saturating
    products = len(lows) * n * (n if hessian else 1)
    lanes = block_of(len(lows) * n * (4 if hessian else 1))
    over_batch(
        lambda part: kernel(lows, highs, *arrays, part.start, part.stop, lanes, *results),
        samples,
        most=1 + products * samples // SHARE,
        multiple=16,
    )
    value = saturating_loss(p, target)
    return Derivatives(value, gradient.mT, second if hessian else None)


def travel(network: RelaxedNetwork, scores: Values) -> tuple[Comparators, Comparators, Comparators]:
    """d, β d and α of every comparator as the scores travel through the network."""
    sizes = network.wiring.sizes
    lows, highs = wires(network.wiring)
    differences = scores.new_empty((len(lows), scores.shape[1]))
    v = torch.empty_like(differences)
    step = functools.partial(_kernels().travel, lows, highs)
    values, d, steep = scores.clone().numpy(), differences.numpy(), v.numpy()
    alphas = [v[:0]]
    begin = middle = 0
    for size in sizes:
        end = middle + size
        step(begin, middle, end, network.steepness, alphas[-1].numpy(), values, d, steep)
        alphas.append(network.distribution.cdf(v[middle:end]))
        begin, middle = middle, end
    return differences, v, torch.cat(alphas)


def block_of(numbers: int) -> int:
    """How many samples a block holds if each keeps so many numbers: a multiple of 16."""
    return max(16, min(LANES, BLOCK // numbers // 16 * 16))


@functools.lru_cache
def wires(wiring: Wiring) -> tuple[Any, Any]:
    """The low and the high wire of every comparator, as arrays of int64."""
    order = torch.arange(len(wiring.restore))
    lows, highs = [], []
    for layer in wiring.layers:
        order = order[layer.gather]
        low, high, _ = layer.split(order)
        lows.append(low)
        highs.append(high)
    return torch.cat(lows).numpy(), torch.cat(highs).numpy()


def _kernels() -> Any:
    """The compiled kernels; numba loads on the first call, not on import."""
    from newton_core.algorithms import network_kernels

    return network_kernels
