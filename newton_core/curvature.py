"""Curvature in output space: damped solves, definiteness rules and spectra.

Everything is solved in float64 whatever the dtype of the gradients: one exploded sample makes
the matrix nearly rank one, and float32 cannot tell its damped form from a singular one. No matrix
is ever inverted, and the Fisher's G^T G, which would square that sample's size, is never formed.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives
from newton_core.tensors import to_float64

Curvature = Literal["none", "hessian", "fisher"]
HessianKind = Literal["batch_mean", "per_sample"]
Definiteness = Literal["raw", "clip", "saddle_free"]

TRUSTED_PIVOT = 1e-6
"""Smallest share of a Cholesky pivot that may survive elimination: below it, six of float64's
sixteen digits are lost and the orthogonal form, at twice the cost, takes over."""


class CurvatureError(ArithmeticError):
    """A damped system without a finite solution; the message names the remedy."""


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
    check_choices(curvature, hessian, definiteness)
    if curvature == "none":
        return derivatives.gradient
    if curvature == "fisher":
        return fisher_direction(derivatives.gradient, tikhonov)
    if derivatives.hessian is None:
        raise ValueError("the Hessian direction needs derivatives(y, target, hessian=True)")
    return hessian_direction(
        derivatives.gradient, derivatives.hessian, tikhonov, hessian, definiteness
    )


def fisher_direction(gradient: Float[Tensor, "N m"], tikhonov: float) -> Float[Tensor, "N m"]:
    """G (G^T G / N + tikhonov I)^-1 for per-sample gradients G (paper, Definition 2).

    For N <= m it is the push-through form (G G^T / N + tikhonov I)^-1 G, an N x N system. Its
    Cholesky factorisation does not care how different the samples' sizes are, so that one
    exploded sample costs the others no digit. It is trusted unless its pivots cancel, which nearly
    parallel gradients with little damping cause; then, and for N > m, see
    :func:`_orthogonal_fisher`.

    Raises:
        CurvatureError: the gradient, or the direction in the gradient's dtype, is not finite.
        ValueError: tikhonov is not positive, or there is no sample or no output.
    """
    _check_system(gradient, tikhonov)
    G = to_float64(gradient)
    samples, outputs = G.shape
    norms = torch.linalg.vector_norm(G, math.inf, dim=1)
    norms, order = norms.sort(descending=True)  # NaN counts as largest
    if not math.isfinite(norms[0].item()):
        raise _not_finite("gradient", gradient)
    if samples <= outputs:
        gram = (G @ G.mT).div_(samples)
        diagonal = gram.diagonal()
        diagonal.add_(tikhonov)
        factor, info = torch.linalg.cholesky_ex(gram)
        if info == 0 and (factor.diagonal().square() > TRUSTED_PIVOT * diagonal).all():
            return _like(torch.cholesky_solve(G, factor), gradient)
    direction = torch.empty_like(G)
    direction[order] = _orthogonal_fisher(G.index_select(0, order), tikhonov)
    return _like(direction, gradient)


def _orthogonal_fisher(G: Tensor, tikhonov: float) -> Tensor:
    """The Fisher direction by two QR factorisations; rows of G by size, the largest first.

    G^T = Q L^T turns the output space so that the largest gradient lies along the first axis,
    the next in the plane of the first two, and so on: exact to rounding *for each sample by
    itself*, and huge entries end up in the first columns alone. The R of [L / sqrt(N);
    sqrt(tikhonov) I] then has R^T R = L^T L / N + tikhonov I without the product being formed,
    and G (C + tikhonov I)^-1 = L (R^T R)^-1 Q^T.

    An SVD of G / sqrt(N) would do as well if all samples were of one size, but its error is that
    of the largest: with one gradient 1e9 times the others', a float64 SVD has 8 digits left for
    them, this has 14.
    """
    samples = G.shape[0]
    Q, L_transposed = torch.linalg.qr(G.mT)
    rank = L_transposed.shape[0]
    stacked = G.new_zeros(samples + rank, rank)
    torch.mul(L_transposed.mT, 1 / math.sqrt(samples), out=stacked[:samples])
    stacked[samples:].fill_diagonal_(math.sqrt(tikhonov))
    _, R = torch.linalg.qr(stacked, mode="r")
    direction: Tensor = torch.cholesky_solve(L_transposed, R, upper=True).mT @ Q.mT
    return direction


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
    _check_system(gradient, tikhonov)
    _check_hessian(hessian, gradient.shape)
    check_choices("hessian", kind, definiteness)
    G = to_float64(gradient)
    if kind == "batch_mean":
        matrices = _batch_mean(hessian)[None]
        right = G.mT[None]
    else:
        matrices = to_float64(hessian, copy=True)
        right = G[..., None]
    if not _all_finite(matrices):
        raise _not_finite("Hessian", hessian)
    if not _all_finite(G):
        raise _not_finite("gradient", gradient)
    if definiteness == "raw":
        solution = _solve_raw(matrices, right, tikhonov)
    else:
        solution = _solve_spectral(matrices, right, tikhonov, definiteness)
    return _like(solution[0].mT if kind == "batch_mean" else solution[..., 0], gradient)


def _solve_raw(matrices: Tensor, right: Tensor, tikhonov: float) -> Tensor:
    """(B, m, m) and (B, m, k) -> (B, m, k); overwrites ``matrices`` with their damped forms."""
    matrices.diagonal(dim1=-2, dim2=-1).add_(tikhonov)
    factors, info = torch.linalg.cholesky_ex(matrices)
    if not info.any():
        return torch.cholesky_solve(right, factors)
    indefinite = info != 0
    solution = torch.empty_like(right)
    solution[~indefinite] = torch.cholesky_solve(right[~indefinite], factors[~indefinite])
    which = indefinite.nonzero()[:, 0].tolist()
    solution[indefinite] = _solve_spectral(
        matrices[indefinite], right[indefinite], 0.0, "raw", which if len(matrices) > 1 else None
    )
    return solution


def _solve_spectral(
    matrices: Tensor,
    right: Tensor,
    tikhonov: float,
    definiteness: Definiteness,
    names: list[int] | None = None,
) -> Tensor:
    """The same by eigendecomposition; ``names`` are the samples that the matrices belong to."""
    eigenvalues, vectors = torch.linalg.eigh(matrices)
    damped = _apply_rule(eigenvalues, definiteness) + tikhonov
    sizes = damped.abs()
    limit = sizes.amax(-1) * (sizes.shape[-1] * torch.finfo(sizes.dtype).eps)
    singular = sizes.amin(-1) <= limit
    if singular.any():
        first = int(singular.nonzero()[0])
        whose = f"of sample {names[first]}" if names else "averaged over the batch"
        raise CurvatureError(
            f"the damped Hessian {whose} is singular: its eigenvalues run from"
            f" {damped[first].min():.3g} to {damped[first].max():.3g} and one is zero to rounding;"
            " use a larger tikhonov, or definiteness 'clip' or 'saddle_free'"
        )
    solution: Tensor = vectors @ ((vectors.mT @ right) / damped[..., None])
    return solution


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
    if not _all_finite(mean):
        raise _not_finite("Hessian", hessian)
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
    _check_system(gradient, tikhonov)
    G = to_float64(gradient)
    if not _all_finite(G):
        raise _not_finite("gradient", gradient)
    samples, outputs = G.shape
    squares = torch.linalg.svdvals(G / math.sqrt(samples)).square().flip(0)
    eigenvalues = torch.cat((squares.new_zeros(max(0, outputs - samples)), squares))
    condition = (eigenvalues[-1] + tikhonov) / (eigenvalues[0] + tikhonov)
    return Spectrum(eigenvalues, condition=condition.item(), negative=0)


def _batch_mean(hessian: Tensor) -> Tensor:
    """The (m, m) mean in float64, a tensor of its own."""
    if hessian.device.type == "mps":
        hessian = hessian.cpu()
    return hessian.mean(0, dtype=torch.float64)


def _like(direction: Tensor, gradient: Tensor) -> Tensor:
    """``direction`` on the gradient's device and in its dtype, checked to be finite there."""
    result = direction.to(device=gradient.device, dtype=gradient.dtype)
    if not _all_finite(result):
        raise CurvatureError(
            f"the direction is too large for {gradient.dtype}: its largest entry is"
            f" {direction.abs().amax().item():.3g}; use a larger tikhonov or a wider dtype"
        )
    return result


def _all_finite(tensor: Tensor) -> bool:
    """One reduction in place of isfinite's three passes: NaN and infinity survive the maximum."""
    return math.isfinite(torch.linalg.vector_norm(tensor, math.inf).item())


def _not_finite(what: str, tensor: Tensor) -> CurvatureError:
    bad = ~torch.isfinite(tensor.flatten(1)).all(1)
    return CurvatureError(
        f"the {what} of {int(bad.sum())} of {len(bad)} samples, first of sample"
        f" {int(bad.nonzero()[0])}, has NaN or infinite entries, which no damping repairs: use"
        " numerics='log_domain' where the loss has it, a lower learning rate or float64 outputs"
    )


def _check_system(gradient: Tensor, tikhonov: float) -> None:
    check_tikhonov(tikhonov)
    if gradient.ndim != 2 or gradient.numel() == 0:
        raise ValueError(
            "the gradient has one row per sample and one column per output, at least one of"
            f" each: (N, m); got {tuple(gradient.shape)}"
        )


def _check_hessian(hessian: Tensor, expected: torch.Size) -> None:
    if hessian.numel() == 0 or hessian.shape != (*expected, expected[-1]):
        raise ValueError(
            "the Hessian is (N, m, m) with at least one sample and one output;"
            f" got {tuple(hessian.shape)} beside (N, m) = {tuple(expected)}"
        )


def check_tikhonov(tikhonov: float) -> None:
    """Raises ValueError unless ``tikhonov`` is positive and finite."""
    if not 0 < tikhonov < math.inf:
        raise ValueError(f"tikhonov must be a positive finite number, got {tikhonov}")


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
