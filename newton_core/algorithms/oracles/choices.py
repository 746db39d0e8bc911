"""Oracles that match, pick, rank and pack items; what is to be picked has a negative cost."""

from typing import Annotated, Literal

import torch
from jaxtyping import Bool, Float64
from pydantic import Field
from torch import Tensor

from newton_core.algorithms.oracles.base import Oracle, register_oracle
from newton_core.settings import setting


@register_oracle
class Assignment(Oracle):
    """The cheapest one-to-one assignment of n rows to n columns: w is a permutation matrix."""

    title = "Assignment"
    name: Literal["assignment"] = "assignment"

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """See :class:`Oracle`."""
        if len(shape) != 3 or shape[1] != shape[2] or shape[1] == 0:
            raise ValueError(
                f"the oracle 'assignment' needs square costs, shape (N, n, n), got {tuple(shape)}"
            )

    def solve(self, costs: Float64[Tensor, "B n n"]) -> Tensor:
        """See :class:`Oracle`; by scipy's ``linear_sum_assignment``."""
        from scipy.optimize import linear_sum_assignment

        found = torch.zeros_like(costs)
        for answer, one in zip(found.numpy(), costs.numpy(), strict=True):
            answer[linear_sum_assignment(one)] = 1.0
        return found

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """Zeros and ones, with a single one in each row and each column."""
        lines = torch.cat((answers.sum(dim=1), answers.sum(dim=2)), dim=1)
        return super().feasible(answers) & (lines == 1).all(dim=1)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return "a permutation matrix: zeros and ones, with a single one in each row and column"


@register_oracle
class TopK(Oracle):
    """The k cheapest of m items: w marks them. Of equal items the first are taken."""

    title = "Top k"
    name: Literal["top_k"] = "top_k"
    k: int = setting(1, "How many items are picked.", title="k", unit="items", ge=1, le=10_000)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """See :class:`Oracle`."""
        self.check_vector(shape)
        if shape[1] < self.k:
            raise ValueError(f"k = {self.k} of {shape[1]} items cannot be picked: k is at most m")

    def solve(self, costs: Float64[Tensor, "B m"]) -> Tensor:
        """See :class:`Oracle`."""
        order = costs.argsort(dim=1, stable=True)
        return torch.zeros_like(costs).scatter_(1, order[:, : self.k], 1.0)

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """Zeros and k ones."""
        return super().feasible(answers) & (answers.sum(dim=1) == self.k)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return f"zeros, and as many ones as k = {self.k}"


@register_oracle
class Ranking(Oracle):
    """The ranks 0 to m - 1 that minimise <y, w>: the dearest item has rank 0.

    With y = -scores, w are the ascending ranks of the scores.
    """

    title = "Ranking"
    name: Literal["ranking"] = "ranking"

    def solve(self, costs: Float64[Tensor, "B m"]) -> Tensor:
        """See :class:`Oracle`; of equal items the first has the lower rank."""
        order = costs.argsort(dim=1, stable=True, descending=True)
        ranks = torch.arange(costs.shape[1], dtype=costs.dtype).expand_as(costs)
        return torch.zeros_like(costs).scatter_(1, order, ranks)

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """The numbers from 0 to m - 1, in any order."""
        ranks = torch.arange(answers.shape[1], device=answers.device)
        return (answers.sort(dim=1).values == ranks).all(dim=1)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return "the ranks from 0 to m - 1, each of them once"


@register_oracle
class Knapsack(Oracle):
    """The cheapest set of items within a capacity: w marks it, and no item has to be taken."""

    title = "Knapsack"
    name: Literal["knapsack"] = "knapsack"
    weights: tuple[Annotated[int, Field(ge=1)], ...] = setting(
        (), "Weight of each item; none: every item weighs 1.", title="Weights", max_length=1000
    )
    capacity: int = setting(
        1, "What the items that are taken may weigh together.", title="Capacity", ge=0, le=10_000
    )

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """See :class:`Oracle`."""
        self.check_vector(shape)
        if self.weights and len(self.weights) != shape[1]:
            raise ValueError(
                f"the oracle 'knapsack' has {len(self.weights)} weights for {shape[1]} items: one"
                " weight an item is needed"
            )

    def solve(self, costs: Float64[Tensor, "B m"]) -> Tensor:
        """See :class:`Oracle`; by dynamic programming over items and capacity."""
        weights = self._weights(costs.shape[1])
        best = torch.zeros((len(costs), self.capacity + 1), dtype=costs.dtype)
        taken = []
        for cost, weight in zip(costs.T, weights, strict=True):
            better = torch.zeros_like(best, dtype=torch.bool)
            if weight <= self.capacity:
                with_it = best[:, : self.capacity + 1 - weight] + cost[:, None]
                better[:, weight:] = with_it < best[:, weight:]
                best[:, weight:] = torch.minimum(with_it, best[:, weight:])
            taken.append(better)
        answers = torch.zeros_like(costs)
        room = torch.full((len(costs), 1), self.capacity)
        for item in reversed(range(len(weights))):
            takes = taken[item].gather(1, room)
            answers[:, item] = takes[:, 0].to(costs.dtype)
            room = room - takes * weights[item]
        return answers

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """Zeros and ones whose weight is within the capacity."""
        weights = torch.tensor(self._weights(answers.shape[1]), device=answers.device)
        return super().feasible(answers) & ((answers * weights).sum(dim=1) <= self.capacity)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return f"zeros, and ones for items that weigh at most {self.capacity} together"

    def _weights(self, items: int) -> tuple[int, ...]:
        return self.weights or (1,) * items
