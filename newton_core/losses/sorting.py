"""What all relaxed-sorting losses share: the cross-entropy of a relaxed permutation, two ways.

A sorting loss is the mean over the n x n entries of the binary cross-entropy between the true
permutation matrix Q and a relaxed one P(y). Where P saturates, the way in which log P and
log(1 - P) are computed decides over the gradient, so it is a parameter, ``numerics``:

``bce_loss``
    What the literature trains with: P is formed in y's dtype and handed to
    ``torch.nn.BCELoss``, which clamps the logarithms at -100 and the gradient's denominator
    P (1 - P) at 1e-12. In float32 a saturated 1 - P is a rounding residue of about 6e-8 (or 0);
    its reciprocal is the derivative of the cross-entropy, and the softmax's backward pass
    subtracts two such huge numbers: gradients of 1e4 and more where the true one is below 1.
``log_domain``
    log P and log(1 - P) are formed without ever rounding P to 0 or 1; see
    :mod:`newton_core.losses.row_cross_entropy`. Gradients stay at their true size.

In float64, and where nothing saturates, the two agree.
"""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from newton_core.losses.base import Loss, TargetKind
from newton_core.settings import setting

Numerics = Literal["log_domain", "bce_loss"]

Scores = Float[Tensor, "N n"]
Permutations = Float[Tensor, "N n n"]
Values = Float[Tensor, "N"]


def numerics_setting() -> Any:
    """The field ``numerics``, the same for every sorting loss."""
    return setting(
        "log_domain",
        "How the cross-entropy is computed: from logarithms that never saturate (log_domain), or"
        " as torch.nn.BCELoss on the relaxed permutation (bce_loss, the literature), whose"
        " rounding makes gradients explode.",
        title="Numerics",
    )


class SortingLoss(Loss):
    """Mean binary cross-entropy between a relaxed permutation matrix and the true one.

    Subclasses define :meth:`relaxed_permutation` and :meth:`log_permutation`. Rows are ranks in
    ascending order, columns are items.

    A sample with a NaN or infinite score, or with scores so large that their logits overflow the
    dtype, has a non-finite value. float16 and bfloat16 are computed in float32.
    """

    target_kind: ClassVar[TargetKind] = "permutation"

    def relaxed_permutation(self, y: Scores) -> Permutations:
        """The relaxed permutation P as the literature computes it, in y's dtype.

        Row r is a distribution over the items that could be the r-th smallest.
        """
        raise NotImplementedError

    def log_permutation(self, y: Scores) -> tuple[Permutations, Permutations]:
        """log P and log(1 - P), accurate also where P rounds to 0 or 1."""
        raise NotImplementedError

    def forward(self, y: Scores, target: Permutations | None = None) -> Values:
        """The loss of each sample.

        Args:
            y: (N, n) scores, n >= 2.
            target: (N, n, n) permutation matrices (``permutation_matrix(values)``): row r marks
                the item that is the r-th smallest.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: the shapes are not those above.
        """
        scores, truth = check_sorting_inputs(y, target)
        if self.settings.numerics == "bce_loss":
            value = bce_loss(self.relaxed_permutation(scores), truth)
        else:
            log_p, log_not_p = self.log_permutation(scores)
            value = -(truth * log_p + (1 - truth) * log_not_p).mean((1, 2))
        # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where P hides it.
        return (value + (0 * scores).sum(1)).to(y.dtype)


def check_sorting_inputs(y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores and target as float32 or float64 tensors of matching shapes.

    Raises:
        TypeError: y is not a floating-point tensor.
        ValueError: y is not (N, n) with n >= 2, or target not (N, n, n) on the same device.
    """
    if not y.is_floating_point():
        raise TypeError(f"scores must be floating point, got {y.dtype}")
    if y.ndim != 2 or y.shape[1] < 2:
        raise ValueError(f"scores must be (N, n) with n >= 2, got {tuple(y.shape)}")
    size = (y.shape[0], y.shape[1], y.shape[1])
    if target is None or target.shape != size:
        got = "None" if target is None else str(tuple(target.shape))
        raise ValueError(
            f"target must be the (N, n, n) = {size} permutation matrices that"
            f" permutation_matrix(values) makes, got {got}"
        )
    if target.device != y.device:
        raise ValueError(f"target is on {target.device} and scores on {y.device}: move one of them")
    scores = y.float() if y.dtype in (torch.float16, torch.bfloat16) else y
    return scores, target.to(scores.dtype)


def bce_loss(p: Permutations, target: Permutations) -> Values:
    """``torch.nn.BCELoss`` per sample: the logarithms clamped at -100, the gradient's denominator
    P (1 - P) at 1e-12.

    torch refuses inputs outside [0, 1] and NaN (on a GPU by ending the process). A product of
    layers may exceed 1 by rounding and is clamped; a sample with NaN has the value NaN.
    """
    valid = torch.nan_to_num(p, nan=0.5).clamp(0.0, 1.0)
    value = functional.binary_cross_entropy(valid, target, reduction="none").mean((1, 2))
    return value + (0 * p).sum((1, 2))
