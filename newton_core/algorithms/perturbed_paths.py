"""Answers of an oracle under Gaussian noise on the costs, from which smoothed losses are made."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.oracles import Oracle, ShortestPathOracle
from newton_core.algorithms.shortest_path import check_costs, order_tiles


@dataclass(frozen=True)
class PerturbedPaths:
    """S noise samples for each sample's m costs, and the oracle's answers: paths, on a grid.

    Attributes:
        noise: (N, S, m) standard normal, in the dtype and on the device of the costs.
        paths: (N, S, m) the answers under ``costs + sigma * noise``.
        centre: (N, m) the answers without noise, or None if they were not requested.
    """

    noise: Float[Tensor, "N S m"]
    paths: Float[Tensor, "N S m"]
    centre: Float[Tensor, "N m"] | None = None


def draw_noise(
    count: int, samples: int, tiles: int, generator: torch.Generator, *, antithetic: bool = False
) -> Float[Tensor, "N S m"]:
    """Standard normal noise (N, S, m) in float32 on the CPU, the same for every device and dtype.

    With ``antithetic``, the second half of the samples is minus the first half, so errors that are
    odd in the noise cancel. If the number is odd, one sample has no mirror image. Each sample is
    standard normal in both cases, so expectations do not change.
    """
    independent = independent_samples(samples, antithetic=antithetic)
    noise = torch.randn(count, independent, tiles, generator=generator)
    if not antithetic:
        return noise
    return torch.cat((noise, -noise[:, : samples - independent]), dim=1)


def independent_samples(samples: int, *, antithetic: bool) -> int:
    """Number of samples that are drawn; the others are their mirror images, in the same order."""
    return -(-samples // 2) if antithetic else samples


def perturbed_paths(
    costs: Float[Tensor, "N ..."],
    *,
    sigma: float,
    samples: int,
    generator: torch.Generator,
    antithetic: bool = False,
    centre: bool = False,
    oracle: Oracle | None = None,
) -> PerturbedPaths:
    """The oracle's answers at ``costs + sigma * noise`` for S = ``samples`` draws of the noise.

    Args:
        costs: (N, *S) costs that the oracle takes.
        sigma: standard deviation of the noise, in units of the costs.
        samples: S, the number of draws for each grid.
        generator: CPU generator that the noise is drawn from.
        antithetic: draw half of the noise and mirror it, see :func:`draw_noise`.
        centre: whether to solve without noise as well.
        oracle: None: shortest paths.

    Raises:
        OracleError: an answer is not of the oracle's set.
    """
    oracle = ShortestPathOracle() if oracle is None else oracle
    N, m = len(costs), math.prod(costs.shape[1:])
    noise = draw_noise(N, samples, m, generator, antithetic=antithetic)
    exact = costs.detach().cpu().double().reshape(N, 1, m)
    perturbed = torch.add(exact, noise, alpha=sigma)
    if centre:
        perturbed = torch.cat((exact, perturbed), dim=1)
    solved = oracle.answer(oracle.admit(perturbed).view(-1, *costs.shape[1:]))
    paths = solved.reshape(N, samples + centre, m).to(costs.device, costs.dtype)
    return PerturbedPaths(
        noise=noise.to(costs.device, costs.dtype),
        paths=paths[:, 1:] if centre else paths,
        centre=paths[:, 0] if centre else None,
    )


def perturbed_routes(
    costs: Float[Tensor, "h w"],
    *,
    sigma: float,
    samples: int,
    generator: torch.Generator,
    antithetic: bool = False,
) -> list[list[tuple[int, int]]]:
    """The tiles, in order, of the cheapest path of each noise sample of one grid.

    Raises:
        ValueError: a cost is not positive or not finite.
    """
    check_costs(costs[None])
    found = perturbed_paths(
        costs[None], sigma=sigma, samples=samples, generator=generator, antithetic=antithetic
    )
    paths = found.paths[0].view(samples, *costs.shape).cpu().numpy()
    return [order_tiles(path) for path in paths]
