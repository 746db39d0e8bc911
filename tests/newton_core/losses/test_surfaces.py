from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from newton_core import build_loss, newton_target
from newton_core.algorithms.expressions import parse_formula
from newton_core.losses import Surface
from newton_core.losses.base import LOSSES
from tests.newton_core.losses.checks import LossCase, family_test

NAMES = [
    "rosenbrock",
    "himmelblau",
    "beale",
    "saddle",
    "monkey_saddle",
    "rastrigin",
    "styblinski_tang",
]
LEAST = {"styblinski_tang": -78.33233140754282}


def surface(name: str) -> Surface:
    built = build_loss(name)
    assert isinstance(built, Surface)
    return built


def draw(name: str, samples: int, generator: torch.Generator) -> tuple[Tensor, None]:
    (low_u, high_u), (low_v, high_v) = surface(name).domain
    low = torch.tensor([low_u, low_v], dtype=torch.float64)
    high = torch.tensor([high_u, high_v], dtype=torch.float64)
    return low + (high - low) * torch.rand(samples, 2, generator=generator, dtype=low.dtype), None


def best(name: str) -> Callable[[Tensor, Tensor | None], Tensor] | None:
    minima = surface(name).minima
    if not minima:
        return None
    return lambda y, target: torch.tensor(minima, dtype=torch.float64)[
        torch.arange(len(y)) % len(minima)
    ]


test_family = family_test(
    [LossCase(name, draw=partial(draw, name), best=best(name)) for name in NAMES]
)


@pytest.mark.parametrize("name", NAMES)
def test_the_description_begins_with_the_formula_as_the_page_takes_it(name: str) -> None:
    formula, colon, words = (surface(name).__doc__ or "").partition(":")
    assert colon
    assert words.strip()
    points, _ = draw(name, 50, torch.Generator().manual_seed(0))
    torch.testing.assert_close(parse_formula(formula)(*points.T), surface(name)(points))


def test_every_surface_is_tested() -> None:
    losses = [loss for loss in LOSSES.names() if issubclass(LOSSES.get(loss), Surface)]
    assert sorted(losses) == sorted(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if surface(name).minima])
def test_minima_are_global_to_the_last_digit(name: str) -> None:
    loss = surface(name)
    points = torch.tensor(loss.minima, dtype=torch.float64)
    at = loss.derivatives(points)
    torch.testing.assert_close(at.value, torch.full_like(at.value, LEAST.get(name, 0.0)))
    assert at.gradient.abs().max() < 1e-12
    (low_u, high_u), (low_v, high_v) = loss.domain
    grid = torch.cartesian_prod(
        torch.linspace(low_u, high_u, 201), torch.linspace(low_v, high_v, 201)
    )
    assert loss(grid).min() >= at.value.min() - 1e-9


@pytest.mark.parametrize("name", [name for name in NAMES if surface(name).minima])
def test_newton_steps_settle_in_each_minimum(name: str) -> None:
    loss = surface(name)
    minima = torch.tensor(loss.minima, dtype=torch.float64)
    y = minima + 0.02
    for _ in range(20):
        y = newton_target(
            loss, y, curvature="hessian", hessian="per_sample", tikhonov=1e-9, definiteness="clip"
        )
    torch.testing.assert_close(y, minima, rtol=0, atol=1e-8)


def test_raw_newton_walks_up_the_saddle_and_saddle_free_leaves_it() -> None:
    y = torch.tensor([[1.0, 0.5]]).double()
    step = partial(newton_target, surface("saddle"), y, curvature="hessian", tikhonov=1e-9)
    torch.testing.assert_close(step(), torch.zeros_like(y), rtol=0, atol=1e-8)
    torch.testing.assert_close(
        step(definiteness="saddle_free"), torch.tensor([[0.0, 1.0]]).double(), rtol=0, atol=1e-8
    )


@pytest.mark.usefixtures("as_users_run")
def test_refuses_points_that_are_not_in_the_plane() -> None:
    with pytest.raises(ValueError, match=r"points of shape \(N, 2\), got \(4, 3\)"):
        surface("rosenbrock").derivatives(torch.zeros(4, 3))
