"""A relaxed sorting network: each comparator mixes its two wires by a CDF.

A comparator of wires with values a (low wire) and b (high wire) sends on

    low  = α a + (1 - α) b        α = F(v), v = β (b - a)
    high = (1 - α) a + α b

and mixes the two wires' rows of the permutation matrix, which starts as the identity, in the same
way. After all layers row r is a distribution over the items that could be the r-th smallest.

In all tensors wires come first and the sample last: values (n, N), matrices [wire, item, sample],
comparators of all layers (C, N). A layer gathers its wires into low, high and idle ones.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from newton_core.algorithms.sorting_networks import Wiring
from newton_core.losses.distributions import Distribution, cdf

Values = Float[Tensor, "n N"]
Matrices = Float[Tensor, "n n N"]
Comparators = Float[Tensor, "C N"]


@dataclass(frozen=True)
class RelaxedNetwork:
    """The recurrences through the layers, differentiable twice by torch.

    The two matrix recurrences append to ``record``, if given, what the derivatives need of each
    layer.

    Attributes:
        distribution: F.
        steepness: β, the inverse temperature.
        wiring: the network.
    """

    distribution: Distribution
    steepness: float
    wiring: Wiring

    def compare(self, scores: Values) -> tuple[Comparators, Comparators]:
        """v and α of every comparator as the scores travel through the network."""
        values, vs, alphas = scores, [], []
        for layer in self.wiring.layers:
            low, high, idle = layer.enter(values)
            v = self.steepness * (high - low)
            alpha = cdf(self.distribution, v)
            other = 1 - alpha
            values = torch.cat((alpha * low + other * high, other * low + alpha * high, idle))
            vs.append(v)
            alphas.append(alpha)
        return torch.cat(vs), torch.cat(alphas)

    def permute(
        self, alpha: Comparators, record: list[tuple[Tensor, Tensor]] | None = None
    ) -> Matrices:
        """P, the product of the layers' matrices; records each layer's low and high wires."""
        mix = torch.stack((alpha, 1 - alpha)).unsqueeze(2)
        other = mix.flip(0)
        n = len(self.wiring.restore)
        p = torch.eye(n, dtype=alpha.dtype, device=alpha.device)
        p = p.unsqueeze(2).expand(n, n, alpha.shape[1])
        for layer in self.wiring.layers:
            low, high, idle = layer.enter(p)
            mixed = mix[:, layer.slice] * low + other[:, layer.slice] * high
            p = torch.cat((mixed.flatten(0, 1), idle))
            if record is not None:
                record.append((low, high))
        return p.index_select(0, self.wiring.restore)

    def log_permute(
        self, logs: Float[Tensor, "2 C N"], record: list[Tensor] | None = None
    ) -> Matrices:
        """log P from log α and log(1 - α): each layer is a logaddexp of its two wires' rows.

        Records the differences of the two summands' logarithms, (2, k, n, N) for k comparators
        with their low and high exits.
        """
        n = len(self.wiring.restore)
        weights = logs.unsqueeze(2)
        other = weights.flip(0)
        # The zeros of the identity as a finite logarithm that outweighs every other: minus
        # infinity would put NaN into the derivatives. No zero is left at the end.
        zero = torch.finfo(logs.dtype).min / 8
        log_p = torch.full((n, n), zero, dtype=logs.dtype, device=logs.device).fill_diagonal_(0.0)
        log_p = log_p.unsqueeze(2).expand(n, n, logs.shape[2])
        for layer in self.wiring.layers:
            low, high, idle = layer.enter(log_p)
            first, second = weights[:, layer.slice] + low, other[:, layer.slice] + high
            log_p = torch.cat((logaddexp(first, second).flatten(0, 1), idle))
            if record is not None:
                record.append(first - second)
        return log_p.index_select(0, self.wiring.restore)


def logaddexp(a: Tensor, b: Tensor) -> Tensor:
    """log(exp(a) + exp(b)), finite for finite a and b in every derivative.

    torch.logaddexp serves where no graph is recorded; its second derivative is NaN where a and b
    are far apart.
    """
    if not torch.is_grad_enabled():
        return torch.logaddexp(a, b)
    a_larger = a >= b
    larger, smaller = torch.where(a_larger, a, b), torch.where(a_larger, b, a)
    return larger - functional.logsigmoid(larger - smaller)
