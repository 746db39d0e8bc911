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
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives
from newton_core.losses.relaxed_network import (
    Comparators,
    Matrices,
    RelaxedNetwork,
    Values,
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
    wiring, distribution, beta = network.wiring, network.distribution, network.steepness
    v, alpha = network.compare(scores)
    density = distribution.density(v)
    both = torch.stack((v, -v))
    slopes = distribution.log_slope(both).mul_(beta)
    slopes[1].neg_()  # of log α and log(1 - α) in d
    differences: list[Tensor] = []
    log_p = network.log_permute(distribution.log_cdf(both), differences)
    rows = row_derivatives(log_p, target, hessian=hessian)

    shares = [difference.sigmoid_() for difference in differences]
    adjoint = rows.gradient.index_select(0, wiring.unrestore)
    exits: list[Tensor] = []
    pulls = torch.empty_like(both)  # adjoints of log α and log(1 - α)
    for layer, share in zip(reversed(wiring.layers), reversed(shares), strict=True):
        k, n = layer.comparators, adjoint.shape[0]
        exit_ = adjoint[: 2 * k].view(2, k, n, -1)
        first = share * exit_
        second = exit_ - first
        torch.add(first.sum(2), second.sum(2).flip(0), out=pulls[:, layer.slice])
        adjoint = torch.cat((first.sum(0), second.sum(0), adjoint[2 * k :])).index_select(
            0, layer.scatter
        )
        exits.append(exit_)
    comparators = _Comparators(v / beta, alpha, density * beta)
    pull = (pulls * slopes).sum(0)
    gradient, skew = comparators.pull(network, pull)
    if rows.hessians is None:
        return Derivatives(rows.value, gradient.mT)

    curvature = (pulls * distribution.log_curvature(both)).sum(0).mul_(beta**2)
    curvature -= skew * comparators.curvature(distribution.density_slope(v) * beta**2)
    tangents = comparators.tangents(network)
    result = gram(curvature, tangents)
    entry = slopes.unsqueeze(2) * tangents  # of log α and log(1 - α)
    gap = (entry - entry.flip(0)).unsqueeze(2)
    other = entry.flip(0).unsqueeze(2)
    n = scores.shape[0]
    state = scores.new_zeros(n, n, n, scores.shape[1])
    for layer, share, exit_ in zip(wiring.layers, shares, reversed(exits), strict=True):
        low, high, idle = layer.enter(state)
        apart = gap[:, layer.slice] + (low - high)
        weight = exit_ * share * (1 - share)
        result += gram(weight.flatten(0, 2), apart.flatten(0, 2))
        mixed = torch.addcmul(other[:, layer.slice] + high, share.unsqueeze(3), apart)
        state = torch.cat((mixed.flatten(0, 1), idle))
    result += pull_rows(rows.hessians, state.index_select(0, wiring.restore))
    return Derivatives(rows.value, gradient.mT, result.permute(2, 0, 1))


def saturating_derivatives(
    network: RelaxedNetwork, scores: Values, target: Matrices, hessian: bool
) -> Derivatives:
    """torch's backward and double backward pass of BCELoss on the product of the layers."""
    wiring, distribution, beta = network.wiring, network.distribution, network.steepness
    v, alpha = network.compare(scores)
    wires: list[tuple[Tensor, Tensor]] = []
    p = network.permute(alpha, wires)
    value = saturating_loss(p, target)

    mix = torch.stack((alpha, 1 - alpha)).unsqueeze(2)
    other = mix.flip(0)
    adjoint = saturating_gradient(p, target).index_select(0, wiring.unrestore)
    pulls = torch.empty_like(alpha)
    exits: list[Tensor] = []
    for layer, (low, high) in zip(reversed(wiring.layers), reversed(wires), strict=True):
        k, n = layer.comparators, adjoint.shape[0]
        exit_ = adjoint[: 2 * k].view(2, k, n, -1)
        of_mix = (exit_ * low).sum(2) + (exit_ * high).sum(2).flip(0)
        pulls[layer.slice] = of_mix[0] - of_mix[1]
        of_low = (mix[:, layer.slice] * exit_).sum(0)
        of_high = (other[:, layer.slice] * exit_).sum(0)
        adjoint = torch.cat((of_low, of_high, adjoint[2 * k :])).index_select(0, layer.scatter)
        exits.append(exit_)
    slope = distribution.density(v) * beta
    comparators = _Comparators(v / beta, alpha, slope)
    gradient, skew = comparators.pull(network, pulls * slope)
    if not hessian:
        return Derivatives(value, gradient.mT)

    bend = distribution.density_slope(v) * beta**2
    tangents = comparators.tangents(network)
    result = gram(pulls * bend - skew * comparators.curvature(bend), tangents)
    entry = slope.unsqueeze(1) * tangents  # of α
    n = scores.shape[0]
    state = scores.new_zeros(n, n, n, scores.shape[1])
    crossed = torch.empty_like(tangents)
    for layer, (low, high), exit_ in zip(wiring.layers, wires, reversed(exits), strict=True):
        below, above, idle = layer.enter(state)
        apart = below - above
        torch.sum((exit_[0] - exit_[1]).unsqueeze(2) * apart, 1, out=crossed[layer.slice])
        moved = alpha[layer.slice, None, None] * apart
        moved.addcmul_(entry[layer.slice].unsqueeze(1), (low - high).unsqueeze(2))
        state = torch.cat((above + moved, below - moved, idle))
    mixed = outer(entry, crossed)
    result += mixed + mixed.transpose(0, 1)
    weight = saturating_curvature(p, target)
    result += gram(weight.flatten(0, 1), state.index_select(0, wiring.restore).flatten(0, 1))
    return Derivatives(value, gradient.mT, result.permute(2, 0, 1))


@dataclass(frozen=True)
class _Comparators:
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

        Also the adjoints of each comparator's -α d, that is of its low minus its high exit.
        """
        transfer = self.transfer
        skew = torch.empty_like(pull)
        adjoint = pull.new_zeros(len(network.wiring.restore), pull.shape[1])
        for layer in reversed(network.wiring.layers):
            low, high, idle = layer.split(adjoint)
            at = layer.slice
            skew[at] = low - high
            push = pull[at] - skew[at] * transfer[at]
            adjoint = torch.cat((high - push, low + push, idle)).index_select(0, layer.scatter)
        return adjoint, skew

    def tangents(self, network: RelaxedNetwork) -> Float[Tensor, "C n N"]:
        """The tangents of every d, for all scores together."""
        transfer = self.transfer.unsqueeze(1)
        n, samples = len(network.wiring.restore), self.alpha.shape[1]
        state = torch.eye(n, dtype=transfer.dtype, device=transfer.device)
        state = state.unsqueeze(2).expand(n, n, samples)
        result = transfer.new_empty(len(transfer), n, samples)
        for layer in network.wiring.layers:
            low, high, idle = layer.enter(state)
            apart = torch.sub(high, low, out=result[layer.slice])
            moved = transfer[layer.slice] * apart
            state = torch.cat((high - moved, low + moved, idle))
        return result


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
