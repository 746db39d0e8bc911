"""The binary cross-entropy of softmax rows, from their logits and without saturation.

For a row of logits z with p = softmax(z) and the largest logit at item t:

    log p_j       = z_j - logsumexp(z)
    log (1 - p_j) = logsumexp of the row's other logits - logsumexp(z)

Only the largest item can have p > 1/2, so only there does 1 - p cancel. With
l = logsumexp_{j != t}(z_j) - z_t, p_t is the logistic function of -l and 1 - p_t that of l; all
other items follow from the softmax without t, times 1 - p_t.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def log_rows(
    z: Float[Tensor, "N r n"],
) -> tuple[Float[Tensor, "N r n"], Float[Tensor, "N r n"]]:
    """log p and log(1 - p) for p = softmax(z) over the last dimension, n >= 2.

    Finite for every finite z whose differences do not overflow, and twice differentiable.
    """
    top = z.argmax(-1, keepdim=True)
    is_top = torch.zeros_like(z, dtype=torch.bool).scatter_(-1, top, True)
    rest = torch.logsumexp(z.masked_fill(is_top, -torch.inf), -1, keepdim=True)
    odds = rest - z.gather(-1, top)
    log_not_top = functional.logsigmoid(odds)
    log_p = torch.where(is_top, functional.logsigmoid(-odds), z - rest + log_not_top)
    # Masked before exp: log1p(-1) at the largest item would put 0 * inf into the gradient.
    p_rest = log_p.masked_fill(is_top, -torch.inf).exp()
    return log_p, torch.where(is_top, log_not_top, torch.log1p(-p_rest))
