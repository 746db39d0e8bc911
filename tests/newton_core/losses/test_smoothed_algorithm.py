import pytest
import torch
from pydantic import ValidationError

from newton_core.algorithms.perturbed_paths import perturbed_paths
from tests.newton_core.algorithms.grid_references import heap_path
from tests.newton_core.losses.checks import LossCase, family_test
from tests.newton_core.losses.path_cases import (
    TwoRoutes,
    assert_mean,
    assert_other_mean,
    draw_grids,
    seeded_loss,
)

test_family = family_test(
    [
        LossCase("smoothed_algorithm", draw_grids(3, 4), stochastic=True),
        LossCase(
            "smoothed_algorithm",
            draw_grids(4, 3),
            parameters={"hessian": "gauss_newton", "samples": 3},
            stochastic=True,
            positive_semidefinite=True,
        ),
        LossCase(
            "smoothed_algorithm",
            draw_grids(3, 3),
            parameters={"split_samples": True, "antithetic": True, "samples": 5},
            stochastic=True,
        ),
    ]
)


@pytest.mark.parametrize("split_samples", [False, True])
@pytest.mark.parametrize("antithetic", [False, True])
def test_equals_the_sums_over_pairs_of_samples(split_samples, antithetic):
    y, target = draw_grids(3, 4)(2, torch.Generator().manual_seed(0))
    drawing = {"sigma": 0.4, "samples": 5, "antithetic": antithetic}
    loss = seeded_loss("smoothed_algorithm", split_samples=split_samples, **drawing)
    found = loss.derivatives(y, target)
    noise = perturbed_paths(y, generator=torch.Generator().manual_seed(0), **drawing).noise
    draws = [0, 1, 2, 0, 1] if antithetic else [0, 1, 2, 3, 4]  # a mirror image is the same draw
    pairs = [
        (s, t) for s in range(5) for t in range(5) if not split_samples or draws[s] != draws[t]
    ]
    eye = torch.eye(12).double()
    for i in range(2):
        paths = [
            heap_path((y[i] + 0.4 * e.view(3, 4)).clamp(min=1e-6))[0].flatten() for e in noise[i]
        ]
        centre, true = heap_path(y[i])[0].flatten(), target[i].flatten()
        value, gradient, newton, rest = 0.0, 0.0 * true, 0.0 * eye, 0.0 * eye
        for s, t in pairs:
            jacobian_s = torch.outer(paths[s] - centre, noise[i, s]) / 0.4
            jacobian_t = torch.outer(paths[t] - centre, noise[i, t]) / 0.4
            value += (paths[s] - true) @ (paths[t] - true) / len(pairs)
            gradient += 2 * jacobian_s.T @ (paths[t] - true) / len(pairs)
            newton += (jacobian_s.T @ jacobian_t + jacobian_t.T @ jacobian_s) / len(pairs)
            second = (torch.outer(noise[i, s], noise[i, s]) - eye) / 0.4**2
            rest += 2 * ((paths[s] - centre) @ (paths[t] - true)) * second / len(pairs)
        torch.testing.assert_close(found.value[i], value)
        torch.testing.assert_close(found.gradient[i], gradient)
        torch.testing.assert_close(found.hessian[i], newton + rest)
        part = seeded_loss(
            "smoothed_algorithm", hessian="gauss_newton", split_samples=split_samples, **drawing
        )
        torch.testing.assert_close(part.derivatives(y, target).hessian[i], newton)


def closed_form():
    """Value, gradient and Hessian of 2 p^2, p the probability of the wrong route."""
    case = TwoRoutes
    outer = torch.outer(case.along, case.along)
    newton = 4 * case.slope**2 * outer
    return (
        2 * case.wrong**2,
        4 * case.wrong * case.slope * case.along,
        newton,
        newton + 4 * case.wrong * case.bend * outer,
    )


@pytest.mark.parametrize(("samples", "antithetic"), [(2, False), (3, False), (3, True), (8, True)])
def test_split_samples_are_unbiased(samples, antithetic):
    y, target = TwoRoutes.batch(60_000)
    drawing = {
        "sigma": TwoRoutes.sigma,
        "samples": samples,
        "antithetic": antithetic,
        "split_samples": True,
    }
    value, gradient, newton, full = closed_form()
    found = seeded_loss("smoothed_algorithm", **drawing).derivatives(y, target)
    assert_mean(found.value, value)
    assert_mean(found.gradient, gradient)
    assert_mean(found.hessian, full)
    part = seeded_loss("smoothed_algorithm", hessian="gauss_newton", **drawing)
    assert_mean(part.derivatives(y, target).hessian, newton)


def test_few_samples_are_biased_as_documented() -> None:
    """The value is too large by the variance of the mean path, 2 p (1 - p) / S."""
    y, target = TwoRoutes.batch(60_000)
    value, gradient, _, full = closed_form()
    p = TwoRoutes.wrong
    for samples in (3, 10):
        loss = seeded_loss("smoothed_algorithm", sigma=TwoRoutes.sigma, samples=samples)
        found = loss.derivatives(y, target)
        assert_mean(found.value, value + 2 * p * (1 - p) / samples)
        assert_other_mean(found.value, value)
        assert_other_mean(found.gradient, gradient)
        assert_other_mean(found.hessian, full)


def test_many_samples_tend_to_the_closed_form() -> None:
    """Biases of order 1/200 hide in the noise of 400 copies."""
    y, target = TwoRoutes.batch(400)
    value, gradient, _, full = closed_form()
    found = seeded_loss("smoothed_algorithm", sigma=TwoRoutes.sigma, samples=200).derivatives(
        y, target
    )
    assert_mean(found.value, value)
    assert_mean(found.gradient, gradient)
    assert_mean(found.hessian, full)
    assert found.gradient.std(dim=0).max() / 20 < abs(gradient[1]) / 50


@pytest.mark.parametrize(
    ("parameters", "needed"), [({"samples": 1}, 2), ({"samples": 2, "antithetic": True}, 3)]
)
def test_refuses_to_split_a_single_sample(parameters, needed):
    with pytest.raises(ValidationError, match=f"samples of at least {needed}, got"):
        seeded_loss("smoothed_algorithm", split_samples=True, **parameters)
