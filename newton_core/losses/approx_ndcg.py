"""ApproxNDCG: the NDCG of positions that are sums of sigmoids."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.losses.rank_costs import Gain, NdcgCost, gain_setting, relevances
from newton_core.losses.sorting import Permutations, Scores, Values, check_scores
from newton_core.settings import setting


class ApproxNdcgParameters(LossParameters):
    """Parameters of :class:`ApproxNdcg`."""

    title = "ApproxNDCG"
    name: Literal["approx_ndcg"] = "approx_ndcg"
    temperature: float = setting(
        1.0,
        "Softness of the comparisons between items, in units of the scores: they harden as this"
        " falls.",
        title="Temperature τ", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    gain: Gain = gain_setting()


@register_loss
class ApproxNdcg(Loss[ApproxNdcgParameters]):
    """1 - NDCG with smooth positions (Qin, Liu & Li 2010, Section 4.1).

    The position of item i is 1 + sum_{j != i} σ((s_j - s_i) / τ), and the loss is 1 minus the sum
    of the gains over log2(1 + position), over the best sum that any order reaches. Invariant to
    shifts of the scores, equivariant to permutations of the items, not convex: the value of a
    position is convex, so that its loss is concave, and most Hessians have negative eigenvalues.
    They are exact, and zero along a shift.

    Shapes: y (N, n) scores, n >= 2; target (N, n) relevances >= 0, or permutation matrices
    (N, n, n), whose relevances rise evenly from 0 for the smallest item to 4; value (N,).
    """

    Parameters = ApproxNdcgParameters
    target_kind: ClassVar[TargetKind] = "permutation"

    def forward(self, y: Scores, target: Tensor | None = None) -> Values:
        """The loss of each sample, differentiable twice by torch.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y or target has another shape, or a relevance is negative or not finite.
        """
        scores = check_scores(y)
        ranks = self._differences(scores).sigmoid().sum(2) + 0.5
        return self._cost(scores, target).value(ranks).to(y.dtype)

    def invariant_directions(self, outputs: int) -> Tensor:
        """A common shift of all scores, which changes no order."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def derivatives(
        self, y: Scores, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value, gradient and Hessian per sample, in closed form.

        With x_ij = (s_i - s_j) / τ the derivative of the ranks is the graph Laplacian J of the
        weights σ'(x_ij) / τ, so that with the cost's slopes f' and f'' in the ranks

            gradient  J f'
            Hessian   J diag(f'') J + the Laplacian of σ''(x_ij) (f'_i - f'_j) / τ².
        """
        scores, temperature = check_scores(y.detach()), self.settings.temperature
        with torch.no_grad():
            x = self._differences(scores)
            ranks = x.sigmoid().sum(2) + 0.5
            cost = self._cost(scores, target)
            first, second = cost.slopes(ranks)
            tail = x.abs().neg_().sigmoid_()  # the smaller of σ and 1 - σ, which does not cancel
            weights = tail * (1 - tail) / temperature
            jacobian = _laplacian(weights)
            gradient = (jacobian @ first.unsqueeze(2)).squeeze(2)
            bent = None
            if hessian:
                bend = (x / 2).tanh_().mul_(weights).div_(-temperature)
                bend *= first.unsqueeze(2) - first.unsqueeze(1)
                bent = _laplacian(bend).baddbmm_(jacobian * second.unsqueeze(1), jacobian)
                bent = bent.to(y.dtype)
            return Derivatives(cost.value(ranks).to(y.dtype), gradient.to(y.dtype), bent)

    def _differences(self, scores: Scores) -> Permutations:
        """(s_i - s_j) / τ at [i, j]; NaN in a row of a score that is not finite."""
        return (scores.unsqueeze(2) - scores.unsqueeze(1)) / self.settings.temperature

    def _cost(self, scores: Scores, target: Tensor | None) -> NdcgCost:
        return NdcgCost.of(relevances(scores, target), self.settings.gain)


def _laplacian(weights: Permutations) -> Permutations:
    """diag(W 1) - W of symmetric weights, whatever stands on their diagonal."""
    result = -weights
    diagonal = result.diagonal(dim1=1, dim2=2)
    diagonal.zero_()
    diagonal.copy_(-result.sum(2))
    return result
