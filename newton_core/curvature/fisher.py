"""The damped solve with the empirical Fisher matrix F = G^T G / N of per-sample gradients G.

G^T G itself squares the size of an exploded sample's gradient and drowns all others in its
rounding: it is formed only where no gradient is that large. Nor is a singular value decomposition
of G a way out: its error is that of the largest entry, so that with one gradient 1e9 times the
others' float64 has 8 digits left for those. Of the forms here some are fast and know when they
would lose digits; the ordered one never does.
"""

import functools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.conditions import finite, holds, number
from newton_core.curvature.systems import check_system, like, not_finite
from newton_core.tensors import to_float64

TRUSTED = 1e-5
"""A fast form is used while the smallest eigenvalue is at least this share of the largest, or each
Cholesky pivot this share of its diagonal entry: rounding is blown up by no more than the
reciprocal, and ten of float64's sixteen digits remain."""

COMPILED_OUTPUTS = 16
COMPILED_WORK = 200_000
"""m and N m^2 up to which one compiled loop on the CPU beats a few calls of a linear algebra
library. On a GPU the host would have to wait for the gradient."""

COMPILED_TRIANGLES = 48
"""m up to which a compiled loop beats a library's Cholesky factorisation and triangles on the CPU,
for a matrix that a library multiplied."""


def fisher_direction(gradient: Float[Tensor, "N m"], tikhonov: float) -> Float[Tensor, "N m"]:
    """G (G^T G / N + tikhonov I)^-1 for per-sample gradients G (paper, Definition 2).

    For N <= m the push-through form, an N x N system; for N > m the m x m system, or, if it is
    small, a QR factorisation as one compiled loop. Where digits would be lost,
    :func:`_ordered_form`. Solved in float64, returned in the gradient's dtype, detached.

    Raises:
        CurvatureError: the gradient, or the direction in the gradient's dtype, is not finite.
        ValueError: tikhonov is not positive, or there is no sample or no output.
    """
    check_system(gradient, tikhonov)
    gradient = gradient.detach()
    samples, outputs = gradient.shape
    if samples <= outputs:
        direction = _push_through_form(gradient, tikhonov)
    elif (
        gradient.device.type != "cuda"
        and outputs <= COMPILED_OUTPUTS
        and samples * outputs**2 <= COMPILED_WORK
    ):
        direction = _compiled_form(gradient, tikhonov)
    else:
        direction = _gram_form(gradient, tikhonov)
    if direction is None:
        direction = _ordered_form(gradient, tikhonov)
    # the direction's singular values are s / (s^2 / N + tikhonov), largest at sqrt(N tikhonov)
    return like(gradient, direction, bound=math.sqrt(samples / tikhonov) / 2)


def _push_through_form(gradient: Tensor, tikhonov: float) -> Tensor | None:
    """(G G^T / N + tikhonov I)^-1 G by Cholesky; None if its pivots cancel.

    A Cholesky factorisation does not care how different the samples' sizes are: an exploded one
    costs the others no digit. What does is nearly parallel gradients with little damping.
    """
    G = to_float64(gradient)
    gram = (G @ G.mT).div_(len(G))
    diagonal = gram.diagonal()
    diagonal.add_(tikhonov)
    factor, info = torch.linalg.cholesky_ex(gram)
    # infinite or NaN gradients make both sides infinite or NaN, which no comparison passes
    if holds(info == 0) and holds((factor.diagonal().square() > TRUSTED * diagonal).all()):
        direction: Tensor = torch.cholesky_solve(G, factor)
        return direction
    return None


def _gram_form(gradient: Tensor, tikhonov: float) -> Tensor | None:
    """G (G^T G / N + tikhonov I)^-1 by Cholesky; None if the matrix may be ill-conditioned.

    Its largest eigenvalue is at most its trace, its smallest at least tikhonov. So well-conditioned
    a matrix may be inverted, which is faster than two triangles for each of more rows than it has.
    """
    G = to_float64(gradient)
    matrix = (G.mT @ G).div_(len(G))
    diagonal = matrix.diagonal()
    diagonal.add_(tikhonov)
    if not holds(TRUSTED * number(diagonal.sum()) < tikhonov):  # nor do NaN and infinity pass
        return None
    if len(matrix) <= COMPILED_TRIANGLES and G.device.type == "cpu":
        direction = torch.empty(G.shape, dtype=G.dtype)  # by rows, also where G is by columns
        done = _shared_kernel()(matrix.numpy(), G.numpy(), 0.0, TRUSTED, direction.numpy())
        return direction if done else None
    inverted: Tensor = G @ torch.cholesky_inverse(torch.linalg.cholesky_ex(matrix)[0])
    return inverted


def _compiled_form(gradient: Tensor, tikhonov: float) -> Tensor | None:
    """:mod:`newton_core.curvature.kernels`; None if the gradient is not finite, or nearly so."""
    if gradient.dtype not in (torch.float32, torch.float64):
        gradient = gradient.to(torch.float64)
    direction = torch.empty(gradient.shape, dtype=gradient.dtype)
    solve = _kernels()[gradient.dtype]
    done = solve(gradient.cpu().numpy(), tikhonov, TRUSTED, direction.numpy())
    return direction if done else None


@functools.cache
def _kernels() -> dict[torch.dtype, Callable[..., bool]]:
    """The compiled loops; numba is imported, and they are compiled, when they are first needed."""
    from newton_core.curvature.kernels import solve_float32, solve_float64

    return {torch.float32: solve_float32, torch.float64: solve_float64}


@functools.cache
def _shared_kernel() -> Callable[..., bool]:
    """The compiled solve of many rows with one matrix."""
    from newton_core.curvature.kernels import solve_shared

    kernel: Callable[..., bool] = solve_shared
    return kernel


def _ordered_form(gradient: Tensor, tikhonov: float) -> Tensor:
    """Two QR factorisations, samples in the order of their sizes: accurate for each of them.

    G^T = Q L^T turns the output space so that the largest gradient lies along the first axis,
    the next in the plane of the first two, and so on: exact to rounding *for each sample by
    itself*, and huge entries end up in the first columns alone, where a QR factorisation does not
    mix them with the small ones. That of [L; sqrt(N tikhonov) I] gives R with
    R^T R = L^T L + N tikhonov I, the product never formed, and the direction is
    N L (R^T R)^-1 Q^T.

    Raises:
        CurvatureError: the gradient is not finite.
    """
    G = to_float64(gradient)
    sizes, order = torch.linalg.vector_norm(G, math.inf, dim=1).sort(descending=True)
    if not finite(sizes[0]):  # NaN counts as largest
        raise not_finite("gradient", G)
    samples = len(G)
    Q, L_transposed = torch.linalg.qr(G.index_select(0, order).mT)
    damping = torch.eye(len(L_transposed), dtype=G.dtype, device=G.device)
    damping.mul_(math.sqrt(samples * tikhonov))
    _, R = torch.linalg.qr(torch.cat((L_transposed.mT, damping)), mode="r")
    # two triangular solves for each row of L; the signs of R's diagonal cancel
    turned = torch.cholesky_solve(L_transposed, R, upper=True).mul_(samples).mT
    return torch.empty_like(G).index_copy_(0, order, turned @ Q.mT)
