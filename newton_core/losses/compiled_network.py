"""Derivatives of losses on relaxed sorting networks by compiled kernels, on the CPU.

The same numbers as :mod:`newton_core.losses.network_derivatives`, which serves other devices and
is the reference. The comparators' distribution stays with torch, so that every α has the same bits
on both ways: where P saturates in float32, its last bit decides over the gradient.
"""

import functools
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from newton_core.algorithms.threads import over_batch
from newton_core.losses.base import Derivatives
from newton_core.losses.distributions import Distribution
from newton_core.losses.relaxed_network import RelaxedNetwork
from newton_core.losses.row_cross_entropy import row_derivatives
from newton_core.losses.sorting import with_unseen
from newton_core.tensors import to_keep

FloatArray = NDArray[np.floating[Any]]

SHARE = 2**20
"""Products of a batch that are worth a thread of their own."""

KEPT_NUMBERS = 2**17
"""Comparators times samples up to which a workspace is kept: making it anew then takes as long as
the pass itself."""


def compiled_saturating_derivatives(
    network: RelaxedNetwork,
    scores: Float[Tensor, "N n"],
    target: Float[Tensor, "N n n"],
    hessian: bool,
) -> Derivatives:
    """As :func:`newton_core.losses.network_derivatives.saturating_derivatives`, sample first.

    Where a score is not finite, so is neither the value nor the gradient.
    """
    own, true = scores.numpy(), target.numpy()
    samples, n = own.shape
    over = travel(network, own)
    distribution = network.distribution
    slopes = curves = over[0, :0]
    if not distribution.density_is_compiled:
        slopes = distribution.density(torch.from_numpy(over[1])).numpy()
    if hessian:
        curves = distribution.density_slope(torch.from_numpy(over[1])).numpy()
    value, gradient = np.empty(samples, own.dtype), np.empty((samples, n), own.dtype)
    second = np.empty((samples if hessian else 0, n, n), own.dtype)
    net = network.wiring.wires
    given = (net, network.steepness, over, slopes, curves, own, true)
    kernel = _saturating()
    over_batch(
        lambda part: kernel(*given, part.start, part.stop, value, gradient, second),
        samples,
        most=1 + samples * net.shape[1] * n * (n if hessian else 1) // SHARE,
    )
    found = torch.from_numpy(value), torch.from_numpy(gradient)
    return Derivatives(*found, torch.from_numpy(second) if hessian else None)


def compiled_log_derivatives(
    network: RelaxedNetwork,
    scores: Float[Tensor, "N n"],
    target: Float[Tensor, "N n n"],
    hessian: bool,
) -> Derivatives:
    """As :func:`newton_core.losses.network_derivatives.log_domain_derivatives`, sample first.

    Computed and returned in float64.
    """
    scores, target = scores.double(), target.double()
    samples, n = scores.shape
    distribution, beta = network.distribution, network.steepness
    difference, v, alpha = torch.from_numpy(travel(network, scores.numpy())[:3]).unbind()
    lows, highs = network.wiring.wires[:2]
    both = torch.cat((v, -v))
    kernels = _log_domain()
    rows = scores.new_empty((samples, n, n))
    shares = scores.new_empty((samples, len(lows), 2, n))
    work = samples * len(lows) * n
    mixed = [t.numpy() for t in (rows, shares)]
    logs = distribution.log_cdf(both).numpy()
    over_batch(
        lambda part: kernels.mix_logs(lows, highs, logs, len(lows), part.start, part.stop, *mixed),
        samples,
        most=1 + work // SHARE,
    )
    found = row_derivatives(
        rows.permute(1, 2, 0).contiguous(), target.permute(1, 2, 0).contiguous(), hessian=hessian
    )
    adjoints = found.gradient.permute(2, 0, 1).contiguous()
    slopes = distribution.log_slope(both).mul_(beta)
    slopes[len(lows) :].neg_()
    slope = distribution.density(v).mul_(beta)
    transfer = torch.addcmul(alpha, slope, difference)
    curves = bent = both[:0]
    factors = adjoints[None, :0]
    if found.hessians is not None:
        curves = distribution.log_curvature(both).mul_(beta**2).addcmul_(slopes, slopes)
        bend = distribution.density_slope(v).mul_(beta**2)
        bent = torch.addcmul(2 * slope, bend, difference)
        pairs = [factor for pair in found.hessians.pairs for factor in pair]
        factors = torch.stack(pairs).permute(0, 3, 1, 2).contiguous()
    gradient, second = torch.empty_like(scores), scores.new_empty((samples if hessian else 0, n, n))
    arrays = [t.numpy() for t in (slopes, transfer, curves, bent, shares, adjoints, factors)]
    results = [t.numpy() for t in (gradient, second)]
    over_batch(
        lambda part: kernels.log_domain(lows, highs, *arrays, part.start, part.stop, *results),
        samples,
        most=1 + work * (n if hessian else 1) // SHARE,
    )
    return with_unseen(Derivatives(found.value, gradient, second if hessian else None), scores.mT)


def travel(network: RelaxedNetwork, scores: FloatArray) -> FloatArray:
    """(4, C, N): d, v = β d, α and a number of its own of every comparator as (N, n) scores pass
    through the network.

    The next call of this thread may overwrite them.
    """
    distribution, wiring = network.distribution, network.wiring
    is_small = wiring.wires.shape[1] * len(scores) <= KEPT_NUMBERS
    make = _KEPT.workspace if is_small else Workspace.of
    space = make(distribution, wiring.sizes, scores.shape, scores.dtype)
    given = (network.steepness, distribution.sign, distribution.divisor, scores, space.values)
    step = _travel()
    for bounds, compare in space.layers:
        step(wiring.wires, *bounds, *given, space.over)
        compare()
    return space.over


@dataclass(frozen=True)
class Workspace:
    """What a pass through a network writes to: small arrays that take long to make anew.

    Attributes:
        over: (4, C, N): d, v, α and the argument of the distribution's raw function.
        values: (n, N) of the wires.
        layers: where the layer before, this one and the next begin among the comparators, and the
            call that fills this one's raw α; after the last layer a call that does nothing.
    """

    over: FloatArray
    values: FloatArray
    layers: tuple[tuple[tuple[int, int, int], Callable[[], object]], ...]

    @classmethod
    def of(
        cls,
        distribution: Distribution,
        sizes: tuple[int, ...],
        shape: tuple[int, int],
        dtype: np.dtype[Any],
    ) -> "Workspace":
        """For (N, n) scores of this shape and dtype, and layers of these sizes."""
        samples, n = shape
        over = np.empty((4, sum(sizes), samples), dtype)
        with to_keep():
            arguments, alphas = (torch.from_numpy(over[i]).split_with_sizes(sizes) for i in (3, 2))
        calls = [distribution.raw(w, out) for w, out in zip(arguments, alphas, strict=True)]
        ends = [0, *itertools.accumulate(sizes, initial=0), sum(sizes)]
        bounds = zip(ends, ends[1:], ends[2:], strict=False)
        layers = tuple(zip(bounds, [*calls, _nothing], strict=True))
        return cls(over, np.empty((n, samples), dtype), layers)


def _nothing() -> None:
    pass


class _Kept(threading.local):
    """Each thread's last workspaces: in one that two shared they would overwrite each other's."""

    def __init__(self) -> None:
        self.workspace = functools.lru_cache(maxsize=8)(Workspace.of)


_KEPT = _Kept()


@functools.cache
def _travel() -> Callable[..., None]:
    """The compiled step through a layer; numba loads on the first call, not on import."""
    from newton_core.algorithms import network_kernels

    kernel: Callable[..., None] = network_kernels.travel
    return kernel


@functools.cache
def _saturating() -> Callable[..., None]:
    """The compiled derivatives of BCELoss."""
    from newton_core.algorithms import saturating_network_kernels

    kernel: Callable[..., None] = saturating_network_kernels.saturating
    return kernel


@functools.cache
def _log_domain() -> ModuleType:
    """The compiled passes in the log domain."""
    from newton_core.algorithms import log_network_kernels

    return log_network_kernels
