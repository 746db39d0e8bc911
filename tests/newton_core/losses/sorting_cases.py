"""What the tests of the sorting losses share: cases, draws, and the table of references."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from newton_core import build_loss, permutation_matrix
from newton_core.losses import Derivatives, Loss, autodiff_derivatives
from tests.newton_core.losses.checks import Draw, LossCase
from tests.newton_core.losses.sorting_reference import (
    Reference,
    bce_reference,
    network_permutation,
    network_reference,
    softmax_permutation,
    softmax_reference,
)

SOFTMAX = ("neuralsort", "softsort")
NETWORKS = ("logistic_dsn", "cauchy_dsn", "gaussian_dsn", "reciprocal_dsn", "optimal_dsn")
SORTING = (*SOFTMAX, *NETWORKS)


def sorting_loss(name: str, temperature: float = 1.0, **parameters: Any) -> Loss:
    """A sorting loss at one temperature, whatever its parameter is called."""
    if name in NETWORKS:
        return build_loss(name, inverse_temperature=1 / temperature, **parameters)
    return build_loss(name, temperature=temperature, **parameters)


def draw_sorting(
    samples: int, n: int, seed: int = 0, spread: float = 1.0, noise: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Scores of the given spread, and the order of the same scores under noise."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randn(samples, n, generator=generator, dtype=torch.float64)
    other = torch.randn(samples, n, generator=generator, dtype=torch.float64)
    return spread * y, permutation_matrix(y + noise * other)


def family_cases(name: str, equivariant: bool) -> Iterator[LossCase]:
    """A case of the shared checker for either numerics."""

    def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        y = torch.randn(samples, 4, generator=generator, dtype=torch.float64)
        return y, permutation_matrix(torch.randn(samples, 4, generator=generator))

    def best(y: Tensor, target: Tensor | None) -> Tensor:
        """Far apart in the true order: the infimum lies at infinity."""
        assert target is not None
        ranks = torch.arange(y.shape[1], dtype=y.dtype).expand_as(y)
        return 1e4 * (target.to(y.dtype).mT @ ranks.unsqueeze(2)).squeeze(2)

    ordinary: Draw = draw
    for numerics in ("log_domain", "bce_loss"):
        yield LossCase(
            name,
            draw=ordinary,
            best=best,
            parameters={"numerics": numerics, **_unit_temperature(name)},
            slack=1e-3,
            equivariant=equivariant,
        )


def _unit_temperature(name: str) -> dict[str, float]:
    return {"inverse_temperature" if name in NETWORKS else "temperature": 1.0}


@dataclass(frozen=True)
class TableCase:
    """One line of the table that fast derivatives are compared on."""

    name: str
    n: int
    temperature: float
    network: Any = None

    @property
    def id(self) -> str:
        return "-".join(str(part) for part in (self.name, self.n, self.temperature, self.network))

    @property
    def parameters(self) -> dict[str, Any]:
        return {} if self.network is None else {"network": self.network}

    def log_reference(self) -> Reference:
        if self.network is None:
            return softmax_reference(self.name, self.temperature)
        return network_reference(self.name, 1 / self.temperature, self.network)

    def bce_reference(self) -> Reference:
        if self.network is None:
            return bce_reference(softmax_permutation(self.name, self.temperature))
        return bce_reference(network_permutation(self.name, 1 / self.temperature, self.network))


def assert_derivatives(
    actual: Derivatives, expected: Derivatives, temperature: float, tolerance: float
) -> None:
    """Each within ``tolerance`` of its largest expected entry, or of its natural size.

    The natural size of a k-th derivative is temperature^-k; far below it a saturated reference is
    no more than rounding.
    """
    assert expected.hessian is not None
    assert actual.hessian is not None
    for order, (got, want) in enumerate(
        (
            (actual.value, expected.value),
            (actual.gradient, expected.gradient),
            (actual.hessian, expected.hessian),
        )
    ):
        size = max(want.abs().max().item(), 1e-2 * temperature**-order)
        error = (got.double() - want).abs().max().item()
        assert error <= tolerance * size, (
            f"derivative {order} off by {error:.3g} at size {size:.3g}"
        )


def compare_with(
    reference: Reference, loss: Loss, y: Tensor, target: Tensor, **kwargs: Any
) -> None:
    """The loss's derivatives against automatic differentiation of a reference."""
    assert_derivatives(
        loss.derivatives(y, target), autodiff_derivatives(reference, y, target), **kwargs
    )
