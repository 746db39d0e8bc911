"""Batches and slow references for the tests of the curvature."""

import torch
from torch import Tensor

SHAPES = [(1, 1), (1, 4), (3, 5), (5, 5), (6, 2), (20, 7), (100, 5)]


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def symmetric(samples: int, m: int, seed: int = 0) -> Tensor:
    half = normal(samples, m, m, seed=seed)
    return half + half.mT


def positive(samples: int, m: int, seed: int = 0) -> Tensor:
    half = normal(samples, m, m, seed=seed)
    return half @ half.mT


def fisher_matrix(gradient: Tensor) -> Tensor:
    return gradient.mT @ gradient / len(gradient)


def direct_solve(matrix: Tensor, gradient: Tensor, tikhonov: float) -> Tensor:
    """The definition, one matrix for all rows of the gradient."""
    damped = matrix + tikhonov * torch.eye(len(matrix), dtype=matrix.dtype)
    return torch.linalg.solve(damped, gradient.mT).mT


def worst_row(actual: Tensor, expected: Tensor) -> float:
    """Largest relative error of a sample's direction: the small ones count like the big ones."""
    errors = torch.linalg.vector_norm(actual - expected, dim=1)
    return (errors / torch.linalg.vector_norm(expected, dim=1)).max().item()
