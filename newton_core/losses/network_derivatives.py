"""Derivatives of losses on relaxed sorting networks, without a backward pass per score.

The Hessian of a composition is the sum, over every operation on the way, of the operation's own
second derivatives, taken between the tangents of its inputs and weighted by the adjoint of its
output. So one pass forward (values), one backward (adjoints: that is the gradient), and one
forward with the n tangents of all scores together give it. The operations are few:

- a comparator, low = b - α d and high = a + α d with d = b - a and α = F(β d): its second
  derivative lies in d alone;
- the mixing of two rows: bilinear in α and the rows (P itself), or a logaddexp (log P);
- the cross-entropy at the end.

Tangents are [..., score, sample]; other layouts as in :mod:`newton_core.losses.relaxed_network`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from newton_core.losses.base import Derivatives
from newton_core.losses.relaxed_network import (
    Comparators,
    Matrices,
    RelaxedNetwork,
    Values,
    both_exits,
)
from newton_core.losses.row_cross_entropy import RowHessians, row_derivatives
from newton_core.losses.saturating_cross_entropy import (
    saturating_curvature,
    saturating_gradient,
    saturating_loss,
)

LARGEST_PRODUCT = 2**20
"""Outer products of up to this many entries are formed and summed: cheaper than the copies that
a product of matrices needs, as long as they fit the cache."""


def log_domain_derivatives(
    network: RelaxedNetwork, scores: Values, target: Matrices, hessian: bool
) -> Derivatives:
    """Derivatives of the cross-entropy from log P and log(1 - P)."""
    forward = LogForward.of(network, scores)
    rows = row_derivatives(forward.log_p, target, hessian=hessian)
    gradient, second = forward.derivatives(rows.gradient, hessian)
    if second is None or rows.hessians is None:
        return Derivatives(rows.value, gradient.mT)
    result, tangents = second
    result += pull_rows(rows.hessians, tangents)
    return Derivatives(rows.value, gradient.mT, result.permute(2, 0, 1))


@dataclass(frozen=True)
class LogForward:
    """The scores' way through the network to log P, or to one column of it, and the way back.

    Attributes:
        network: the network.
        difference: d of every comparator.
        alpha: α.
        v: β d and -β d.
        log_p: [wire, item, sample], of all items or of one each.
        shares: of each layer, what the straight way has of each exit.
    """

    network: RelaxedNetwork
    difference: Comparators
    alpha: Comparators
    v: Float[Tensor, "2 C N"]
    log_p: Float[Tensor, "n i N"]
    shares: list[Tensor]

    @classmethod
    def of(
        cls, network: RelaxedNetwork, scores: Values, items: Int[Tensor, " N"] | None = None
    ) -> "LogForward":
        """Sends scores through; with ``items``, each sample's column of that item alone."""
        difference, alpha = network.compare(scores)
        v = torch.stack((network.steepness * difference, -network.steepness * difference))
        record: list[Tensor] = []
        log_p = network.log_permute(network.distribution.log_cdf(v), record, items)
        return cls(network, difference, alpha, v, log_p, [apart.sigmoid_() for apart in record])

    def derivatives(
        self, adjoints: Float[Tensor, "n i N"], hessian: bool
    ) -> tuple[Values, tuple[Matrices, Float[Tensor, "n i n N"]] | None]:
        """What the scores receive where log P receives ``adjoints``.

        With ``hessian`` also the second derivatives of all operations before the end, and the
        tangents of log P, between which those of the end are still to be taken.
        """
        network, v = self.network, self.v
        distribution, beta, wiring = network.distribution, network.steepness, network.wiring

        # Backward through the layers: what each exit's row receives, and log α and log(1 - α).
        received: list[Tensor] = []
        pulls = torch.empty_like(v)
        below = adjoints.index_select(0, wiring.unrestore)
        layers = zip(wiring.layers, self.shares, network.by_layer(pulls), strict=True)
        for layer, share, pull in reversed(list(layers)):
            exits, idle = _split_exits(below, layer.comparators)
            first = share * exits
            second = exits - first
            torch.add(first.sum(2), second.sum(2).flip(0), out=pull)
            below = layer.leave(first.sum(0), second.sum(0), idle)
            received.append(exits)

        slopes = distribution.log_slope(v).mul_(beta)
        slopes[1].neg_()  # of log α and log(1 - α) in d
        slope = distribution.density(v[0]) * beta
        comparators = ComparatorDerivatives(self.difference, self.alpha, slope)
        gradient, skew = comparators.pull(network, (pulls * slopes).sum(0))
        if not hessian:
            return gradient, None

        # Forward with the tangents.
        bend = distribution.density_slope(v[0]) * beta**2
        curvature = (pulls * distribution.log_curvature(v)).sum(0).mul_(beta**2)
        tangents = comparators.tangents(network)
        result = gram(curvature - skew * comparators.curvature(bend), tangents)
        mix = (slopes.unsqueeze(2) * tangents).unsqueeze(2)  # of log α and log(1 - α)
        other = mix.flip(0)
        n, i, samples = adjoints.shape
        state = adjoints.new_zeros(n, i, n, samples)
        for layer, gap, to_high, share, exits in zip(
            wiring.layers,
            network.by_layer(mix - other),
            network.by_layer(other),
            self.shares,
            reversed(received),
            strict=True,
        ):
            low, high, idle = layer.enter(state)
            # A logaddexp curves by share (1 - share) along the difference of its two summands.
            apart = gap + (low - high)
            weight = exits * share * (1 - share)
            result += gram(weight.flatten(0, 2), apart.flatten(0, 2))
            mixed = torch.addcmul(to_high + high, share.unsqueeze(3), apart)
            state = torch.cat((mixed.flatten(0, 1), idle))
        return gradient, (result, state.index_select(0, wiring.restore))


def saturating_derivatives(
    network: RelaxedNetwork, scores: Values, target: Matrices, hessian: bool
) -> Derivatives:
    """Derivatives of BCELoss on the product of the layers, as torch's backward passes have them.

    The Hessian adds the same terms as torch's double backward pass, in another order.
    """
    distribution, beta, wiring = network.distribution, network.steepness, network.wiring
    difference, alpha = network.compare(scores)
    wires: list[tuple[Tensor, Tensor]] = []
    p = network.permute(alpha, wires)

    # Backward through the layers: what each exit's row receives, and α.
    received: list[Tensor] = []
    pulls = torch.empty_like(alpha)
    mix, other = both_exits(torch.stack((alpha, 1 - alpha)))
    below = saturating_gradient(p, target).index_select(0, wiring.unrestore)
    weights = zip(network.by_layer(mix), network.by_layer(other), strict=True)
    layers = zip(wiring.layers, wires, weights, wiring.by_layer(pulls), strict=True)
    for layer, (low, high), (to_low, to_high), pull in reversed(list(layers)):
        exits, idle = _split_exits(below, layer.comparators)
        of_mix = (exits * low).sum(2) + (exits * high).sum(2).flip(0)
        torch.sub(of_mix[0], of_mix[1], out=pull)
        below = layer.leave((to_low * exits).sum(0), (to_high * exits).sum(0), idle)
        received.append(exits)

    v = beta * difference
    slope = distribution.density(v) * beta
    comparators = ComparatorDerivatives(difference, alpha, slope)
    gradient, skew = comparators.pull(network, pulls * slope)
    value = saturating_loss(p, target)
    if not hessian:
        return Derivatives(value, gradient.mT)

    # Forward with the tangents.
    bend = distribution.density_slope(v) * beta**2
    tangents = comparators.tangents(network)
    result = gram(pulls * bend - skew * comparators.curvature(bend), tangents)
    entry = slope.unsqueeze(1) * tangents  # of α
    crossed = torch.empty_like(tangents)
    state = _no_tangents(scores)
    for layer, (low, high), share, enters, cross, exits in zip(
        wiring.layers,
        wires,
        wiring.by_layer(alpha),
        wiring.by_layer(entry),
        wiring.by_layer(crossed),
        reversed(received),
        strict=True,
    ):
        lower, higher, idle = layer.enter(state)
        # low and high exit are high + α (low - high) and low - α (low - high): bilinear.
        apart = lower - higher
        torch.sum((exits[0] - exits[1]).unsqueeze(2) * apart, 1, out=cross)
        moved = share[:, None, None] * apart
        moved.addcmul_(enters.unsqueeze(1), (low - high).unsqueeze(2))
        state = torch.cat((higher + moved, lower - moved, idle))
    mixed = outer(entry, crossed)
    result += mixed + mixed.transpose(0, 1)
    weight = saturating_curvature(p, target)
    result += gram(weight.flatten(0, 1), state.index_select(0, wiring.restore).flatten(0, 1))
    return Derivatives(value, gradient.mT, result.permute(2, 0, 1))


@dataclass(frozen=True)
class ComparatorDerivatives:
    """The comparators as functions of d = b - a alone: low = b - α d, high = a + α d.

    Attributes:
        difference: d of every comparator.
        alpha: α.
        slope: dα/dd = β F'(β d).
    """

    difference: Comparators
    alpha: Comparators
    slope: Comparators

    @property
    def transfer(self) -> Comparators:
        """(α d)' in d."""
        return torch.addcmul(self.alpha, self.slope, self.difference)

    def curvature(self, bend: Comparators) -> Comparators:
        """(α d)'' in d, given ``bend`` = d²α/dd²."""
        return torch.addcmul(2 * self.slope, bend, self.difference)

    def pull(self, network: RelaxedNetwork, pull: Comparators) -> tuple[Values, Comparators]:
        """The scores' adjoints from what each d receives besides the wires it mixes (``pull``).

        Also the adjoint of each comparator's -α d, that is of its low minus its high exit.
        """
        wiring = network.wiring
        skew = torch.empty_like(pull)
        values = pull.new_zeros(len(wiring.restore), pull.shape[1])
        layers = zip(
            wiring.layers,
            wiring.by_layer(skew),
            wiring.by_layer(pull),
            wiring.by_layer(self.transfer),
            strict=True,
        )
        for layer, apart, received, transfer in reversed(list(layers)):
            low, high, idle = layer.split(values)
            torch.sub(low, high, out=apart)
            push = torch.addcmul(received, apart, transfer, value=-1)
            values = layer.leave(high - push, low + push, idle)
        return values, skew

    def tangents(self, network: RelaxedNetwork) -> Float[Tensor, "C n N"]:
        """The tangents of every d, for all scores together."""
        wiring = network.wiring
        n, samples = len(wiring.restore), self.alpha.shape[1]
        state = torch.eye(n, dtype=self.alpha.dtype, device=self.alpha.device)
        state = state.unsqueeze(2).expand(n, n, samples)
        result = self.alpha.new_empty(len(self.alpha), n, samples)
        transfers = wiring.by_layer(self.transfer.unsqueeze(1))
        layers = zip(wiring.layers, wiring.by_layer(result), transfers, strict=True)
        for layer, apart, transfer in layers:
            low, high, idle = layer.enter(state)
            moved = transfer * torch.sub(high, low, out=apart)
            state = torch.cat((high - moved, low + moved, idle))
        return result


def _split_exits(
    rows: Float[Tensor, "n i N"], comparators: int
) -> tuple[Float[Tensor, "2 k i N"], Float[Tensor, "idle i N"]]:
    """Rows in a layer's order as (low, high) exits of its comparators, and those of idle wires."""
    exits, idle = rows.tensor_split((2 * comparators,))
    return exits.view(2, comparators, *rows.shape[1:]), idle


def _no_tangents(scores: Values) -> Float[Tensor, "n n n N"]:
    """The tangents [wire, item, score] of the identity matrix."""
    n, samples = scores.shape
    return scores.new_zeros(n, n, n, samples)


def outer(a: Float[Tensor, "E n N"], b: Float[Tensor, "E n N"]) -> Matrices:
    """sum_e a_e b_e^T of each sample."""
    if a.numel() * a.shape[1] <= LARGEST_PRODUCT:
        return (a.unsqueeze(2) * b.unsqueeze(1)).sum(0)
    first, second = a.permute(2, 1, 0).contiguous(), b.permute(2, 0, 1).contiguous()
    return torch.bmm(first, second).permute(1, 2, 0)


def gram(weights: Float[Tensor, "E N"], tangents: Float[Tensor, "E n N"]) -> Matrices:
    """sum_e w_e t_e t_e^T of each sample."""
    return outer(weights.unsqueeze(1) * tangents, tangents)


def pull_rows(rows: RowHessians, tangents: Float[Tensor, "n n n N"]) -> Matrices:
    """sum_r T_r^T H_r T_r with the tangents T_r [item, score] of each row's logits.

    With the factors of H_r, H_r = sum over the pairs of L R^T + R L^T - diag(L sum(R) + R sum(L)).
    """
    lefts, rights = (torch.stack(factors) for factors in zip(*rows.pairs, strict=True))
    a = (lefts.unsqueeze(3) * tangents).sum(2).flatten(0, 1)
    b = (rights.unsqueeze(3) * tangents).sum(2).flatten(0, 1)
    crossed = outer(a, b)
    diagonal = lefts * rights.sum(2, keepdim=True) + rights * lefts.sum(2, keepdim=True)
    own = gram(diagonal.sum(0).flatten(0, 1), tangents.flatten(0, 1))
    return crossed + crossed.transpose(0, 1) - own
