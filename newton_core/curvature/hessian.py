"""The damped solve with a Hessian, and the rules for its negative eigenvalues.

Everything is solved in float64 whatever the dtype of the gradients: one exploded sample makes
the matrix nearly rank one, and float32 cannot tell its damped form from a singular one. No matrix
is ever inverted.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.systems import (
    CurvatureError,
    check_choice,
    check_system,
    like,
    not_finite,
)
from newton_core.tensors import to_float64

HessianKind = Literal["batch_mean", "per_sample"]
"""Whose Hessian a sample's step takes: the batch's mean (the paper) or its own."""

Definiteness = Literal["raw", "clip", "saddle_free"]
"""What becomes of negative eigenvalues: kept (the paper), set to 0, or made positive."""


def hessian_direction(
    gradient: Float[Tensor, "N m"],
    hessian: Float[Tensor, "N m m"],
    tikhonov: float,
    kind: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, "N m"]:
    """(C + tikhonov I)^-1 gradient with a Hessian as C (paper, Definition 1).

    Cholesky first; a symmetric eigendecomposition where the damped matrix is indefinite or
    ``definiteness`` changes its eigenvalues.

    Args:
        gradient: per-sample gradients.
        hessian: per-sample symmetric Hessians.
        tikhonov: damping, > 0.
        kind: "batch_mean" (the paper) or "per_sample".
        definiteness: "raw" solves with C as it is (the paper), "clip" with its negative
            eigenvalues set to 0, "saddle_free" with their absolute values.

    Raises:
        CurvatureError: an input or the direction is not finite, or a damped matrix is singular
            to float64's precision, which only "raw" can meet.
        ValueError: tikhonov is not positive, a name is unknown, or a shape is wrong.
    """
    check_system(gradient, tikhonov)
    check_hessian(hessian, gradient.shape)
    check_choice("hessian", kind, HessianKind)
    check_choice("definiteness", definiteness, Definiteness)
    gradient, hessian = gradient.detach(), hessian.detach()
    G = to_float64(gradient)
    if kind == "batch_mean":
        matrices = batch_mean(hessian)[None]
        right = G.mT[None]
    else:
        matrices = to_float64(hessian, copy=True)
        right = G[..., None]
    largest = torch.linalg.vector_norm(matrices, math.inf).item()
    if not math.isfinite(largest):
        raise not_finite("Hessian", hessian)
    if definiteness == "raw":
        solution = _solve_raw(matrices, right, tikhonov, largest)
    else:
        eigenvalues, vectors = torch.linalg.eigh(matrices)
        damped = apply_rule(eigenvalues, definiteness) + tikhonov
        solution = _divide(damped, vectors, right)
    # an infinite or NaN gradient has such a direction, which is found on the way back
    return like(gradient, solution[0].mT if kind == "batch_mean" else solution[..., 0])


def _solve_raw(matrices: Tensor, right: Tensor, tikhonov: float, largest: float) -> Tensor:
    """(B, m, m) and (B, m, k) -> (B, m, k); overwrites ``matrices`` with their damped forms.

    ``largest`` is the largest entry of the matrices. A matrix whose Cholesky factorisation fails,
    or succeeds with a pivot that is rounding alone, is left to its eigenvalues.
    """
    diagonals = matrices.diagonal(dim1=-2, dim2=-1).add_(tikhonov)
    factors, info = torch.linalg.cholesky_ex(matrices)
    pivots = factors.diagonal(dim1=-2, dim2=-1)
    rounding = _rounding(diagonals)
    if not info.any() and pivots.amin().item() ** 2 > rounding * (largest + tikhonov):
        return torch.cholesky_solve(right, factors)
    sizes = diagonals.amax(-1, keepdim=True) + tikhonov
    definite = (info == 0) & (pivots.square() > rounding * sizes).all(-1)
    solution = torch.empty_like(right)
    solution[definite] = torch.cholesky_solve(right[definite], factors[definite])
    which = (~definite).nonzero()[:, 0].tolist()
    names = [f"of sample {i}" if len(matrices) > 1 else "averaged over the batch" for i in which]
    solution[~definite] = _solve_indefinite(matrices[~definite], right[~definite], tikhonov, names)
    return solution


def _solve_indefinite(damped: Tensor, right: Tensor, tikhonov: float, names: list[str]) -> Tensor:
    """The same for damped matrices of any sign; ``names`` say whose they are."""
    eigenvalues, vectors = torch.linalg.eigh(damped)
    sizes = eigenvalues.abs()
    singular = sizes.amin(-1) <= _rounding(damped) * (sizes.amax(-1) + tikhonov)
    if singular.any():
        first = int(singular.nonzero()[0])
        raise CurvatureError(
            f"the damped Hessian {names[first]} is singular: its eigenvalues run from"
            f" {eigenvalues[first, 0]:.3g} to {eigenvalues[first, -1]:.3g} and one is zero to"
            " rounding; use a larger tikhonov, or definiteness 'clip' or 'saddle_free'"
        )
    return _divide(eigenvalues, vectors, right)


def _divide(eigenvalues: Tensor, vectors: Tensor, right: Tensor) -> Tensor:
    """The solution of the system that has this eigendecomposition."""
    solution: Tensor = vectors @ ((vectors.mT @ right) / eigenvalues[..., None])
    return solution


def _rounding(tensor: Tensor) -> float:
    """Relative size below which a pivot or eigenvalue of m x m matrices is rounding."""
    return 4 * tensor.shape[-1] * torch.finfo(tensor.dtype).eps


def apply_rule(eigenvalues: Tensor, definiteness: Definiteness) -> Tensor:
    """The eigenvalues that a definiteness rule leaves."""
    if definiteness == "clip":
        return eigenvalues.clamp(min=0)
    return eigenvalues.abs() if definiteness == "saddle_free" else eigenvalues


def batch_mean(hessian: Tensor) -> Tensor:
    """The (m, m) mean in float64, a tensor of its own."""
    if hessian.device.type == "mps":  # which has no float64
        hessian = hessian.cpu()
    if hessian.stride(0) == 0:  # one matrix that all samples share, expanded
        return hessian[0].to(torch.float64, copy=True)
    return hessian.mean(0, dtype=torch.float64)


def check_hessian(hessian: Tensor, expected: torch.Size) -> None:
    """Raises ValueError unless ``hessian`` is (N, m, m) for gradients of shape ``expected``."""
    if hessian.numel() == 0 or hessian.shape != (*expected, expected[-1]):
        raise ValueError(
            "the Hessian is (N, m, m) with at least one sample and one output;"
            f" got {tuple(hessian.shape)} beside (N, m) = {tuple(expected)}"
        )
