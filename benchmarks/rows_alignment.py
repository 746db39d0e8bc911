"""Rows of the table: soft-DTW, forward and backward, and its Hessians beside a plain step."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from tslearn.metrics import SoftDTWLossPyTorch

from benchmarks.pairs import Call, Row
from newton_core import build_loss
from newton_core.algorithms.alignment import SoftAlignment

TEMPERATURE = 0.1
SERIES = STEPS = 100


def cell_by_cell(y: Tensor, target: Tensor) -> Tensor:
    """The recursion as it is written, for all series at once."""
    edge = torch.full((len(y),), 1e30, dtype=y.dtype)
    row = [torch.zeros_like(edge)] + [edge] * target.shape[1]
    for i in range(y.shape[1]):
        below = [edge]
        for j in range(target.shape[1]):
            options = torch.stack((row[j], row[j + 1], below[j]))
            least = -TEMPERATURE * torch.logsumexp(-options / TEMPERATURE, dim=0)
            below.append((y[:, i] - target[:, j]).square() + least)
        row = below
    return row[-1]


def anti_diagonals(y: Tensor, target: Tensor) -> Tensor:
    """Our own torch route, which takes a diagonal of cells at once."""
    alignment = SoftAlignment(TEMPERATURE)
    return alignment.by_torch(y.double()[..., None], target.double()[..., None])


def tslearn(y: Tensor, target: Tensor) -> Tensor:
    """tslearn's loss, which is compiled by numba too."""
    values: Tensor = SoftDTWLossPyTorch(gamma=TEMPERATURE)(y[..., None], target[..., None])
    return values


def series(quick: bool) -> tuple[Tensor, Tensor]:
    """Random series and what they are aligned with."""
    size = (4, 8) if quick else (SERIES, STEPS)
    y, target = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    return y, target


def step(values: Callable[[Tensor, Tensor], Tensor], y: Tensor, target: Tensor) -> Call:
    """Forward and backward."""

    def call() -> None:
        leaf = y.clone().requires_grad_(True)
        torch.autograd.backward(values(leaf, target).sum())

    return call


def beside(peer: Callable[[Tensor, Tensor], Tensor], quick: bool) -> tuple[Call, Call]:
    """Ours beside another way to compute the same."""
    y, target = series(quick)
    loss = build_loss("soft_dtw", temperature=TEMPERATURE)
    return step(loss, y, target), step(peer, y, target)


def hessians(quick: bool) -> tuple[Call, Call]:
    """All derivatives beside forward and backward."""
    y, target = series(quick)
    loss = build_loss("soft_dtw", temperature=TEMPERATURE)
    return lambda: loss.derivatives(y, target), step(loss, y, target)


WORK = f"soft-DTW, {SERIES} series of {STEPS} steps"
ROWS = [
    Row(f"{WORK}, forward + backward", "cell by cell in torch", partial(beside, cell_by_cell),
        ratio=0.05, turns=3),
    Row(f"{WORK}, forward + backward", "anti-diagonals in torch", partial(beside, anti_diagonals),
        ratio=1.0, turns=10),
    Row(f"{WORK}, forward + backward", "tslearn", partial(beside, tslearn), ratio=1.0, turns=20),
    Row(f"{WORK}, Hessians", "forward + backward", hessians, ratio=STEPS / 2, turns=5),
]  # fmt: skip
