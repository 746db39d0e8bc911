"""The damped solve with the empirical Fisher matrix F = G^T G / N of per-sample gradients G.

Two forms are fast and accurate while no sample has exploded, a third always. G^T G itself, which
squares the size of an exploded sample's gradient and drowns all others in its rounding, is never
formed.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.systems import (
    TRUSTED,
    check_gradient,
    check_tikhonov,
    like,
    not_finite,
)
from newton_core.tensors import to_float64


def fisher_direction(gradient: Float[Tensor, "N m"], tikhonov: float) -> Float[Tensor, "N m"]:
    """G (G^T G / N + tikhonov I)^-1 for per-sample gradients G (paper, Definition 2).

    For N <= m the push-through form, an N x N system; for N > m the singular values and right
    singular vectors of G. Where they would lose digits, because samples of very different sizes
    or nearly parallel ones meet little damping, :func:`_orthogonal_form` at twice the cost.
    Solved in float64, returned in the gradient's dtype.

    Raises:
        CurvatureError: the gradient, or the direction in the gradient's dtype, is not finite.
        ValueError: tikhonov is not positive, or there is no sample or no output.
    """
    check_tikhonov(tikhonov)
    check_gradient(gradient)
    G = to_float64(gradient)
    samples, outputs = G.shape
    fast = _push_through_form if samples <= outputs else _spectral_form
    direction = fast(G, tikhonov)
    if direction is None:
        direction = _orthogonal_form(G, tikhonov)
    return like(gradient, direction, bound=largest_entry(samples, tikhonov))


def largest_entry(samples: int, tikhonov: float) -> float:
    """What no entry of a Fisher direction exceeds, whatever the gradients.

    Its singular values are s / (s^2 / N + tikhonov), the largest at s = sqrt(N tikhonov).
    """
    return math.sqrt(samples / tikhonov) / 2


def _push_through_form(G: Tensor, tikhonov: float) -> Tensor | None:
    """(G G^T / N + tikhonov I)^-1 G by Cholesky; None if its pivots cancel.

    A Cholesky factorisation does not care how different the samples' sizes are: an exploded one
    costs the others no digit. What does is nearly parallel gradients with little damping.
    """
    gram = (G @ G.mT).div_(len(G))
    diagonal = gram.diagonal()
    diagonal.add_(tikhonov)
    factor, info = torch.linalg.cholesky_ex(gram)
    # infinite or NaN gradients make both sides infinite or NaN, which no comparison passes
    if info == 0 and (factor.diagonal().square() > TRUSTED * diagonal).all():
        direction: Tensor = torch.cholesky_solve(G, factor)
        return direction
    return None


def _spectral_form(G: Tensor, tikhonov: float) -> Tensor | None:
    """G V (S^2 / N + tikhonov)^-1 V^T from G = U S V^T; None if F + tikhonov I is ill-conditioned.

    U is left alone: it is accurate to the size of the largest sample only, V and S to that of F.
    """
    try:
        _, S, Vh = torch.linalg.svd(G, full_matrices=False)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # exported, but undeclared
        return None  # NaN or infinity: the orthogonal form says where
    samples = len(G)
    damped = S.square_().add_(samples * tikhonov)  # N times what divides, one pass less
    descending = damped.tolist()
    if not TRUSTED * descending[0] < descending[-1] < math.inf:
        return None
    rotated = (G @ Vh.mT).div_(damped)
    return torch.addmm(G, rotated, Vh, beta=0, alpha=samples)


def _orthogonal_form(G: Tensor, tikhonov: float) -> Tensor:
    """Two QR factorisations of the samples in the order of their sizes: accurate for each of them.

    G^T = Q L^T turns the output space so that the largest gradient lies along the first axis,
    the next in the plane of the first two, and so on: exact to rounding *for each sample by
    itself*, and huge entries end up in the first columns alone. The R of [L / sqrt(N);
    sqrt(tikhonov) I] then has R^T R = L^T L / N + tikhonov I without the product being formed,
    and G (F + tikhonov I)^-1 = L (R^T R)^-1 Q^T.

    The error of an SVD of G is that of its largest entry: with one gradient 1e9 times the
    others', float64 has 8 digits left for them there, and 14 here.

    Raises:
        CurvatureError: the gradient is not finite.
    """
    samples = len(G)
    sizes, order = torch.linalg.vector_norm(G, math.inf, dim=1).sort(descending=True)
    if not math.isfinite(sizes[0].item()):  # NaN counts as largest
        raise not_finite("gradient", G)
    Q, L_transposed = torch.linalg.qr(G.index_select(0, order).mT)
    rank = len(L_transposed)
    stacked = G.new_zeros(samples + rank, rank)
    torch.mul(L_transposed.mT, 1 / math.sqrt(samples), out=stacked[:samples])
    stacked[samples:].fill_diagonal_(math.sqrt(tikhonov))
    _, R = torch.linalg.qr(stacked, mode="r")
    ordered = torch.cholesky_solve(L_transposed, R, upper=True).mT @ Q.mT
    return torch.empty_like(G).index_copy_(0, order, ordered)
