"""Grids for the tests of the losses on shortest paths."""

import math

import torch
from torch import Tensor

from newton_core.algorithms import shortest_path
from newton_core.losses import Loss, build_loss


def seeded_loss(name: str, *, seed: int = 0, **parameters: object) -> Loss:
    """A loss on perturbed paths whose noise is known."""
    return build_loss(name, generator=torch.Generator().manual_seed(seed), **parameters)


def draw_grids(height: int, width: int):
    """A draw of costs in [0.5, 2.5) and of the cheapest paths under other costs."""

    def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        size = (samples, height, width)
        costs = 0.5 + 2 * torch.rand(size, generator=generator, dtype=torch.float64)
        other = 0.5 + 2 * torch.rand(size, generator=generator, dtype=torch.float64)
        return costs, shortest_path(other).path

    return draw


class TwoRoutes:
    """The 2 x 3 grid, where everything about the perturbed path has a closed form.

    A cheapest path takes either the tile (0, 1) or the tile (1, 1) between the corners; under
    noise, the second with probability Phi(gap / (sigma sqrt 2)), gap = y_01 - y_11. The true path
    takes the first.
    """

    gap, sigma = 0.4, 0.5
    costs = torch.tensor([[[3.0, 3.0 + gap, 3.0], [3.0, 3.0, 3.0]]], dtype=torch.float64)
    target = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]], dtype=torch.float64)
    spread = sigma * math.sqrt(2)
    density = math.exp(-((gap / spread) ** 2) / 2) / math.sqrt(2 * math.pi)
    wrong = 0.5 * (1 + math.erf(gap / spread / math.sqrt(2)))
    slope = density / spread  # of the probability of the wrong route, in the gap
    bend = -gap / spread**3 * density
    along = torch.tensor([0.0, 1.0, 0.0, 0.0, -1.0, 0.0], dtype=torch.float64)  # d gap / d y

    @classmethod
    def batch(cls, copies: int) -> tuple[Tensor, Tensor]:
        return cls.costs.expand(copies, 2, 3), cls.target.expand(copies, 2, 3)


def assert_mean(estimates: Tensor, expected: Tensor | float, *, deviations: float = 4.5) -> None:
    """The mean over the first axis is the expected one, within its standard error."""
    error = estimates.std(dim=0) / len(estimates) ** 0.5
    off = (estimates.mean(dim=0) - expected).abs()
    assert (off <= deviations * error + 1e-12).all(), (off / error).max()


def assert_other_mean(estimates: Tensor, expected: Tensor | float) -> None:
    """The mean over the first axis is clearly not the one given."""
    error = estimates.std(dim=0) / len(estimates) ** 0.5
    assert ((estimates.mean(dim=0) - expected).abs() > 6 * error).any()
