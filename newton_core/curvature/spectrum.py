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
    """

    eigenvalues: Float[Tensor, " m"]
    condition: float
    negative: int


def hessian_spectrum(
    hessian: Float[Tensor, "N m m"], tikhonov: float, definiteness: Definiteness = "raw"
) -> Spectrum:
    """The spectrum of the batch-mean Hessian.

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
