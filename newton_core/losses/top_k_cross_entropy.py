"""Cross-entropy of the true class being among the top k, by a relaxed sort of the scores."""

from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.sorting_networks import NetworkName, wiring
from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.losses.cross_entropy import class_indices
from newton_core.losses.dsn import CauchyDsn, GaussianDsn, LogisticDsn, OptimalDsn, ReciprocalDsn
from newton_core.losses.neuralsort import NeuralSort
from newton_core.losses.relaxed_network import RelaxedNetwork
from newton_core.losses.softsort import SoftSort
from newton_core.losses.sorting import Scores, Values, check_scores, with_unseen
from newton_core.losses.top_k_rows import NetworkTop, SoftmaxTop, TopRelaxation, top_loss
from newton_core.settings import setting

Relaxation = Annotated[
    Literal[
        "neuralsort",
        "softsort",
        "logistic_dsn",
        "cauchy_dsn",
        "gaussian_dsn",
        "reciprocal_dsn",
        "optimal_dsn",
    ],
    Labels(
        neuralsort="NeuralSort",
        softsort="SoftSort",
        logistic_dsn="Logistic sorting network",
        cauchy_dsn="Cauchy sorting network",
        gaussian_dsn="Gaussian sorting network",
        reciprocal_dsn="Reciprocal sorting network",
        optimal_dsn="Optimal sorting network",
    ),
]
SOFTMAX = {"neuralsort": NeuralSort, "softsort": SoftSort}
NETWORKS = {
    "logistic_dsn": LogisticDsn,
    "cauchy_dsn": CauchyDsn,
    "gaussian_dsn": GaussianDsn,
    "reciprocal_dsn": ReciprocalDsn,
    "optimal_dsn": OptimalDsn,
}


class TopKCrossEntropyParameters(LossParameters):
    """Parameters of :class:`TopKCrossEntropy`."""

    title = "Top-k cross-entropy"
    name: Literal["top_k_cross_entropy"] = "top_k_cross_entropy"
    k: int = setting(
        5, "How many of the highest scores may hold the true class.", title="Top k",
        ge=1, le=1000,
    )  # fmt: skip
    top_1: float = setting(
        0.5,
        "Weight of being first; the rest is the weight of being among the top k. 1 asks for the"
        " first place alone, 0 is content with any of the k.",
        title="Weight of the first place", ge=0.0, le=1.0,
    )  # fmt: skip
    relaxation: Relaxation = setting(
        "cauchy_dsn", "The relaxed sort that says how likely a class is at each place.",
        title="Relaxed sort",
    )  # fmt: skip
    temperature: float = setting(
        1.0,
        "Softness of the relaxed sort, in units of the scores: it hardens as this falls.",
        title="Temperature τ", scale="log", ge=1e-4, le=1e4,
        used_if={"relaxation": tuple(SOFTMAX)},
    )  # fmt: skip
    inverse_temperature: float = setting(
        10.0,
        "Steepness of the comparators, per unit of the scores: they harden as this grows.",
        title="Inverse temperature β", scale="log", ge=1e-4, le=1e4,
        used_if={"relaxation": tuple(NETWORKS)},
    )  # fmt: skip
    network: Annotated[NetworkName, Labels(odd_even="Odd-even transposition")] = setting(
        "odd_even",
        "Sorting network: odd-even transposition (n layers) or bitonic (about log2(n)^2 / 2"
        " layers).",
        title="Network", used_if={"relaxation": tuple(NETWORKS)},
    )  # fmt: skip

    def check_classes(self, classes: int) -> None:
        """Refuses fewer classes than places.

        Raises:
            ValueError: k is larger than the number of classes.
        """
        if classes < self.k:
            raise ValueError(
                f"top_k_cross_entropy with k = {self.k} needs at least {self.k} scores per sample,"
                f" got {classes}: lower k"
            )


@register_loss
class TopKCrossEntropy(Loss[TopKCrossEntropyParameters]):
    """-log of how likely the true class is at the top (Petersen et al. 2022, Section 3).

    A relaxed sort P of the n scores says how likely the class t is at each place. With P_K the
    weights ``top_1`` of K = 1 and 1 - ``top_1`` of K = k, the loss is

        -log sum_K P_K(K) sum_{m <= K} P_mt          (m = 1: the highest score).

    With ``top_1`` 0 all of the k places are as good, and the loss stops caring for their order.
    Only the class's own column of P is formed. Invariant to shifts of the scores, not convex; the
    Hessian is exact, zero along a shift and may be indefinite. SoftSort has no gradient where all
    scores are exactly equal.

    Shapes: y (N, n) scores, n >= 2 and n >= k; target (N,) class indices; value (N,).
    """

    Parameters = TopKCrossEntropyParameters
    target_kind: ClassVar[TargetKind] = "class"

    def forward(self, y: Scores, target: Tensor | None = None) -> Values:
        """The loss of each sample, in nats; differentiable twice by torch.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y has fewer than k scores, or target is not one class index per sample.
        """
        scores, classes = self._check(y, target)
        log_top = self._relaxation(scores).log_top(scores, classes, self.settings.k)
        value = top_loss(log_top, self._weights(scores))
        # 0 * inf and 0 * NaN are NaN: a non-finite score is seen even where P hides it.
        return (value + (0 * scores).sum(0)).to(y.dtype)

    def invariant_directions(self, outputs: int) -> Tensor:
        """A common shift of all scores, which changes no order."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def derivatives(
        self, y: Scores, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value, gradient and Hessian per sample, in closed form or in one structured pass."""
        scores, classes = self._check(y.detach(), target)
        with torch.no_grad():
            weights = self._weights(scores)
            found = self._relaxation(scores).derivatives(scores, classes, weights, hessian)
            return with_unseen(found, scores).to(y.dtype)

    def _check(self, y: Scores, target: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scores (n, N) and class indices (N,)."""
        scores = check_scores(y)
        self.settings.check_classes(y.shape[1])
        return scores.mT.contiguous(), class_indices(y, target)

    def _weights(self, scores: Tensor) -> Float[Tensor, " k"]:
        """How much each of the top k places counts, the first place last."""
        weights = scores.new_full((self.settings.k,), 1 - self.settings.top_1)
        weights[-1] = 1.0
        return weights

    def _relaxation(self, scores: Tensor) -> TopRelaxation:
        p = self.settings
        if p.relaxation in SOFTMAX:
            return SoftmaxTop(SOFTMAX[p.relaxation](temperature=p.temperature))
        wires = wiring(p.network, len(scores), scores.device)
        distribution = NETWORKS[p.relaxation].distribution
        return NetworkTop(RelaxedNetwork(distribution, p.inverse_temperature, wires))
