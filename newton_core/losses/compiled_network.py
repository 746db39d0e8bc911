"""Derivatives of losses on relaxed sorting networks by compiled kernels, on the CPU.

The same numbers as :mod:`newton_core.losses.network_derivatives`, which serves other devices and
is the reference. The comparators' distribution stays with torch, so that every α has the same bits
on both ways: where P saturates in float32, its last bit decides over the gradient.
"""

import functools
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.threads import over_batch
from newton_core.losses.base import Derivatives
from newton_core.losses.relaxed_network import Comparators, RelaxedNetwork

SHARE = 2**20
"""Products of a batch that are worth a thread of their own."""


def compiled_saturating_derivatives(
    network: RelaxedNetwork,
    scores: Float[Tensor, "N n"],
    target: Float[Tensor, "N n n"],
    hessian: bool,
) -> Derivatives:
    """As :func:`newton_core.losses.network_derivatives.saturating_derivatives`, sample first.

    Where a score is not finite, so is neither the value nor the gradient.
    """
    samples, n = scores.shape
    difference, v, alpha = travel(network, scores)
    slope = network.distribution.density(v).mul_(network.steepness)
    curve = alpha[:0]
    if hessian:
        curve = network.distribution.density_slope(v).mul_(network.steepness**2)
    value, gradient = scores.new_empty(samples), torch.empty_like(scores)
    second = scores.new_empty((samples if hessian else 0, n, n))
    arrays = [t.numpy() for t in (difference, alpha, slope, curve, scores, target)]
    results = [t.numpy() for t in (value, gradient, second)]
    lows, highs = network.wiring.wires
    kernel = _saturating()
    over_batch(
        lambda part: kernel(lows, highs, *arrays, part.start, part.stop, *results),
        samples,
        most=1 + samples * len(lows) * n * (n if hessian else 1) // SHARE,
    )
    return Derivatives(value, gradient, second if hessian else None)


def travel(
    network: RelaxedNetwork, scores: Float[Tensor, "N n"]
) -> tuple[Comparators, Comparators, Comparators]:
    """d, β d and α of every comparator as the scores travel through the network."""
    lows, highs = network.wiring.wires
    differences = scores.new_empty((len(lows), scores.shape[0]))
    v = torch.empty_like(differences)
    step, cdf, beta = _travel(), network.distribution.cdf, network.steepness
    values, d, steep = scores.mT.numpy().copy(), differences.numpy(), v.numpy()
    alphas = [v[:0]]
    begin = middle = 0
    for size in network.wiring.sizes:
        end = middle + size
        step(lows, highs, begin, middle, end, beta, alphas[-1].numpy(), values, d, steep)
        alphas.append(cdf(v[middle:end]))
        begin, middle = middle, end
    return differences, v, torch.cat(alphas)


@functools.cache
def _travel() -> Any:
    """The compiled step through a layer; numba loads on the first call, not on import."""
    from newton_core.algorithms import network_kernels

    return network_kernels.travel


@functools.cache
def _saturating() -> Any:
    """The compiled derivatives of BCELoss."""
    from newton_core.algorithms import saturating_network_kernels

    return saturating_network_kernels.saturating
