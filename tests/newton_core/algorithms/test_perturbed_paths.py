import pytest
import torch

from newton_core.algorithms import shortest_path
from newton_core.algorithms.oracles.grids import SMALLEST_COST
from newton_core.algorithms.perturbed_paths import (
    draw_noise,
    perturbed_paths,
    perturbed_routes,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("antithetic", [False, True])
def test_paths_are_those_of_the_perturbed_costs(dtype, antithetic):
    costs = torch.rand(3, 4, 5, generator=generator(1), dtype=dtype) + 0.2
    found = perturbed_paths(
        costs, sigma=0.5, samples=6, generator=generator(), antithetic=antithetic, centre=True
    )
    assert found.noise.dtype == found.paths.dtype == dtype
    for s in range(6):
        perturbed = costs.double() + 0.5 * found.noise[:, s].view(3, 4, 5).double()
        expected = shortest_path(perturbed.clamp(min=SMALLEST_COST)).path
        assert torch.equal(found.paths[:, s].view(3, 4, 5).double(), expected)
    assert torch.equal(found.centre.view(3, 4, 5), shortest_path(costs).path)
    assert (costs + 0.5 * found.noise.view(3, 6, 4, 5)[:, 0]).min() < 0, "some costs are clamped"


def test_noise_is_the_generator_s_whatever_else_is_asked_for() -> None:
    costs = torch.rand(3, 4, 5, generator=generator(1)) + 0.2
    options = {"sigma": 0.5, "samples": 4}
    plain = perturbed_paths(costs, **options, generator=generator())
    again = perturbed_paths(costs.double(), **options, generator=generator(), centre=True)
    assert plain.centre is None
    assert torch.equal(plain.noise, again.noise.float())
    assert torch.equal(plain.paths, again.paths.float())
    other = perturbed_paths(costs, **options, generator=generator(2))
    assert not torch.equal(plain.noise, other.noise)


@pytest.mark.parametrize("samples", [1, 2, 3, 10])
def test_antithetic_noise_is_mirrored(samples):
    noise = draw_noise(4, samples, 7, generator(), antithetic=True)
    half = -(-samples // 2)
    assert noise.shape == (4, samples, 7)
    assert torch.equal(noise[:, half:], -noise[:, : samples - half])


def test_routes_are_the_tiles_of_the_sampled_paths_in_order() -> None:
    costs = torch.rand(5, 6, generator=generator(1)) + 0.2
    routes = perturbed_routes(costs, sigma=0.4, samples=7, generator=generator())
    found = perturbed_paths(costs[None], sigma=0.4, samples=7, generator=generator())
    assert len(routes) == 7
    assert len({tuple(route) for route in routes}) > 1
    for route, path in zip(routes, found.paths[0].view(7, 5, 6), strict=True):
        assert route[0] == (0, 0)
        assert route[-1] == (4, 5)
        assert {*route} == {tuple(tile) for tile in path.nonzero().tolist()}
    with pytest.raises(ValueError, match="positive and finite"):
        perturbed_routes(-costs, sigma=0.4, samples=7, generator=generator())
