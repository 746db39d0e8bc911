"""Sorting three numbers: a plane that holds everything, six wedges, and descents across them."""

import math
from typing import Any

import pytest
import torch

from newton_core import build_loss, list_losses
from newton_core.descent import DescentSettings
from newton_core.landscape import Grid, three_numbers_descents, three_numbers_landscape
from newton_core.landscape.three_numbers import BASIS, target_matrix, to_plane, to_scores, wedges
from newton_core.losses.base import LOSSES
from newton_core.records import to_json

SORTING = [name for name in list_losses() if LOSSES.get(name).target_kind == "permutation"]


def test_the_basis_spans_the_score_differences() -> None:
    torch.testing.assert_close(BASIS @ BASIS.T, torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(BASIS.sum(1), torch.zeros(2, dtype=torch.float64))


def test_scores_and_points_are_two_names_of_one_thing() -> None:
    points = torch.randn(5, 2, dtype=torch.float64)
    scores = to_scores(points, torch.float64)
    torch.testing.assert_close(to_plane(scores + 3.7), points)
    differences = scores.unsqueeze(2) - scores.unsqueeze(1)
    assert (scores.mean(1).abs() < 1e-12).all()
    torch.testing.assert_close(differences.square().sum((1, 2)) / 6, points.square().sum(1))


@pytest.mark.parametrize("name", SORTING)
def test_the_plane_shows_all_of_every_sorting_loss(name: str) -> None:
    loss = build_loss(name)
    grid = Grid(points=11, span=3.0)
    found = three_numbers_landscape(loss, grid, dtype=torch.float64)
    target = target_matrix((0, 1, 2), 1, torch.float64)
    for j, i in [(0, 0), (5, 5), (2, 9), (10, 3)]:
        point = torch.stack([found.a[i], found.b[j]])[None]
        shifted = to_scores(point, torch.float64) + 5.0
        d = loss.derivatives(shifted, target, hessian=False)
        assert found.loss[j, i].item() == pytest.approx(d.value.item(), rel=1e-9)
        assert found.gradient_norm[j, i].item() == pytest.approx(d.gradient.norm().item(), rel=1e-6)
        assert d.gradient.sum().abs() < 1e-9, "no gradient leaves the plane"


@pytest.mark.parametrize("name", SORTING)
@pytest.mark.parametrize("ordering", [(0, 1, 2), (2, 0, 1)])
def test_the_loss_is_least_in_the_right_wedge(name: str, ordering: Any) -> None:
    found = three_numbers_landscape(
        build_loss(name), Grid(points=41, span=4.0), ordering=ordering, dtype=torch.float64
    )
    j, i = divmod(int(found.loss.argmin()), 41)
    angle = math.atan2(found.b[j].item(), found.a[i].item()) % (2 * math.pi)
    (right,) = [wedge for wedge in found.wedges if wedge.correct]
    assert right.ordering == ordering
    turned = (angle - right.angle + math.pi) % (2 * math.pi) - math.pi
    assert abs(turned) < math.pi / 6


def test_wedges_are_the_orderings_counter_clockwise() -> None:
    found = wedges((0, 1, 2), 2.0, 2.0)
    assert found[0].label == "s1 < s2 < s3"
    assert found[0].angle == pytest.approx(0.0)
    assert [w.angle for w in found] == pytest.approx([k * math.pi / 3 for k in range(6)])
    assert [w.correct for w in found] == [True] + [False] * 5
    for wedge in found:
        inside = torch.tensor([[math.cos(wedge.angle), math.sin(wedge.angle)]])
        assert to_scores(inside).argsort(dim=1).tolist() == [list(wedge.ordering)]
    for one, other in zip(found, found[1:] + found[:1], strict=True):
        border = torch.tensor(one.angle + math.pi / 6, dtype=torch.float64)
        scores = to_scores(torch.stack([border.cos(), border.sin()])[None], torch.float64)[0]
        assert scores.sort().values.diff().abs().min() < 1e-12, "two scores are equal there"
        differing = [a != b for a, b in zip(one.ordering, other.ordering, strict=True)]
        assert sum(differing) == 2, "neighbours differ by one swap"


@pytest.mark.parametrize(("reach_a", "reach_b"), [(2.0, 2.0), (5.0, 1.0), (1.0, 4.0)])
def test_the_polygons_tile_the_plane(reach_a: float, reach_b: float) -> None:
    total = 0.0
    for wedge in wedges((0, 1, 2), reach_a, reach_b):
        x, y = wedge.polygon.T
        area = ((x * y.roll(-1) - y * x.roll(-1)).sum() / 2).item()
        assert area > 0, "counter-clockwise"
        total += area
        assert (x.abs() <= reach_a + 1e-9).all()
        assert (y.abs() <= reach_b + 1e-9).all()
        middle = wedge.polygon.mean(0, keepdim=True)
        assert to_scores(middle).argsort(dim=1).tolist() == [list(wedge.ordering)]
    assert total == pytest.approx(4 * reach_a * reach_b)


def test_vanilla_is_stuck_where_newton_gets_through() -> None:
    """Far out in a wrong wedge BCELoss's clamps leave next to no gradient, though a true one."""
    loss = build_loss("softsort", temperature=0.1, numerics="bce_loss")
    start = torch.tensor([[-7.0, 0.3]])
    methods = [
        DescentSettings(),
        DescentSettings(method="newton", definiteness="saddle_free", tikhonov=1e-9),
    ]
    vanilla, newton = three_numbers_descents(loss, start, methods, steps=100, dtype=torch.float64)
    assert 0 < vanilla.descent.gradients[0].norm() < 1e-6
    assert vanilla.outcomes == ("stuck",)
    assert vanilla.arrived.tolist() == [-1]
    assert newton.outcomes == ("arrived",)
    assert 0 < newton.arrived.item() < 100


def test_arrival_is_the_first_step_of_the_last_stay() -> None:
    loss = build_loss("neuralsort")
    (found,) = three_numbers_descents(
        loss, torch.tensor([[2.0, 0.1], [-1.0, 0.4]]), [DescentSettings(lr=2.0)], steps=60
    )
    assert found.outcomes == ("arrived", "arrived")
    first, second = found.arrived.tolist()
    assert first == 0
    scores = found.descent.positions[:, 1]
    right = (scores.diff(dim=1) > 0).all(1)
    assert right[second:].all()
    assert not right[second - 1]
    assert found.path[0, 1].tolist() == pytest.approx([-1.0, 0.4])
    assert len(to_json(found)["path"]) == 61


def test_an_ordering_holds_each_item_once() -> None:
    with pytest.raises(ValueError, match="once each"):
        three_numbers_landscape(build_loss("neuralsort"), ordering=(0, 1, 1))
