"""Rows of the table: damped solves beside the inverse, which we never form."""

from functools import partial

import torch
from torch import Tensor

from benchmarks.pairs import Call, Row
from newton_core.curvature import fisher_direction, hessian_direction

TIKHONOV = 0.1


def hessians(samples: int, m: int, indefinite: int) -> tuple[Tensor, Tensor]:
    """Gradients and Hessians, all but the last few positive definite."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(samples, m, m, generator=generator)
    second = root @ root.mT / m
    if indefinite:
        second[-indefinite:] -= torch.eye(m)
    return torch.randn(samples, m, generator=generator), second


def hessian_solve(samples: int, m: int, indefinite: int, quick: bool) -> tuple[Call, Call]:
    """Per-sample systems of float32 Hessians, beside the inverse in float64."""
    gradient, second = hessians(samples, 8 if quick else m, indefinite)
    damping = TIKHONOV * torch.eye(second.shape[1], dtype=torch.float64)

    def peer() -> Tensor:
        inverse = torch.linalg.inv(second.double() + damping)
        found: Tensor = (inverse @ gradient.double()[..., None])[..., 0]
        return found.float()

    return partial(hessian_direction, gradient, second, TIKHONOV, "per_sample"), peer


def fisher_solve(samples: int, m: int, spike: float, quick: bool) -> tuple[Call, Call]:
    """The Fisher direction beside the inverse of G^T G / N + tikhonov I in float64."""
    gradient = torch.randn(samples, m, generator=torch.Generator().manual_seed(0))
    gradient[0] *= spike
    damping = TIKHONOV * torch.eye(m, dtype=torch.float64)

    def peer() -> Tensor:
        wide = gradient.double()
        found: Tensor = wide @ torch.linalg.inv(wide.mT @ wide / samples + damping)
        return found.float()

    return partial(fisher_direction, gradient, TIKHONOV), peer


ROWS = [
    Row(f"damped solve [{N}, {m}, {m}]{', one indefinite' * count}", "inverse, then product",
        partial(hessian_solve, N, m, count), ratio=ratio, turns=turns)
    for N, m, turns, ratios in ((100, 10, 300, (0.75, 1.0)), (70, 144, 20, (0.6, 1.0)))
    for count, ratio in enumerate(ratios)
] + [
    Row(f"Fisher solve N = {N}, m = {m}{', a spike of 1e4' * (spike > 1)}", "m x m inverse",
        partial(fisher_solve, N, m, spike), ratio=ratio, turns=turns)
    for N, m, spike, ratio, turns in (
        (100, 32, 1.0, 1.0, 300), (300, 144, 1.0, 1.0, 50), (100, 10, 1e4, 1.2, 300),
    )
]  # fmt: skip
