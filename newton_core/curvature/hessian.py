"""The damped solve with a Hessian, and the rules for its negative eigenvalues.

Everything is solved in float64 whatever the dtype of the gradients: one exploded sample makes
the matrix nearly rank one, and float32 cannot tell its damped form from a singular one. No matrix
is ever inverted.
"""

import functools
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.conditions import holds, number
from newton_core.curvature.systems import (
    CurvatureError,
    all_finite,
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

COMPILED_OUTPUTS = 16
"""Outputs m up to which one compiled loop on the CPU beats a linear algebra library's calls."""

_DTYPES = (torch.float32, torch.float64)

SAFE_PIVOT = 1e-10
"""Where the smallest pivot of a factorisation is at least this share of the largest, the matrix is
far from singular."""


def hessian_direction(
    gradient: Float[Tensor, "N m"],
    hessian: Float[Tensor, "N m m"],
    tikhonov: float,
    kind: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, "N m"]:
    """(C + tikhonov I)^-1 gradient with a Hessian as C (paper, Definition 1).

    Cholesky first; L D L^T where the damped matrix is indefinite, a symmetric eigendecomposition
    where ``definiteness`` changes its eigenvalues.

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
    tikhonov = float(tikhonov)  # kernels take no tensor of one number
    check_hessian(hessian, gradient.shape)
    check_choice("hessian", kind, HessianKind)
    check_choice("definiteness", definiteness, Definiteness)
    gradient, hessian = gradient.detach(), hessian.detach()
    if gradient.shape[1] <= COMPILED_OUTPUTS and gradient.device.type == "cpu":
        compiled = _compiled_form(gradient, hessian, tikhonov, kind, definiteness)
        if compiled is not None:
            return compiled
    G = to_float64(gradient)
    if kind == "batch_mean":
        matrices = batch_mean(hessian)[None]
        right = G.mT[None]
    else:
        matrices = to_float64(hessian, copy=True)
        right = G[..., None]
    if definiteness == "raw":
        solution = _solve_raw(matrices, right, tikhonov, hessian)
    else:
        if not all_finite(matrices):
            raise not_finite("Hessian", hessian)
        eigenvalues, vectors = torch.linalg.eigh(matrices)
        damped = apply_rule(eigenvalues, definiteness) + tikhonov
        solution = _divide(damped, vectors, right)
    # an infinite or NaN gradient has such a direction, which is found on the way back
    return like(gradient, solution[0].mT if kind == "batch_mean" else solution[..., 0])


def _compiled_form(
    gradient: Tensor,
    hessian: Tensor,
    tikhonov: float,
    kind: HessianKind,
    definiteness: Definiteness,
) -> Tensor | None:
    """Small systems in one loop; None where that is not the way, or finds no finite direction."""
    if gradient.dtype not in _DTYPES or hessian.dtype not in _DTYPES:
        return None
    direction = torch.empty(gradient.shape, dtype=gradient.dtype)
    g, into, shared = gradient.numpy(), direction.numpy(), kind == "batch_mean"
    if definiteness != "raw":
        if hessian.stride(0) == 0:  # one matrix that all samples share, expanded
            hessian, shared = hessian[:1], True
        clip = definiteness == "clip"
        done = _kernels()["rule"](hessian.numpy(), g, tikhonov, shared, clip, into)
    elif shared:
        done = _kernels()["shared"](batch_mean(hessian).numpy(), g, tikhonov, SAFE_PIVOT, into)
    else:
        done = _kernels()["each"](hessian.numpy(), g, tikhonov, SAFE_PIVOT, into)
    return direction if done else None


@functools.cache
def _kernels() -> dict[str, Callable[..., bool]]:
    """The compiled loops; numba is imported, and they are compiled, when they are first needed."""
    from newton_core.curvature.kernels import solve_each, solve_shared
    from newton_core.curvature.rule_kernels import solve_by_rule

    return {"each": solve_each, "shared": solve_shared, "rule": solve_by_rule}


def _solve_raw(matrices: Tensor, right: Tensor, tikhonov: float, hessian: Tensor) -> Tensor:
    """(B, m, m) and (B, m, k) -> (B, m, k); overwrites ``matrices`` with their damped forms.

    A matrix whose Cholesky factorisation fails, or succeeds with a pivot that is rounding alone, is
    left to :func:`_solve_indefinite`. ``hessian`` is what an error names.
    """
    diagonals = matrices.diagonal(dim1=-2, dim2=-1).add_(tikhonov)
    factors, info = torch.linalg.cholesky_ex(matrices)
    pivots = factors.diagonal(dim1=-2, dim2=-1)
    rounding = _rounding(diagonals)
    # The largest entry of a definite matrix is on its diagonal; NaN and infinity, which reach the
    # pivots, pass no comparison.
    largest = number(diagonals.amax()) + tikhonov
    if holds(number(info.any()) == 0) and holds(number(pivots.amin()) ** 2 > rounding * largest):
        return torch.cholesky_solve(right, factors)
    if not all_finite(matrices):
        raise not_finite("Hessian", hessian)
    if len(matrices) == 1:
        return _solve_indefinite(matrices, right, tikhonov, lambda _: "averaged over the batch")
    sizes = diagonals.amax(-1, keepdim=True) + tikhonov
    definite = (info == 0) & (pivots.square() > rounding * sizes).all(-1)
    solution = torch.empty_like(right)
    which = (~definite).nonzero()[:, 0]
    if len(which) < len(matrices):
        solution = torch.cholesky_solve(right, factors)  # of the others: numbers to overwrite
    solution[which] = _solve_indefinite(
        matrices[which], right[which], tikhonov, lambda i: f"of sample {int(which[i])}"
    )
    return solution


def _solve_indefinite(
    damped: Tensor, right: Tensor, tikhonov: float, name: Callable[[int], str]
) -> Tensor:
    """The same for damped matrices of any sign, by L D L^T; ``name`` says whose one is.

    D holds the pivots, some in 2 x 2 blocks. Where one is so small that the matrix may be
    singular, the eigenvalues decide.
    """
    factors, places, _ = torch.linalg.ldl_factor_ex(damped)
    sizes = _pivot_sizes(factors, places)
    if not holds((sizes.amin(-1) > SAFE_PIVOT * (sizes.amax(-1) + tikhonov)).all()):
        return _solve_by_eigenvalues(damped, right, tikhonov, name)
    solution: Tensor = torch.linalg.ldl_solve(factors, places, right)
    return solution


def _pivot_sizes(factors: Tensor, places: Tensor) -> Tensor:
    """The absolute eigenvalues of D, those of 2 x 2 blocks from below, (B, m).

    LAPACK marks both rows of a block by a negative place. Such a block [a b; b c] has a large b,
    and no eigenvalue below abs(a c - b^2) / (abs(a) + abs(b) + abs(c)).
    """
    own = factors.diagonal(dim1=-2, dim2=-1)
    paired = places < 0
    first = paired & (paired.cumsum(-1) % 2 == 1)
    below = torch.zeros_like(own)
    below[..., :-1] = factors.diagonal(-1, dim1=-2, dim2=-1)
    following = own.roll(-1, -1)
    block = (own * following - below.square()).abs()
    block /= own.abs() + below.abs() + following.abs()
    sizes = torch.where(first, block, own.abs())
    return torch.where(paired & ~first, sizes.roll(1, -1), sizes)


def _solve_by_eigenvalues(
    damped: Tensor, right: Tensor, tikhonov: float, name: Callable[[int], str]
) -> Tensor:
    """The same by eigendecompositions.

    Raises:
        CurvatureError: a matrix is singular to float64's precision.
    """
    eigenvalues, vectors = torch.linalg.eigh(damped)
    sizes = eigenvalues.abs()
    singular = sizes.amin(-1) <= _rounding(damped) * (sizes.amax(-1) + tikhonov)
    if singular.any():
        first = int(singular.nonzero()[0])
        raise CurvatureError(
            f"the damped Hessian {name(first)} is singular: its eigenvalues run from"
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
    """The (m, m) mean in float64, a tensor of its own, row by row in memory."""
    if hessian.device.type == "mps":  # which has no float64
        hessian = hessian.cpu()
    if hessian.stride(0) == 0:  # one matrix that all samples share, expanded
        # a loss's own matrix may lie there column by column, as linear algebra leaves it
        return hessian[0].to(torch.float64, copy=True, memory_format=torch.contiguous_format)
    return hessian.mean(0, dtype=torch.float64).contiguous()


def check_hessian(hessian: Tensor, expected: torch.Size) -> None:
    """Raises ValueError unless ``hessian`` is (N, m, m) for gradients of shape ``expected``."""
    if hessian.numel() == 0 or hessian.shape != (*expected, expected[-1]):
        raise ValueError(
            "the Hessian is (N, m, m) with at least one sample and one output;"
            f" got {tuple(hessian.shape)} beside (N, m) = {tuple(expected)}"
        )
