"""What the losses on relaxed sorting networks share; they differ in one distribution."""

import functools
from typing import Annotated, ClassVar

import torch

from newton_core.algorithms.sorting_networks import NetworkName, wiring
from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, LossParameters
from newton_core.losses.compiled_network import (
    compiled_log_derivatives,
    compiled_saturating_derivatives,
)
from newton_core.losses.compiled_value import compiled_value
from newton_core.losses.distributions import Distribution, log_cdf
from newton_core.losses.network_derivatives import log_domain_derivatives, saturating_derivatives
from newton_core.losses.relaxed_network import RelaxedNetwork
from newton_core.losses.row_cross_entropy import log_rows
from newton_core.losses.sorting import (
    NUMERICS,
    ItemScores,
    Numerics,
    Permutations,
    RankRows,
    Scores,
    SortingLoss,
    sample_first,
)
from newton_core.losses.sorting import Values as SampleValues
from newton_core.settings import setting


class SortingNetworkParameters(LossParameters):
    """Parameters of the losses on relaxed sorting networks."""

    inverse_temperature: float = setting(
        10.0,
        "Steepness of the comparators, per unit of the scores: they harden as this grows.",
        title="Inverse temperature β", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    network: Annotated[NetworkName, Labels(odd_even="Odd-even transposition")] = setting(
        "odd_even",
        "Sorting network: odd-even transposition (n layers) or bitonic (about log2(n)^2 / 2"
        " layers).",
        title="Network",
    )
    numerics: Numerics = NUMERICS


class SortingNetworkLoss(SortingLoss[SortingNetworkParameters]):
    """Cross-entropy of a relaxed sorting network's permutation.

    Subclasses fix the distribution F. Rows and columns of the relaxed permutation sum to one. The
    loss is invariant to shifts of the scores, but not equivariant to permutations of the items,
    since a network compares its wires in a fixed order. The Hessian is exact and usually
    indefinite.
    """

    distribution: ClassVar[Distribution]

    @property
    def numerics(self) -> Numerics:
        """As the settings have it."""
        return self.settings.numerics

    def forward(self, y: Scores, target: Permutations | None = None) -> SampleValues:
        """As every sorting loss has it; on the CPU, value and gradient come from compiled kernels.

        A graph that is differentiated again goes through torch's operations.
        """
        if y.device.type != "cpu":
            return super().forward(y, target)
        return compiled_value(self, super().forward, y, target)

    def relaxed_rows(self, scores: ItemScores) -> RankRows:
        """The product of the layers' matrices, in the scores' dtype, as the literature has it.

        No entry leaves [0, 1], which torch.nn.BCELoss insists on: α + (1 - α) rounds to 1, and
        rounding keeps the order of smaller sums.
        """
        network = self._network(scores)
        return network.permute(network.compare(scores)[1])

    def log_rows(self, scores: ItemScores) -> tuple[RankRows, RankRows]:
        """log P by the layers' recurrence on logarithms, log(1 - P) from log P.

        Rows of P sum to one, so 1 - P is the sum of the row's other entries.
        """
        network = self._network(scores)
        difference, _ = network.compare(scores)
        v = network.steepness * difference
        logs = log_cdf(self.distribution, torch.stack((v, -v)))
        return log_rows(network.log_permute(logs))

    def derivatives(
        self, y: Scores, target: Permutations | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """As every sorting loss has it; on the CPU by compiled kernels."""
        if y.device.type != "cpu":
            return super().derivatives(y, target, hessian=hessian)
        scores, truth = sample_first(y.detach(), target)
        scores, truth = scores.contiguous(), truth.contiguous()
        saturating = self.numerics == "bce_loss"
        compiled = compiled_saturating_derivatives if saturating else compiled_log_derivatives
        result = compiled(self._network_of(scores.shape[1], scores.device), scores, truth, hessian)
        return result if result.value.dtype == y.dtype else result.to(y.dtype)

    def _derivatives(self, scores: ItemScores, target: RankRows, hessian: bool) -> Derivatives:
        saturating = self.numerics == "bce_loss"
        derivatives = saturating_derivatives if saturating else log_domain_derivatives
        return derivatives(self._network(scores), scores, target, hessian)

    def _network(self, scores: ItemScores) -> RelaxedNetwork:
        return self._network_of(scores.shape[0], scores.device)

    def _network_of(self, n: int, device: torch.device) -> RelaxedNetwork:
        settings = self.settings
        return _relaxed_network(
            self.distribution, settings.inverse_temperature, settings.network, n, device
        )


@functools.lru_cache
def _relaxed_network(
    distribution: Distribution, steepness: float, name: NetworkName, n: int, device: torch.device
) -> RelaxedNetwork:
    return RelaxedNetwork(distribution, steepness, wiring(name, n, device))
