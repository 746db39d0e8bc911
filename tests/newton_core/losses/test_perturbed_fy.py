import math

import pytest
import torch

from newton_core.algorithms import perturbed_paths as perturbed_paths_module
from newton_core.algorithms.oracles import ShortestPathOracle
from newton_core.algorithms.perturbed_paths import draw_noise
from newton_core.landscape.grid import Grid
from newton_core.landscape.outputs import OutputPlane, output_landscape
from tests.newton_core.algorithms.grid_references import all_paths
from tests.newton_core.losses.checks import LossCase, family_test
from tests.newton_core.losses.path_cases import TwoRoutes, assert_mean, draw_grids, seeded_loss

test_family = family_test(
    [
        LossCase("perturbed_fy", draw_grids(3, 4), stochastic=True),
        LossCase(
            "perturbed_fy",
            draw_grids(4, 3),
            parameters={"samples": 3, "antithetic": True},
            stochastic=True,
        ),
    ]
)


def grids(samples=4, seed=3):
    """Costs well above the noise, so that nothing is clamped, and a centre to be avoided or not."""
    y, target = draw_grids(3, 3)(samples, torch.Generator().manual_seed(seed))
    y = y / 2 + 2
    y[:, 1, 1] += 3
    return y, target


def test_value_is_that_of_all_paths_and_gradient_its_finite_difference() -> None:
    y, target = grids()
    paths = all_paths(3, 3).flatten(1)
    noise = draw_noise(4, 7, 9, torch.Generator().manual_seed(0)).double()

    def value(costs):
        totals = torch.einsum("nsm,pm->nsp", costs[:, None] + 0.3 * noise, paths)
        cheapest = totals.min(dim=2).values.mean(dim=1)
        return (costs * target.flatten(1)).sum(dim=1) - cheapest

    found = seeded_loss("perturbed_fy", sigma=0.3, samples=7).derivatives(y, target)
    flat, step = y.flatten(1), 1e-6
    torch.testing.assert_close(found.value, value(flat))
    for j in range(9):
        shift = step * torch.eye(9)[j].double()
        slope = (value(flat + shift) - value(flat - shift)) / (2 * step)
        torch.testing.assert_close(found.gradient[:, j], slope, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("sample", [None, 0, 2])
@pytest.mark.parametrize("kind", ["coordinates", "newton"])
def test_a_slice_has_one_noise_so_that_its_quadratic_touches_it(sample, kind):
    y, target = grids()
    loss = seeded_loss("perturbed_fy", sigma=0.3, samples=7)
    cut = output_landscape(
        loss, y, target, sample=sample, plane=OutputPlane(kind=kind, first=4, second=8),
        grid=Grid(points=5, span=1e-5),
    )  # fmt: skip
    across = (cut.loss[2, 3] - cut.loss[2, 1]) / 1e-5
    up = (cut.loss[3, 2] - cut.loss[1, 2]) / 1e-5
    slopes = torch.stack([across, up])
    assert slopes.norm() > 1e-2
    torch.testing.assert_close(slopes, cut.gradient.components, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(cut.surrogates[0].values, cut.loss, rtol=1e-7, atol=1e-8)


def test_hessian_is_the_symmetric_part_of_the_sum_over_samples() -> None:
    y, target = grids()
    loss = seeded_loss("perturbed_fy", sigma=0.3, samples=6)
    found = loss.derivatives(y, target)
    samples = perturbed_paths_module.perturbed_paths(
        y, sigma=0.3, samples=6, generator=torch.Generator().manual_seed(0), centre=True
    )
    for i in range(4):
        jacobian = sum(
            torch.outer(path - samples.centre[i], eps) / 0.3 / 6
            for path, eps in zip(samples.paths[i], samples.noise[i], strict=True)
        )
        torch.testing.assert_close(found.hessian[i], -(jacobian + jacobian.T) / 2)


@pytest.mark.parametrize("antithetic", [False, True])
@pytest.mark.parametrize("samples", [1, 3, 10])
def test_is_unbiased_for_any_number_of_samples(samples, antithetic):
    case = TwoRoutes
    y, target = case.batch(40_000)
    loss = seeded_loss("perturbed_fy", sigma=case.sigma, samples=samples, antithetic=antithetic)
    found = loss.derivatives(y, target)
    # E min(a, b) of two normals whose difference has mean -gap and deviation spread
    z = case.gap / case.spread
    cheapest = 3 + case.gap * (1 - case.wrong) - case.spread * case.density
    assert cheapest < 3
    assert z == pytest.approx(0.4 / 0.5 / math.sqrt(2))
    assert_mean(found.value, 3 + case.gap - cheapest)
    assert_mean(found.gradient, case.wrong * case.along)
    assert_mean(found.hessian, case.slope * torch.outer(case.along, case.along))


def test_is_convex_with_the_noise_fixed() -> None:
    a, target = grids(50)
    b, _ = grids(50, seed=4)
    values = []
    for y in (a, (a + b) / 2, b):
        loss = seeded_loss("perturbed_fy", sigma=0.3, samples=3)
        values.append(loss(y, target))
    assert (values[1] <= (values[0] + values[2]) / 2 + 1e-12).all()


def test_hessian_of_many_samples_is_positive_semidefinite_up_to_its_noise() -> None:
    y, target = grids()
    few = seeded_loss("perturbed_fy", sigma=0.5, samples=3).derivatives(y, target).hessian
    loss = seeded_loss("perturbed_fy", sigma=0.5, samples=1000)
    many = torch.stack([loss.derivatives(y, target).hessian for _ in range(30)]).mean(dim=0)
    worst = torch.linalg.eigvalsh(few).amin()
    eigenvalues = torch.linalg.eigvalsh(many)
    assert worst < -0.1
    assert eigenvalues.amin() > -0.02
    assert eigenvalues.amax() > 0.2


def test_a_plain_gradient_does_without_the_unperturbed_paths(monkeypatch):
    """What only the Hessian needs is not paid for without it."""
    y, target = grids()
    solved = []
    solve = ShortestPathOracle.solve

    def counted(oracle, costs):
        solved.append(len(costs))
        return solve(oracle, costs)

    monkeypatch.setattr(ShortestPathOracle, "solve", counted)
    for hessian in (False, True):
        seeded_loss("perturbed_fy", samples=5).derivatives(y, target, hessian=hessian)
    assert solved == [20, 24]
