"""The spectra of both curvature matrices, with what damping makes of them."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.hessian import Definiteness, apply_rule, batch_mean, check_hessian
from newton_core.curvature.systems import (
    all_finite,
    check_choice,
    check_system,
    check_tikhonov,
    not_finite,
)
from newton_core.tensors import to_float64


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
        complement_condition: largest over smallest absolute eigenvalue after the definiteness
            rule, *without* tikhonov, on the complement of the directions to which the loss is
            blind: 1 where curvature can only rescale a gradient. Infinite if the smallest is zero
            to the rounding of the derivatives' dtype.
    """

    eigenvalues: Float[Tensor, " m"]
    condition: float
    negative: int
    complement_condition: float


def hessian_spectrum(
    hessian: Float[Tensor, "N m m"],
    tikhonov: float,
    definiteness: Definiteness = "raw",
    blind: Float[Tensor, "k m"] | None = None,
) -> Spectrum:
    """The spectrum of the batch-mean Hessian.

    ``blind`` holds the directions along which the loss never changes (see
    :meth:`newton_core.losses.Loss.invariant_directions`); None where there are none.

    Raises:
        CurvatureError: a Hessian is not finite.
        ValueError: tikhonov is not positive, the name is unknown, or a shape is wrong.
    """
    check_tikhonov(tikhonov)
    check_hessian(hessian, hessian.shape[:-1])
    check_choice("definiteness", definiteness, Definiteness)
    mean = batch_mean(hessian)
    if not all_finite(mean):
        raise not_finite("Hessian", hessian)
    eigenvalues = torch.linalg.eigvalsh(mean)
    sizes = (apply_rule(eigenvalues, definiteness) + tikhonov).abs()
    dust = len(eigenvalues) * torch.finfo(hessian.dtype).eps * eigenvalues.abs().amax()
    return Spectrum(
        eigenvalues,
        condition=(sizes.amax() / sizes.amin()).item(),
        negative=int((eigenvalues < -dust).sum()),
        complement_condition=_ratio(
            apply_rule(_complement_eigenvalues(mean, eigenvalues, blind), definiteness).abs(),
            torch.finfo(hessian.dtype).eps,
        ),
    )


def fisher_spectrum(
    gradient: Float[Tensor, "N m"], tikhonov: float, blind: Float[Tensor, "k m"] | None = None
) -> Spectrum:
    """The spectrum of the empirical Fisher G^T G / N, from the singular values of G / sqrt(N).

    ``blind`` as for :func:`hessian_spectrum`.

    Raises:
        CurvatureError: a gradient is not finite.
        ValueError: tikhonov is not positive, or there is no sample or no output.
    """
    check_system(gradient, tikhonov)
    G = to_float64(gradient)
    if not all_finite(G):
        raise not_finite("gradient", gradient)
    samples, outputs = G.shape
    singular = torch.linalg.svdvals(G / math.sqrt(samples))
    squares = singular.square().flip(0)
    eigenvalues = torch.cat((squares.new_zeros(max(0, outputs - samples)), squares))
    condition = (eigenvalues[-1] + tikhonov) / (eigenvalues[0] + tikhonov)
    if blind is not None and len(blind):
        singular = torch.linalg.svdvals(G @ complement(blind).to(G.device) / math.sqrt(samples))
        outputs -= len(blind)
    full_rank = samples >= outputs
    root = _ratio(singular, torch.finfo(gradient.dtype).eps) if full_rank else math.inf
    return Spectrum(
        eigenvalues, condition=condition.item(), negative=0, complement_condition=root**2
    )


def complement(blind: Float[Tensor, "k m"]) -> Float[Tensor, "m rest"]:
    """An orthonormal basis, in columns, of all that is orthogonal to k independent directions."""
    basis: Tensor = torch.linalg.qr(to_float64(blind).mT, mode="complete")[0]
    return basis[:, len(blind) :]


def _complement_eigenvalues(mean: Tensor, eigenvalues: Tensor, blind: Tensor | None) -> Tensor:
    """The eigenvalues of a symmetric matrix on the complement; all of them if it is everything."""
    if blind is None or not len(blind):
        return eigenvalues
    basis = complement(blind).to(mean.device)
    found: Tensor = torch.linalg.eigvalsh(basis.mT @ mean @ basis)
    return found


def _ratio(sizes: Tensor, eps: float) -> float:
    """Largest over smallest of some sizes; infinite if that is rounding, or there is none."""
    if not len(sizes):
        return math.inf
    largest, smallest = sizes.amax().item(), sizes.amin().item()
    return largest / smallest if smallest > eps * largest else math.inf
