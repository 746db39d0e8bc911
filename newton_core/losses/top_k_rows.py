"""How likely a class is at each of the top places, by a relaxed sort, and the loss of that.

With P the relaxed permutation of the n scores, ascending, and l_m = log P_mt for the class t, the
loss is -log sum_m w_m exp(l_m) over the k top rows m. With q_m = w_m exp(l_m) / sum it has

    gradient   g = -sum_m q_m l'_m
    Hessian    g gᵀ - sum_m q_m (l'_m l'_mᵀ + l''_m),

so that a relaxation gives the l'_m and the sum of the l''_m. Scores are (n, N), the sample last.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from newton_core.losses.base import Derivatives
from newton_core.losses.distributions import log_cdf
from newton_core.losses.network_derivatives import ComparatorDerivatives, gram, outer
from newton_core.losses.relaxed_network import RelaxedNetwork, logaddexp
from newton_core.losses.row_cross_entropy import RowHessians
from newton_core.losses.softmax_sorting import SoftmaxSortingLoss, centred
from newton_core.losses.sorting import ItemScores

Classes = Int[Tensor, " N"]
TopRows = Float[Tensor, "k N"]


class TopRelaxation(ABC):
    """A relaxed sort, read at one class and at the top rows alone."""

    @abstractmethod
    def log_top(self, scores: ItemScores, classes: Classes, k: int) -> TopRows:
        """log P of the class in the k top rows, the topmost last; differentiable twice."""

    @abstractmethod
    def derivatives(
        self, scores: ItemScores, classes: Classes, weights: Float[Tensor, " k"], hessian: bool
    ) -> Derivatives:
        """Those of the loss, at scores without a graph."""


def top_loss(log_top: TopRows, weights: Float[Tensor, " k"]) -> Float[Tensor, " N"]:
    """-log sum_m w_m exp(l_m)."""
    return -torch.logsumexp(log_top + weights.log().unsqueeze(1), 0)


def _posterior(log_top: TopRows, weights: Float[Tensor, " k"]) -> TopRows:
    """q_m."""
    return torch.softmax(log_top + weights.log().unsqueeze(1), 0)


@dataclass(frozen=True)
class SoftmaxTop(TopRelaxation):
    """NeuralSort or SoftSort, whose rows are softmaxes of logits z_m = A_m s.

    l'_m = A_mᵀ (e_t - p_m) and l''_m = -A_mᵀ (diag(p_m) - p_m p_mᵀ) A_m.

    Attributes:
        sorting: gives the logits.
    """

    sorting: SoftmaxSortingLoss

    def log_top(self, scores: ItemScores, classes: Classes, k: int) -> TopRows:
        """See :class:`TopRelaxation`."""
        return _of_class(self.sorting.logits(centred(scores))[-k:].log_softmax(1), classes)

    def derivatives(
        self, scores: ItemScores, classes: Classes, weights: Float[Tensor, " k"], hessian: bool
    ) -> Derivatives:
        """See :class:`TopRelaxation`."""
        linear = self.sorting.linear_logits(centred(scores))
        n, k = len(scores), len(weights)
        log_p = linear.logits[-k:].log_softmax(1)
        log_top = _of_class(log_p, classes)
        q, p = _posterior(log_top, weights), log_p.exp()
        apart = -p
        apart.scatter_add_(1, classes.expand(k, 1, -1), torch.ones_like(p[:, :1]))
        pull = torch.zeros_like(linear.logits)
        pull[-k:] = apart * -q.unsqueeze(1)
        gradient = linear.pull_gradient(pull)
        value = top_loss(log_top, weights)
        if not hessian:
            return Derivatives(value, gradient.mT)
        each = torch.zeros(n, n, k, scores.shape[1], dtype=p.dtype, device=p.device)
        each[-k:].diagonal(dim1=0, dim2=2).copy_(apart.permute(1, 2, 0))
        slopes = linear.pull_gradient(each).transpose(0, 1)
        left, right = torch.zeros_like(pull), torch.zeros_like(pull)
        left[-k:], right[-k:] = p * q.unsqueeze(1) / -2, p
        nothing = torch.zeros_like(pull)
        second = linear.pull_hessian(RowHessians(((left, right), (nothing, nothing))))
        second = second + outer(gradient.unsqueeze(0), gradient.unsqueeze(0)) - gram(q, slopes)
        return Derivatives(value, gradient.mT, second.permute(2, 0, 1))


@dataclass(frozen=True)
class NetworkTop(TopRelaxation):
    """A relaxed sorting network, through which the class's own column of P travels alone.

    Attributes:
        network: the network.
    """

    network: RelaxedNetwork

    def log_top(self, scores: ItemScores, classes: Classes, k: int) -> TopRows:
        """See :class:`TopRelaxation`."""
        network = self.network
        v = network.steepness * network.compare(scores)[0]
        logs = log_cdf(network.distribution, torch.stack((v, -v)))
        return self._column(logs, classes)[-k:]

    def derivatives(
        self, scores: ItemScores, classes: Classes, weights: Float[Tensor, " k"], hessian: bool
    ) -> Derivatives:
        """One pass forward, one backward, and one forward with the tangents of all scores.

        As in :mod:`newton_core.losses.network_derivatives`, with another end.
        """
        network, k = self.network, len(weights)
        distribution, beta, wiring = network.distribution, network.steepness, network.wiring
        difference, alpha = network.compare(scores)
        v = torch.stack((beta * difference, -beta * difference))
        record: list[Tensor] = []
        log_top = self._column(distribution.log_cdf(v), classes, record)[-k:]
        q = _posterior(log_top, weights)
        value = top_loss(log_top, weights)

        # Backward: what each exit receives, and log α and log(1 - α).
        shares = [apart.sigmoid_() for apart in record]
        received: list[Tensor] = []
        pulls = torch.empty_like(v)
        last = torch.zeros_like(scores)
        last[-k:] = -q
        below = last.index_select(0, wiring.unrestore)
        layers = zip(wiring.layers, shares, network.by_layer(pulls), strict=True)
        for layer, share, pull in reversed(list(layers)):
            exits, idle = below.tensor_split((2 * layer.comparators,))
            exits = exits.view(2, layer.comparators, -1)
            first = share * exits
            second = exits - first
            torch.add(first, second.flip(0), out=pull)
            below = layer.leave(first.sum(0), second.sum(0), idle)
            received.append(exits)

        slopes = distribution.log_slope(v).mul_(beta)
        slopes[1].neg_()  # of log α and log(1 - α) in d
        comparators = ComparatorDerivatives(difference, alpha, distribution.density(v[0]) * beta)
        gradient, skew = comparators.pull(network, (pulls * slopes).sum(0))
        if not hessian:
            return Derivatives(value, gradient.mT)

        # Forward with the tangents.
        bend = distribution.density_slope(v[0]) * beta**2
        curvature = (pulls * distribution.log_curvature(v)).sum(0).mul_(beta**2)
        tangents = comparators.tangents(network)
        result = gram(curvature - skew * comparators.curvature(bend), tangents)
        mix = slopes.unsqueeze(2) * tangents  # of log α and log(1 - α)
        other = mix.flip(0)
        state = scores.new_zeros(len(scores), *scores.shape)  # [wire, score, sample]
        for layer, gap, to_high, share, exits in zip(
            wiring.layers,
            network.by_layer(mix - other),
            network.by_layer(other),
            shares,
            reversed(received),
            strict=True,
        ):
            low, high, idle = layer.enter(state)
            # A logaddexp curves by share (1 - share) along the difference of its two summands.
            apart = gap + (low - high)
            weight = exits * share * (1 - share)
            result += gram(weight.flatten(0, 1), apart.flatten(0, 1))
            mixed = torch.addcmul(to_high + high, share.unsqueeze(2), apart)
            state = torch.cat((mixed.flatten(0, 1), idle))
        result += outer(gradient.unsqueeze(0), gradient.unsqueeze(0))
        result -= gram(q, state.index_select(0, wiring.restore)[-k:])
        return Derivatives(value, gradient.mT, result.permute(2, 0, 1))

    def _column(
        self, logs: Float[Tensor, "2 C N"], classes: Classes, record: list[Tensor] | None = None
    ) -> ItemScores:
        """log P of the class in every row; records each layer's differences of the summands."""
        network = self.network
        # A finite logarithm of zero that outweighs all others, as in RelaxedNetwork.log_permute.
        n, zero = len(network.wiring.restore), torch.finfo(logs.dtype).min / 8
        state = logs.new_full((n, logs.shape[2]), zero).scatter_(0, classes.unsqueeze(0), 0.0)
        for layer, straight in zip(network.wiring.layers, network.by_layer(logs), strict=True):
            low, high, idle = layer.enter(state)
            first, second = straight + low, straight.flip(0) + high
            state = torch.cat((logaddexp(first, second).flatten(0, 1), idle))
            if record is not None:
                record.append(first - second)
        return state.index_select(0, network.wiring.restore)


def _of_class(log_p: Float[Tensor, "k n N"], classes: Classes) -> TopRows:
    return log_p.gather(1, classes.expand(len(log_p), 1, -1)).squeeze(1)
