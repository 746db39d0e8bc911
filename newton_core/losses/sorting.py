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
    See :mod:`newton_core.losses.saturating_cross_entropy`.
``log_domain``
    log P and log(1 - P) are formed without ever rounding P to 0 or 1; see
    :mod:`newton_core.losses.row_cross_entropy`. Gradients stay at their true size.

In float64, and where nothing saturates, the two agree.
"""

from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.permutations import check_permutations
from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, Loss, P_co, TargetKind
from newton_core.losses.saturating_cross_entropy import saturating_loss
from newton_core.settings import setting
from newton_core.tensors import check_floating

Numerics = Annotated[
    Literal["log_domain", "bce_loss"],
    Labels(log_domain="Log domain, exact", bce_loss="BCELoss, as in the literature"),
]

Scores = Float[Tensor, "N n"]
Permutations = Float[Tensor, "N n n"]
Values = Float[Tensor, " N"]

ItemScores = Float[Tensor, "n N"]
"""Scores as the losses compute with them, the sample last."""

RankRows = Float[Tensor, "n n N"]
"""A matrix per sample, the sample last: [rank, item, sample]."""


NUMERICS: Numerics = setting(
    "log_domain",
    "How the cross-entropy is computed: from logarithms that never saturate (log_domain), or as"
    " torch.nn.BCELoss on the relaxed permutation (bce_loss, the literature), whose rounding makes"
    " gradients explode.",
    title="Numerics",
)
"""The field ``numerics``, the same for every sorting loss."""


class SortingLoss(Loss[P_co]):
    """Mean binary cross-entropy between a relaxed permutation matrix and the true one.

    Rows are ranks in ascending order, columns are items. Subclasses define :attr:`numerics`,
    :meth:`relaxed_rows`, :meth:`log_rows` and :meth:`_derivatives`.

    A sample with a NaN or infinite score, or with scores so large that their logits overflow the
    dtype, has a non-finite value. float16 and bfloat16 are computed in float32.
    """

    target_kind: ClassVar[TargetKind] = "permutation"

    @property
    def numerics(self) -> Numerics:
        """How the cross-entropy is computed."""
        raise NotImplementedError

    def relaxed_permutation(self, y: Scores) -> Permutations:
        """The relaxed permutation P(y) as the literature computes it, in y's dtype.

        Row r is a distribution over the items that could be the r-th smallest. The same for
        either ``numerics``.
        """
        return self.relaxed_rows(check_scores(y).mT).permute(2, 0, 1).to(y.dtype)

    def log_permutation(self, y: Scores) -> tuple[Permutations, Permutations]:
        """log P(y) and log(1 - P(y)), accurate also where P rounds to 0 or 1."""
        log_p, log_not_p = self.log_rows(check_scores(y).mT)
        return log_p.permute(2, 0, 1).to(y.dtype), log_not_p.permute(2, 0, 1).to(y.dtype)

    def forward(self, y: Scores, target: Permutations | None = None) -> Values:
        """The loss of each sample.

        Args:
            y: (N, n) scores, n >= 2.
            target: (N, n, n) permutation matrices (``permutation_matrix(values)``): row r marks
                the item that is the r-th smallest. Doubly stochastic ones share places.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: the shapes are not those above, or a target is no such matrix.
        """
        scores, truth = sample_last(y, target)
        if self.numerics == "bce_loss":
            value = saturating_loss(self.relaxed_rows(scores), truth)
        else:
            log_p, log_not_p = self.log_rows(scores)
            value = -(truth * log_p + (1 - truth) * log_not_p).mean((0, 1))
        # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where P hides it.
        return (value + (0 * scores).sum(0)).to(y.dtype)

    def derivatives(
        self, y: Scores, target: Permutations | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value, gradient and Hessian per sample, in closed form or in one structured pass.

        Takes the arguments of :meth:`forward`. The gradient of a sample with a non-finite score
        is NaN.
        """
        scores, truth = sample_last(y.detach(), target)
        with torch.no_grad():
            return with_unseen(self._derivatives(scores, truth, hessian), scores).to(y.dtype)

    def invariant_directions(self, outputs: int) -> Tensor:
        """A common shift of all scores, which changes no order."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def relaxed_rows(self, scores: ItemScores) -> RankRows:
        """P at valid float32 or float64 scores."""
        raise NotImplementedError

    def log_rows(self, scores: ItemScores) -> tuple[RankRows, RankRows]:
        """log P and log(1 - P) at valid float32 or float64 scores."""
        raise NotImplementedError

    def _derivatives(self, scores: ItemScores, target: RankRows, hessian: bool) -> Derivatives:
        """The derivatives at valid float32 or float64 scores, without a graph."""
        raise NotImplementedError


def with_unseen(found: Derivatives, scores: ItemScores) -> Derivatives:
    """Derivatives whose value and gradient are NaN where a score is not finite, also if P hides it.

    0 * inf and 0 * NaN are NaN.
    """
    unseen, hessian = (0 * scores).sum(0), found.hessian
    return Derivatives(
        found.value + unseen,
        found.gradient + unseen.unsqueeze(1),
        None if hessian is None else hessian.contiguous(),
    )


def check_scores(y: Tensor) -> Tensor:
    """Scores as float32 or float64.

    Raises:
        TypeError: y is not a floating-point tensor.
        ValueError: y is not (N, n) with n >= 2.
    """
    check_floating(y, "scores")
    if y.ndim != 2 or y.shape[1] < 2:
        raise ValueError(f"scores must be (N, n) with n >= 2, got {tuple(y.shape)}")
    return y.float() if y.dtype in (torch.float16, torch.bfloat16) else y


def sample_last(y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """Checked scores (n, N) and target (n, n, N), contiguous and of one dtype.

    Raises:
        TypeError, ValueError: as :func:`sample_first`.
    """
    scores, truth = sample_first(y, target)
    return scores.mT.contiguous(), truth.permute(1, 2, 0).contiguous()


def sample_first(y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """Checked scores (N, n) and target (N, n, n), of one dtype.

    Raises:
        TypeError, ValueError: the scores are refused by :func:`check_scores`.
        ValueError: target is not (N, n, n), not on the scores' device, or no permutation.
    """
    scores = check_scores(y)
    samples, n = y.shape
    size = (samples, n, n)
    if target is None or target.shape != size:
        got = "None" if target is None else str(tuple(target.shape))
        raise ValueError(
            f"target must be the (N, n, n) = {size} permutation matrices that"
            f" permutation_matrix(values) makes, got {got}"
        )
    if target.device != y.device:
        raise ValueError(f"target is on {target.device} and scores on {y.device}: move one of them")
    check_permutations(target, "target")
    truth = target.detach()
    return scores, truth if truth.dtype == scores.dtype else truth.to(scores.dtype)
