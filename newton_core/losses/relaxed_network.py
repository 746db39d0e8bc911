"""A relaxed sorting network: each comparator mixes its two wires by a CDF.

A comparator of wires with values a (low wire) and b (high wire) sends on

    low  = α a + (1 - α) b        α = F(v), v = β (b - a)
    high = (1 - α) a + α b

and mixes the two wires' rows of the permutation matrix, which starts as the identity, in the same
way. After all layers row r is a distribution over the items that could be the r-th smallest.

In all tensors wires come first and the sample last: values (n, N), matrices [wire, item, sample],
comparators of all layers (C, N).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
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
        """d = b - a and α of every comparator as the scores travel through the network."""
        values, differences, alphas = scores, [], []
        for layer in self.wiring.layers:
            low, high, idle = layer.enter(values)
            difference = high - low
            alpha = cdf(self.distribution, self.steepness * difference)
            moved = alpha * difference
            values = torch.cat((high - moved, low + moved, idle))
            differences.append(difference)
            alphas.append(alpha)
        return torch.cat(differences), torch.cat(alphas)

    def permute(
        self, alpha: Comparators, record: list[tuple[Tensor, Tensor]] | None = None
    ) -> Matrices:
        """P, the product of the layers' matrices; records each layer's low and high wires."""
        mix, other = both_exits(torch.stack((alpha, 1 - alpha)))
        p = self._identity(alpha, 1.0, 0.0)
        layers = zip(self.wiring.layers, self.by_layer(mix), self.by_layer(other), strict=True)
        for layer, to_low, to_high in layers:
            low, high, idle = layer.enter(p)
            mixed = to_low * low + to_high * high
            p = torch.cat((mixed.flatten(0, 1), idle))
            if record is not None:
                record.append((low, high))
        return p.index_select(0, self.wiring.restore)

    def log_permute(
        self,
        logs: Float[Tensor, "2 C N"],
        record: list[Tensor] | None = None,
        items: Int[Tensor, " N"] | None = None,
    ) -> Float[Tensor, "n i N"]:
        """log P from log α and log(1 - α): each layer is a logaddexp of its two wires' rows.

        Records the differences of the two summands' logarithms, (2, k, n, N) for k comparators
        with their low and high exits. With ``items``, each sample's column of that item alone
        travels: n is then 1 there, and i in the answer.
        """
        mix, other = both_exits(logs)
        # The zeros of the identity as a finite logarithm that outweighs every other: minus
        # infinity would put NaN into the derivatives. No zero is left at the end.
        zero = torch.finfo(logs.dtype).min / 8
        if items is None:
            log_p = self._identity(logs[0], 0.0, zero)
        else:
            log_p = logs.new_full((len(self.wiring.restore), 1, logs.shape[2]), zero)
            log_p.scatter_(0, items.view(1, 1, -1), 0.0)
        layers = zip(self.wiring.layers, self.by_layer(mix), self.by_layer(other), strict=True)
        for layer, to_low, to_high in layers:
            low, high, idle = layer.enter(log_p)
            first, second = to_low + low, to_high + high
            log_p = torch.cat((logaddexp(first, second).flatten(0, 1), idle))
            if record is not None:
                record.append(first - second)
        return log_p.index_select(0, self.wiring.restore)

    def by_layer(self, exits: Float[Tensor, "2 C *rest"]) -> tuple[Tensor, ...]:
        """The comparators of each layer, of a tensor for both exits of all."""
        return self.wiring.by_layer(exits, 1)

    def _identity(self, like: Comparators, one: float, zero: float) -> Matrices:
        """An identity matrix per sample, with other numbers for one and zero."""
        n = len(self.wiring.restore)
        matrix = like.new_full((n, n), zero).fill_diagonal_(one)
        return matrix.unsqueeze(2).expand(n, n, like.shape[1])


def both_exits(
    weights: Float[Tensor, "2 C N"],
) -> tuple[Float[Tensor, "2 C 1 N"], Float[Tensor, "2 C 1 N"]]:
    """What the low wire weighs at the (low, high) exits, and what the high wire weighs there.

    ``weights`` are those of the straight way (low to low, high to high) and of the crossed one.
    """
    of_low = weights.unsqueeze(2)
    return of_low, of_low.flip(0)


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
