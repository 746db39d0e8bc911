"""Slow, obvious references for the sorting losses, in float64.

Nothing here shares code with the losses. The logarithms come from the definitions: log(1 - P) of
a softmax row as the logsumexp of the other logits minus that of all, and for networks two
recurrences, one on log P and one on log(1 - P), one comparator at a time, that keep track of
which entries are still exactly zero.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from newton_core.algorithms.sorting_networks import NetworkName, sorting_network

Reference = Callable[[Tensor, Tensor], Tensor]


def softmax_reference(name: str, temperature: float) -> Reference:
    """(y, target) -> (N,) by log P and log(1 - P) of each entry."""

    def loss(y: Tensor, target: Tensor) -> Tensor:
        n = y.shape[1]
        total = y.new_zeros(y.shape[0])
        for r, z in enumerate(softmax_logits(name, temperature, y)):
            norm = torch.logsumexp(z, dim=1, keepdim=True)
            others = z[:, None, :].expand(-1, n, n).masked_fill(torch.eye(n).bool(), -torch.inf)
            log_p, log_not_p = z - norm, torch.logsumexp(others, dim=2) - norm
            q = target[:, r]
            total = total - (q * log_p + (1 - q) * log_not_p).sum(1)
        return total / n**2

    return loss


def softmax_logits(name: str, temperature: float, y: Tensor) -> list[Tensor]:
    """The logits of each rank, (N, n), as the papers write them."""
    n = y.shape[1]
    if name == "neuralsort":
        distances = (y[:, :, None] - y[:, None, :]).abs()
        ones = y.new_ones(n)
        return [((2 * r - n - 1) * y - distances @ ones) / temperature for r in range(1, n + 1)]
    ascending = y.sort(dim=1).values
    return [-(ascending[:, [r]] - y).abs() / temperature for r in range(n)]


CDFS: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic_dsn": torch.sigmoid,
    "cauchy_dsn": lambda v: torch.atan2(torch.ones_like(v), -v) / math.pi,
    "gaussian_dsn": lambda v: torch.erfc(-v / math.sqrt(2)) / 2,
    "reciprocal_dsn": lambda v: v / (1 + 2 * v.abs()) + 0.5,
    "optimal_dsn": lambda v: torch.where(
        v.abs() < 0.25,
        v + 0.5,
        torch.where(v < 0, 0.0, 1.0) - 1 / (16 * torch.where(v.abs() < 0.25, 1.0, v)),
    ),
}

LOG_CDFS: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic_dsn": logsigmoid,
    "gaussian_dsn": torch.special.log_ndtr,
}


def network_reference(name: str, inverse_temperature: float, network: NetworkName) -> Reference:
    """(y, target) -> (N,) by recurrences on log P and log(1 - P)."""
    log_cdf = LOG_CDFS.get(name, lambda v: CDFS[name](v).log())

    def loss(y: Tensor, target: Tensor) -> Tensor:
        n = y.shape[1]
        x = list(y.unbind(1))
        eye = torch.eye(n, dtype=torch.bool)
        log_p = [Row(torch.zeros_like(y), eye[i]) for i in range(n)]
        log_not_p = [Row(torch.zeros_like(y), ~eye[i]) for i in range(n)]
        for layer in sorting_network(network, n):
            for a, b in layer:
                v = inverse_temperature * (x[b] - x[a])
                alpha = CDFS[name](v)
                x[a], x[b] = alpha * x[a] + (1 - alpha) * x[b], (1 - alpha) * x[a] + alpha * x[b]
                for rows in (log_p, log_not_p):
                    rows[a], rows[b] = (
                        mix(log_cdf(v), rows[a], log_cdf(-v), rows[b]),
                        mix(log_cdf(-v), rows[a], log_cdf(v), rows[b]),
                    )
        total = y.new_zeros(y.shape[0])
        for r in range(n):
            assert log_p[r].nonzero.all()
            assert log_not_p[r].nonzero.all()
            q = target[:, r]
            total = total - (q * log_p[r].logs + (1 - q) * log_not_p[r].logs).sum(1)
        return total / n**2

    return loss


class Row(NamedTuple):
    """Logarithms (N, n) of a row; which of its n entries are not exactly zero."""

    logs: Tensor
    nonzero: Tensor


def mix(log_a: Tensor, row_a: Row, log_b: Tensor, row_b: Row) -> Row:
    """log(a row_a + b row_b)."""
    first, second = log_a[:, None] + row_a.logs, log_b[:, None] + row_b.logs
    both = row_a.nonzero & row_b.nonzero
    mixed = torch.logsumexp(torch.stack((first, second)), dim=0)
    alone = torch.where(row_a.nonzero, first, second)
    return Row(torch.where(both, mixed, alone), row_a.nonzero | row_b.nonzero)


def bce_reference(relax: Callable[[Tensor], Tensor]) -> Reference:
    """(y, target) -> (N,) by torch.nn.BCELoss on each sample's relaxed permutation."""

    def loss(y: Tensor, target: Tensor) -> Tensor:
        criterion = torch.nn.BCELoss()
        return torch.stack([criterion(p, q) for p, q in zip(relax(y), target, strict=True)])

    return loss


def softmax_permutation(name: str, temperature: float) -> Callable[[Tensor], Tensor]:
    """y -> (N, n, n)."""
    return lambda y: torch.stack(
        [torch.softmax(z, dim=1) for z in softmax_logits(name, temperature, y)], dim=1
    )


def network_permutation(
    name: str, inverse_temperature: float, network: NetworkName
) -> Callable[[Tensor], Tensor]:
    """y -> (N, n, n), one comparator at a time."""

    def relax(y: Tensor) -> Tensor:
        n = y.shape[1]
        x = list(y.unbind(1))
        rows = list(torch.eye(n, dtype=y.dtype).repeat(len(y), 1, 1).unbind(1))
        for layer in sorting_network(network, n):
            for a, b in layer:
                alpha = CDFS[name](inverse_temperature * (x[b] - x[a]))
                x[a], x[b] = alpha * x[a] + (1 - alpha) * x[b], (1 - alpha) * x[a] + alpha * x[b]
                alpha = alpha[:, None]
                rows[a], rows[b] = (
                    alpha * rows[a] + (1 - alpha) * rows[b],
                    (1 - alpha) * rows[a] + alpha * rows[b],
                )
        return torch.stack(rows, dim=1)

    return relax
