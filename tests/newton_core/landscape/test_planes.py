"""Planes: filter normalisation by its definition, principal planes, projections, residuals."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from newton_core.landscape import (
    ParameterPlane,
    PlaneError,
    coordinate_plane,
    descent_plane,
    filter_normalised_plane,
    fitting_spans,
    model_weights,
    principal_plane,
    project,
)


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4), nn.ReLU(),
        nn.Linear(4, 1),
    )  # fmt: skip


def flat(weights: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([value.double().flatten() for value in weights.values()])


def random_weights(count: int, seed: int = 0) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            "w": torch.randn(3, 4, generator=generator, dtype=torch.float64),
            "b": torch.randn(5, generator=generator, dtype=torch.float64),
        }
        for _ in range(count)
    ]


def test_filter_normalisation_is_the_definition() -> None:
    weights = model_weights(network())
    plane = filter_normalised_plane(weights, seed=5)
    for direction in (plane.first, plane.second):
        for name, value in weights.items():
            if value.dim() <= 1:
                assert not direction[name].any(), f"{name}: biases and norms stay"
                continue
            for own, moved in zip(value, direction[name], strict=True):
                torch.testing.assert_close(moved.norm(), own.norm())
    assert (
        abs(torch.nn.functional.cosine_similarity(flat(plane.first), flat(plane.second), 0)) < 0.5
    )


def test_filter_directions_are_gaussian_before_they_are_scaled() -> None:
    weights = {"w": torch.ones(1, 20_000)}
    plane = filter_normalised_plane(weights, seed=0)
    unit = plane.first["w"] / plane.first["w"].std()
    assert abs(unit.mean().item()) < 0.03
    assert (unit.abs() < 1).double().mean().item() == pytest.approx(0.6827, abs=0.02)


def test_the_seed_fixes_the_directions() -> None:
    weights = model_weights(network())
    same, again, other = (filter_normalised_plane(weights, seed) for seed in (1, 1, 2))
    assert torch.equal(flat(same.first), flat(again.first))
    assert not torch.allclose(flat(same.first), flat(other.first))
    assert not torch.allclose(flat(same.first), flat(same.second))


def test_a_zero_filter_stays_zero() -> None:
    weights = {"w": torch.cat([torch.zeros(1, 4), torch.ones(1, 4)])}
    plane = filter_normalised_plane(weights, seed=0)
    assert not plane.first["w"][0].any()
    torch.testing.assert_close(plane.first["w"][1].norm(), torch.tensor(2.0))


def test_biases_alone_have_no_filters() -> None:
    with pytest.raises(PlaneError, match="two dimensions"):
        filter_normalised_plane({"b": torch.ones(3)}, seed=0)


def test_descent_goes_downhill_with_filters_of_the_weights_lengths() -> None:
    weights = {"w": torch.tensor([[3.0, 4.0], [0.0, 1.0]]), "b": torch.ones(2)}
    gradient = {"w": torch.tensor([[0.0, 2.0], [0.0, 0.0]]), "b": torch.ones(2)}
    plane = descent_plane(weights, gradient, seed=0)
    assert plane.kind == "descent"
    torch.testing.assert_close(plane.first["w"], torch.tensor([[0.0, -5.0], [0.0, 0.0]]))
    assert not plane.first["b"].any()


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_descent_without_a_gradient_is_the_gaussian_plane(value: float) -> None:
    weights = model_weights(network())
    gradient = {name: torch.full_like(weight, value) for name, weight in weights.items()}
    plane = descent_plane(weights, gradient, seed=4)
    expected = filter_normalised_plane(weights, seed=4)
    assert plane.kind == "filter_normalised"
    assert torch.equal(flat(plane.first), flat(expected.first))


def test_the_coordinate_plane_is_all_of_a_model_of_two_weights() -> None:
    plane = coordinate_plane({"x": torch.tensor([5.0]), "y": torch.tensor(7.0)})
    seen = project(plane, [{"x": torch.tensor([2.0]), "y": torch.tensor(-3.0)}])
    assert seen.coordinates.tolist() == [[2.0, -3.0]]
    assert seen.total_residual == 0
    with pytest.raises(PlaneError, match="3"):
        coordinate_plane({"x": torch.ones(3)})


def test_principal_plane_is_the_leading_part_of_an_svd() -> None:
    points = random_weights(7)
    plane = principal_plane(points)
    matrix = torch.stack([flat(point) for point in points])
    centred = matrix - matrix.mean(0)
    _, sizes, rows = torch.linalg.svd(centred, full_matrices=False)
    first, second = flat(plane.first), flat(plane.second)
    torch.testing.assert_close((first @ rows[0]).abs(), torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close((second @ rows[1]).abs(), torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(flat(plane.origin), matrix.mean(0))
    variance = sizes.square()
    assert plane.explained == pytest.approx((variance[:2].sum() / variance.sum()).item())
    coordinates = centred @ torch.stack([first, second]).T
    for column in coordinates.T:
        assert column[column.abs().argmax()] > 0, "the sign is fixed"


def test_principal_plane_contains_the_projection_of_its_trajectory() -> None:
    points = random_weights(6, seed=2)
    plane = principal_plane(points)
    seen = project(plane, points)
    basis = torch.stack([flat(plane.first), flat(plane.second)])
    shadows = flat(plane.origin) + seen.coordinates @ basis
    rest = torch.stack([flat(point) for point in points]) - shadows
    torch.testing.assert_close(rest @ basis.T, torch.zeros(6, 2, dtype=torch.float64))
    torch.testing.assert_close(rest.norm(dim=1), seen.distance)
    assert 1 - seen.total_residual**2 == pytest.approx(plane.explained)


def test_the_plane_of_three_arms_goes_through_all_of_them() -> None:
    points = random_weights(3, seed=8)
    seen = project(principal_plane(points, "arms"), points)
    assert seen.distance.max() < 1e-12


def test_a_plane_of_large_weights_in_float32_is_exact_to_rounding() -> None:
    points = [{"w": p["w"].float() + 100} for p in random_weights(3, seed=1)]
    seen = project(principal_plane(points), points)
    assert seen.total_residual < 1e-4


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_points_fix_no_plane(count: int) -> None:
    with pytest.raises(PlaneError, match="three points"):
        principal_plane(random_weights(count))


def test_points_on_a_line_fix_no_plane() -> None:
    start, end = random_weights(2)
    line = [{k: (start[k] + t * (end[k] - start[k])).float() for k in start} for t in (0, 0.3, 1)]
    with pytest.raises(PlaneError, match="one line"):
        principal_plane(line)
    with pytest.raises(PlaneError, match="one line"):
        principal_plane([start] * 4)


def test_points_that_are_not_finite_fix_no_plane() -> None:
    points = random_weights(4)
    points[2]["b"][0] = math.inf
    with pytest.raises(PlaneError, match="infinite"):
        principal_plane(points)


def test_residual_of_a_constructed_case() -> None:
    def point(x: float, y: float, z: float) -> dict[str, Tensor]:
        return {"w": torch.tensor([[x, y]]), "b": torch.tensor([z])}

    # Skewed, stretched directions of the plane z = 1: coordinates are theirs, lengths the space's.
    plane = ParameterPlane("arms", point(0, 0, 1), point(2, 0, 0), point(1, 1, 0))
    seen = project(plane, [point(0, 0, 1), point(3, 3, 1), point(4, 0, 4)])
    expected = torch.tensor([[0.0, 0.0], [0.0, 3.0], [2.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(seen.coordinates, expected)
    assert seen.distance.tolist() == pytest.approx([0, 0, 3])
    assert seen.residual.tolist() == pytest.approx([0, 0, 3 / 5])
    assert seen.total_residual == pytest.approx(3 / math.sqrt(18 + 25))


def test_projection_on_a_line_has_coordinate_zero_along_nothing() -> None:
    start, end = random_weights(2)
    first = {k: end[k] - start[k] for k in start}
    nothing = {k: torch.zeros_like(start[k]) for k in start}
    seen = project(ParameterPlane("line", start, first, nothing), [end])
    torch.testing.assert_close(seen.coordinates, torch.tensor([[1.0, 0.0]], dtype=torch.float64))


def test_spans_show_all_points_with_a_margin() -> None:
    points = random_weights(5)
    plane = principal_plane(points)
    seen = project(plane, points)
    first, second = fitting_spans([seen], margin=0.5)
    assert first == pytest.approx(1.5 * seen.coordinates[:, 0].abs().max().item())
    assert second == pytest.approx(1.5 * seen.coordinates[:, 1].abs().max().item())
    assert fitting_spans([project(plane, [plane.origin])]) == (1.0, 1.0)
