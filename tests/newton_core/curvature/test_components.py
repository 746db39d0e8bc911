"""Length and direction of a Newton step: their norms and cosines are what they say."""

import math
from itertools import product
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from newton_core.curvature import (
    Component,
    ComponentOf,
    CurvatureError,
    NewtonStep,
    step_component,
    step_sizes,
    turn,
)
from newton_core.losses import Derivatives
from tests.newton_core.curvature.cases import normal, symmetric


def a_step(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Gradients of very different sizes, and the Newton step of an indefinite Hessian."""
    gradient = (normal(6, 3, seed=1) * torch.logspace(-3, 2, 6)[:, None]).to(dtype)
    derivatives = Derivatives(normal(6).to(dtype), gradient, symmetric(6, 3).to(dtype))
    return gradient, NewtonStep("hessian", 0.3, "per_sample").direction(derivatives)


def cosines(a: Tensor, b: Tensor, rows: bool) -> Tensor:
    if not rows:
        a, b = a.reshape(1, -1), b.reshape(1, -1)
    return torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=1, eps=0.0)


def norms(a: Tensor, rows: bool) -> Tensor:
    return torch.linalg.vector_norm(a.double() if rows else a.double().reshape(1, -1), dim=1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("of", get_args(ComponentOf))
def test_the_length_is_newtons_and_the_direction_the_gradients(
    of: ComponentOf, dtype: torch.dtype
) -> None:
    gradient, step = a_step(dtype)
    found = step_component(gradient, step, "length", of)
    rows = of == "sample"
    tolerance = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(norms(found, rows), norms(step, rows), rtol=tolerance, atol=0)
    ones = torch.ones(6 if rows else 1, dtype=torch.float64)
    torch.testing.assert_close(cosines(found, gradient, rows), ones, rtol=tolerance, atol=0)
    assert found.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("of", get_args(ComponentOf))
def test_the_direction_is_newtons_and_the_length_the_gradients(
    of: ComponentOf, dtype: torch.dtype
) -> None:
    gradient, step = a_step(dtype)
    found = step_component(gradient, step, "direction", of)
    rows = of == "sample"
    tolerance = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(norms(found, rows), norms(gradient, rows), rtol=tolerance, atol=0)
    ones = torch.ones(6 if rows else 1, dtype=torch.float64)
    torch.testing.assert_close(cosines(found, step, rows), ones, rtol=tolerance, atol=0)


def test_one_factor_for_the_batch_is_another_thing_than_one_each() -> None:
    gradient, step = a_step()
    whole = step_component(gradient, step, "length", "batch") / gradient
    each = step_component(gradient, step, "length", "sample") / gradient
    assert whole.std().item() < 1e-12 * whole.mean().item()
    assert each.std().item() > 0.1 * each.mean().item()


def test_the_full_step_is_the_step_itself() -> None:
    gradient, step = a_step()
    assert step_component(gradient, step, "full") is step


@pytest.mark.parametrize(
    ("component", "of"), list(product(("length", "direction"), get_args(ComponentOf)))
)
def test_what_is_zero_stays_zero(component: Component, of: ComponentOf) -> None:
    gradient, step = a_step(torch.float32)
    gradient[2], step[2] = 0.0, 0.0
    found = step_component(gradient, step, component, of)
    assert (found[2] == 0).all()
    assert torch.isfinite(found).all()
    nothing = torch.zeros_like(gradient)
    assert (step_component(nothing, nothing, component, of) == 0).all()
    assert (step_component(gradient, nothing, component, of) == 0).all()
    assert (step_component(nothing, step, component, of) == 0).all()


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_squares_of_tiny_and_huge_entries_do_not_matter(size: float) -> None:
    gradient, step = (part.float() for part in a_step())
    small = step_component(gradient, step, "length")
    scaled = step_component(gradient * size, step * size, "length")
    torch.testing.assert_close(scaled / size, small)
    assert turn(gradient * size, step / size) == pytest.approx(turn(gradient, step), rel=1e-5)


@pytest.mark.usefixtures("as_users_run")
def test_what_cannot_be_is_refused() -> None:
    gradient, step = a_step()
    for names, complaint in (
        (("half",), "unknown component 'half'; use one of full, length"),
        (("length", "row"), "unknown component_of 'row'; use one of batch, sample"),
    ):
        unknown: Any = names
        with pytest.raises(ValueError, match=complaint):
            step_component(gradient, step, *unknown)
    with pytest.raises(ValueError, match=r"the gradient's shape, got \(2, 3\) beside \(6, 3\)"):
        step_component(gradient, step[:2], "length")
    with pytest.raises(CurvatureError, match="the gradient of 1 of 6 samples"):
        step_component(gradient.index_fill(0, torch.tensor([4]), math.inf), step, "length")
    with pytest.raises(ValueError, match=r"the gradient's shape, got \(2, 3\) beside \(6, 3\)"):
        turn(gradient, step[:2])


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 0.02, 60.0, 90.0, 179.99, 180.0])
def test_a_turn_is_the_angle_in_degrees(degrees: float) -> None:
    angle = math.radians(degrees)
    u = torch.tensor([[3.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    v = torch.tensor([[math.cos(angle), math.sin(angle)], [0.0, 0.0]], dtype=torch.float64) / 7
    assert turn(u, v) == pytest.approx(degrees, abs=1e-9)
    assert turn(u.float(), v.float()) == pytest.approx(degrees, abs=1e-5)


def test_what_has_no_direction_is_turned_by_no_angle() -> None:
    gradient, _ = a_step()
    assert turn(gradient, gradient) == 0.0
    assert math.isnan(turn(gradient, torch.zeros_like(gradient)))
    assert math.isnan(turn(torch.zeros_like(gradient), torch.zeros_like(gradient)))
    assert math.isnan(turn(gradient, gradient.index_fill(0, torch.tensor([0]), math.nan)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_sizes_of_a_step_are_those_of_float64(dtype: torch.dtype) -> None:
    gradient = normal(7, 5, seed=1).to(dtype)
    direction = normal(5, 7, seed=2).mT.to(dtype)  # by columns
    g, d = gradient.double(), direction.double()
    found = step_sizes(gradient, direction)
    assert found == pytest.approx(
        (
            g.norm(dim=1).mean().item(),
            d.norm(dim=1).mean().item(),
            d.square().sum(1).mean().item(),
            ((g * d).sum() / (g.norm() * d.norm())).item(),
            turn(gradient, direction),
        ),
        rel=1e-12,
    )


@pytest.mark.parametrize("number", [0.0, torch.nan])
def test_a_step_without_a_size_has_no_angle(number: float) -> None:
    found = step_sizes(normal(7, 5), torch.full((7, 5), number))
    assert math.isnan(found.cosine)
    assert math.isnan(found.degrees)
    assert found.length == pytest.approx(number, nan_ok=True)


@pytest.mark.usefixtures("as_users_run")
def test_sizes_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"has the gradient's shape, got \(1, 2\) beside \(4, 5\)"):
        step_sizes(normal(4, 5), normal(1, 2))
    with pytest.raises(ValueError, match="one row per sample"):
        step_sizes(torch.zeros(3), torch.zeros(3))


def test_the_cosine_of_a_step_with_itself_is_one() -> None:
    for seed in range(20):
        gradient = normal(7, 5, seed=seed)
        assert step_sizes(gradient, gradient).cosine <= 1.0
