"""The binary cross-entropy of softmax rows, from their logits and without saturation.

For a row of logits z with p = softmax(z) and the largest logit at item t:

    log p_j       = z_j - logsumexp(z)
    log (1 - p_j) = logsumexp of the row's other logits - logsumexp(z)

Only the largest item can have p > 1/2, so only there does 1 - p cancel. With
l = logsumexp_{j != t}(z_j) - z_t, p_t is the logistic function of -l and 1 - p_t that of l; all
other items follow from v, the softmax without t: p_j = (1 - p_t) v_j.

Rows are (r, n, N), the sample last: sums over short rows then run along long vectors, which is
several times faster on a CPU.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Rows = Float[Tensor, "r n N"]


def log_rows(z: Rows) -> tuple[Rows, Rows]:
    """log p and log(1 - p) for p = softmax(z) over the n >= 2 items.

    Finite for every finite z whose differences do not overflow, and twice differentiable.
    """
    highest, top = z.max(1, keepdim=True)  # argmax alone takes ten times as long
    is_top = torch.zeros_like(z, dtype=torch.bool).scatter_(1, top, True)
    rest = torch.logsumexp(z.masked_fill(is_top, -torch.inf), 1, keepdim=True)
    odds = rest - highest
    log_not_top = functional.logsigmoid(odds)
    log_p = torch.where(is_top, functional.logsigmoid(-odds), z - rest + log_not_top)
    # Masked before exp: log1p(-1) at the largest item would put 0 * inf into the gradient.
    p_rest = log_p.masked_fill(is_top, -torch.inf).exp()
    return log_p, torch.where(is_top, log_not_top, torch.log1p(-p_rest))


@dataclass(frozen=True)
class RowHessians:
    """Each row's Hessian in its logits, by factors.

    The rows of a row's Hessian H sum to zero, so its off-diagonal entries say all:
    H_kl = sum over both pairs of (left_k right_l + left_l right_k) for k != l.

    Attributes:
        pairs: two pairs (left, right) of (r, n, N) factors.
    """

    pairs: tuple[tuple[Rows, Rows], tuple[Rows, Rows]]


@dataclass(frozen=True)
class RowDerivatives:
    """The rows' cross-entropy, averaged over the r x n entries, and its derivatives in the logits.

    Attributes:
        value: (N,) mean cross-entropy of each sample.
        gradient: (r, n, N) derivatives of the value in the logits.
        hessians: its second derivatives, or None if not asked for.
    """

    value: Float[Tensor, " N"]
    gradient: Rows
    hessians: RowHessians | None = None


def row_derivatives(z: Rows, target: Rows, *, hessian: bool) -> RowDerivatives:
    """Closed-form derivatives of ``-(q log p + (1 - q) log(1 - p))`` in the logits z.

    With w = 1 - q and p^(j) the softmax without item j, the loss of a row is
    n logsumexp(z) - q z - sum_j w_j logsumexp_{k != j}(z_k), hence

        gradient_k = n p_k - q_k - sum_{j != k} w_j p^(j)_k
        H_kl       = -n p_k p_l + sum_{j != k, l} w_j p^(j)_k p^(j)_l          (k != l).

    Both cancel where p saturates. With p^(j)_k = p_k / (1 - p_j) and Q = sum(q) they become

        gradient_k = p_k (Q + 1 - 2 q_k) - q_k (1 - p_k) - sum_{j != k} w_j p_j p^(j)_k
        H_kl       = sum_{j != k, l} w_j p_j (2 - p_j) p^(j)_k p^(j)_l
                     - p_k p_l (Q + 2 - q_k - q_l)

    whose terms are as small as the result. In the sums only j = t, the largest item, can have a
    small 1 - p_j; there p^(t) = v is formed from the logits.
    """
    scale = 1.0 / (z.shape[0] * z.shape[1])
    top, at = z.max(1, keepdim=True)
    shifted = z - top
    rest = shifted.scatter(1, at, -torch.inf)
    second = rest.amax(1, keepdim=True)
    v = (rest - second).exp_()
    total = v.sum(1, keepdim=True)
    v /= total
    odds = second + total.log_()
    not_odds = -odds
    not_top = odds.sigmoid()
    p_rest = v * not_top  # 0 at the largest item
    not_rest = 1 - p_rest
    w = 1 - target
    w_top = w.gather(1, at)

    logs = shifted.add_(functional.logsigmoid(not_odds)).mul_(target)
    logs.addcmul_(w, torch.log1p(-p_rest))
    value = logs.sum((0, 1))
    value += w_top.mul(functional.logsigmoid(odds)).sum((0, 1))

    p_top = not_odds.sigmoid_()
    p = p_rest.scatter(1, at, p_top)
    share = target.sum(1, keepdim=True)
    u = (w * p_rest).div_(not_rest)
    mass = w_top * p_top
    gradient = torch.sub(u, target, alpha=2).add_(share + 1 - u.sum(1, keepdim=True)).mul_(p)
    gradient.addcmul_(target, not_rest.scatter(1, at, not_top), value=-1)
    gradient.addcmul_(mass, v, value=-1)
    gradient *= scale
    value *= -scale
    if not hessian:
        return RowDerivatives(value, gradient)

    s = u.addcdiv_(u, not_rest)
    half = (share + 2 - s.sum(1, keepdim=True)) / 2
    first = (s - target).add_(half).mul_(p).mul_(-scale)
    second_ = v * ((scale / 2) * mass * (1 + not_top))
    return RowDerivatives(value, gradient, RowHessians(((first, p), (second_, v))))


def laplacian_(matrices: Float[Tensor, "*stack n n N"]) -> Float[Tensor, "*stack n n N"]:
    """Overwrites each n x n diagonal so that the rows sum to zero."""
    diagonal = matrices.diagonal(dim1=-3, dim2=-2)
    diagonal.zero_()
    diagonal.copy_(-matrices.sum(-2).movedim(-1, -2))
    return matrices
