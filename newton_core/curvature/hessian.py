"""Curvature in output space: damped solves, definiteness rules and spectra.

Everything is solved in float64 whatever the dtype of the gradients: one exploded sample makes
the matrix nearly rank one, and float32 cannot tell its damped form from a singular one. No matrix
is ever inverted.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.systems import (
    CurvatureError,
    all_finite,
    check_system,
    check_tikhonov,
    like,
    not_finite,
)
from newton_core.losses.base import Derivatives
from newton_core.tensors import to_float64

Curvature = Literal["none", "hessian", "fisher"]
HessianKind = Literal["batch_mean", "per_sample"]
Definiteness = Literal["raw", "clip", "saddle_free"]


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a curvature matrix.

    Attributes:
        eigenvalues: (m,) ascending, float64, before damping and before the definiteness rule.
        condition: largest over smallest absolute eigenvalue of the matrix that is solved with:
            after the definiteness rule, with tikhonov; infinite if it is singular.
        negative: how many eigenvalues lie below ``-m * eps * largest absolute eigenvalue``, with
            the eps of the dtype in which the derivatives were computed. What is smaller is
            rounding: a loss that ignores a common shift has an exact zero there.
    """

    eigenvalues: Float[Tensor, " m"]
    condition: float
    negative: int


def damped_direction(
    derivatives: Derivatives,
    *,
    curvature: Curvature,
    tikhonov: float,
    hessian: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, "N m"]:
    """The direction (C + tikhonov I)^-1 gradient of each sample, in the gradient's dtype.

    Args:
        derivatives: of the loss at one batch, with the Hessian if ``curvature`` is "hessian".
        curvature: C; "none" returns the gradient itself.
        tikhonov: damping, > 0; ignored for "none".
        hessian: average the Hessian over the batch, or keep each sample's own.
        definiteness: what happens to the Hessian's negative eigenvalues.

    Raises:
        CurvatureError: the system is singular or not finite.
        ValueError: a name is unknown, tikhonov is not positive, or the Hessian is missing.
    """
    if curvature == "none":
        return derivatives.gradient
    if curvature == "fisher":
        return fisher_direction(derivatives.gradient, tikhonov)
    check_choices(curvature, hessian, definiteness)
    if derivatives.hessian is None:
        raise ValueError(
            "the Hessian direction needs a Hessian: ask for derivatives(y, target, hessian=True),"
            " or use curvature 'fisher'"
        )
    return hessian_direction(
        derivatives.gradient, derivatives.hessian, tikhonov, hessian, definiteness
    )


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
    _check_hessian(hessian, gradient.shape)
    check_choices("hessian", kind, definiteness)
    gradient, hessian = gradient.detach(), hessian.detach()
    G = to_float64(gradient)
    if kind == "batch_mean":
        matrices = _batch_mean(hessian)[None]
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
        damped = _apply_rule(eigenvalues, definiteness) + tikhonov
        solution = _divide(damped, vectors, right)
    # an infinite or NaN gradient makes its direction so, which is found out on the way back
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


def _apply_rule(eigenvalues: Tensor, definiteness: Definiteness) -> Tensor:
    if definiteness == "clip":
        return eigenvalues.clamp(min=0)
    return eigenvalues.abs() if definiteness == "saddle_free" else eigenvalues


def hessian_spectrum(
    hessian: Float[Tensor, "N m m"], tikhonov: float, definiteness: Definiteness = "raw"
) -> Spectrum:
    """The spectrum of the batch-mean Hessian.

    Raises:
        CurvatureError: a Hessian is not finite.
        ValueError: tikhonov is not positive, the name is unknown, or a shape is wrong.
    """
    check_tikhonov(tikhonov)
    _check_hessian(hessian, hessian.shape[:-1])
    check_choices("hessian", "batch_mean", definiteness)
    mean = _batch_mean(hessian)
    if not all_finite(mean):
        raise not_finite("Hessian", hessian)
    eigenvalues = torch.linalg.eigvalsh(mean)
    sizes = (_apply_rule(eigenvalues, definiteness) + tikhonov).abs()
    dust = len(eigenvalues) * torch.finfo(hessian.dtype).eps * eigenvalues.abs().amax()
    return Spectrum(
        eigenvalues,
        condition=(sizes.amax() / sizes.amin()).item(),
        negative=int((eigenvalues < -dust).sum()),
    )


def fisher_spectrum(gradient: Float[Tensor, "N m"], tikhonov: float) -> Spectrum:
    """The spectrum of the empirical Fisher G^T G / N, from the singular values of G / sqrt(N).

    Raises:
        CurvatureError: a gradient is not finite.
        ValueError: tikhonov is not positive, or there is no sample or no output.
    """
    check_system(gradient, tikhonov)
    G = to_float64(gradient)
    if not all_finite(G):
        raise not_finite("gradient", gradient)
    samples, outputs = G.shape
    squares = torch.linalg.svdvals(G / math.sqrt(samples)).square().flip(0)
    eigenvalues = torch.cat((squares.new_zeros(max(0, outputs - samples)), squares))
    condition = (eigenvalues[-1] + tikhonov) / (eigenvalues[0] + tikhonov)
    return Spectrum(eigenvalues, condition=condition.item(), negative=0)


def _batch_mean(hessian: Tensor) -> Tensor:
    """The (m, m) mean in float64, a tensor of its own."""
    if hessian.device.type == "mps":  # which has no float64
        hessian = hessian.cpu()
    return hessian.mean(0, dtype=torch.float64)


def _check_hessian(hessian: Tensor, expected: torch.Size) -> None:
    if hessian.numel() == 0 or hessian.shape != (*expected, expected[-1]):
        raise ValueError(
            "the Hessian is (N, m, m) with at least one sample and one output;"
            f" got {tuple(hessian.shape)} beside (N, m) = {tuple(expected)}"
        )


def check_choices(curvature: Curvature, hessian: HessianKind, definiteness: Definiteness) -> None:
    """Raises ValueError at a name that is none of the choices, and lists them."""
    for kind, name, choices in (
        ("curvature", curvature, Curvature),
        ("hessian", hessian, HessianKind),
        ("definiteness", definiteness, Definiteness),
    ):
        known = get_args(choices)
        if name not in known:
            raise ValueError(f"unknown {kind} {name!r}; use one of {', '.join(known)}")
