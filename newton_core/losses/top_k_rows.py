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
from newton_core.losses.network_derivatives import LogForward, gram, outer
from newton_core.losses.relaxed_network import RelaxedNetwork
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
        return network.log_permute(logs, items=classes)[-k:, 0]

    def derivatives(
        self, scores: ItemScores, classes: Classes, weights: Float[Tensor, " k"], hessian: bool
    ) -> Derivatives:
        """One pass forward, one backward, and one forward with the tangents of all scores.

        As in :mod:`newton_core.losses.network_derivatives`, with another end.
        """
        k = len(weights)
        forward = LogForward.of(self.network, scores, classes)
        log_top = forward.log_p[-k:, 0]
        q = _posterior(log_top, weights)
        value = top_loss(log_top, weights)
        last = torch.zeros_like(scores)
        last[-k:] = -q
        gradient, second = forward.derivatives(last.unsqueeze(1), hessian)
        if second is None:
            return Derivatives(value, gradient.mT)
        result, tangents = second
        result += outer(gradient.unsqueeze(0), gradient.unsqueeze(0))
        result -= gram(q, tangents[-k:, 0])
        return Derivatives(value, gradient.mT, result.permute(2, 0, 1))


def _of_class(log_p: Float[Tensor, "k n N"], classes: Classes) -> TopRows:
    return log_p.gather(1, classes.expand(len(log_p), 1, -1)).squeeze(1)
