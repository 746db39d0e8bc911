import pytest
import torch

from newton_core.algorithms.perturbed_paths import perturbed_paths
from tests.newton_core.algorithms.grid_references import heap_path
from tests.newton_core.losses.checks import LossCase, family_test
from tests.newton_core.losses.path_cases import TwoRoutes, assert_mean, draw_grids, seeded_loss

test_family = family_test(
    [
        LossCase("smoothed_loss", draw_grids(3, 4), stochastic=True),
        LossCase(
            "smoothed_loss",
            draw_grids(4, 3),
            parameters={"samples": 3, "sigma": 0.1, "antithetic": True},
            stochastic=True,
        ),
    ]
)


@pytest.mark.parametrize("antithetic", [False, True])
def test_equals_the_sums_over_samples(antithetic):
    y, target = draw_grids(3, 4)(3, torch.Generator().manual_seed(0))
    parameters = {"sigma": 0.4, "samples": 5, "antithetic": antithetic}
    derivatives = seeded_loss("smoothed_loss", **parameters).derivatives(y, target)
    noise = perturbed_paths(y, generator=torch.Generator().manual_seed(0), **parameters).noise
    for i in range(3):
        value, gradient = 0.0, torch.zeros(12).double()
        hessian = torch.zeros(12, 12).double()
        baseline = (heap_path(y[i])[0] - target[i]).abs().sum()
        for eps in noise[i]:
            path, _ = heap_path((y[i] + 0.4 * eps.view(3, 4)).clamp(min=1e-6))
            wrong = (path - target[i]).abs().sum()
            value += wrong / 5
            gradient += (wrong - baseline) * eps / 0.4 / 5
            outer = torch.outer(eps, eps) - torch.eye(12)
            hessian += (wrong - baseline) * outer / 0.4**2 / 5
        torch.testing.assert_close(derivatives.value[i], value)
        torch.testing.assert_close(derivatives.gradient[i], gradient)
        torch.testing.assert_close(derivatives.hessian[i], hessian)


@pytest.mark.parametrize("antithetic", [False, True])
@pytest.mark.parametrize("samples", [1, 3, 10])
def test_is_unbiased_for_any_number_of_samples(samples, antithetic):
    case = TwoRoutes
    y, target = case.batch(40_000)
    loss = seeded_loss("smoothed_loss", sigma=case.sigma, samples=samples, antithetic=antithetic)
    found = loss.derivatives(y, target)
    assert_mean(found.value, 2 * case.wrong)
    assert_mean(found.gradient, 2 * case.slope * case.along)
    assert_mean(found.hessian, 2 * case.bend * torch.outer(case.along, case.along))
