"""NeuralSort: a softmax in place of each argmax of the sorting operator."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from newton_core.losses.base import LossParameters, register_loss
from newton_core.losses.row_cross_entropy import log_rows
from newton_core.losses.sorting import (
    Numerics,
    Permutations,
    Scores,
    SortingLoss,
    numerics_setting,
)
from newton_core.settings import setting


class NeuralSortParameters(LossParameters):
    """Parameters of :class:`NeuralSort`."""

    name: Literal["neuralsort"] = "neuralsort"
    temperature: float = setting(
        1.0,
        "Softness of the relaxed permutation, in units of the scores: it hardens as this falls.",
        title="Temperature τ", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    numerics: Numerics = numerics_setting()


@register_loss
class NeuralSort(SortingLoss):
    """Cross-entropy of the NeuralSort relaxation (Grover et al. 2019, equation 5, ascending).

    Row r = 1..n of the relaxed permutation is softmax(((2r - n - 1) s - A 1) / τ) with
    A_jk = abs(s_j - s_k): without the softmax, the largest entry of the row is at the r-th
    smallest item. Unimodal and row-stochastic; invariant to shifts of the scores, equivariant to
    permutations of the items.
    """

    Parameters: ClassVar[type[LossParameters]] = NeuralSortParameters

    def relaxed_permutation(self, y: Scores) -> Permutations:
        """softmax over the items of each rank's logits, as the literature computes it."""
        return torch.softmax(self._logits(y), dim=-1)

    def log_permutation(self, y: Scores) -> tuple[Permutations, Permutations]:
        """log P and log(1 - P) from the logits of centred scores (P is invariant to shifts)."""
        return log_rows(self._logits(y - y.detach().mean(1, keepdim=True)))

    def _logits(self, y: Scores) -> Permutations:
        n = y.shape[1]
        spread = (y.unsqueeze(2) - y.unsqueeze(1)).abs().sum(2)
        temperature: float = self.settings.temperature
        return (self._ranks(n, y) * y.unsqueeze(1) - spread.unsqueeze(1)) / temperature

    @staticmethod
    def _ranks(n: int, like: Tensor) -> Tensor:
        """2r - n - 1 for r = 1..n, as a column (n, 1)."""
        return torch.arange(1 - n, n, 2, dtype=like.dtype, device=like.device).unsqueeze(1)
