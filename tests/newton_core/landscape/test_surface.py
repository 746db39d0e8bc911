"""Landscapes of surfaces."""

import pytest
import torch

from newton_core import build_loss
from newton_core.landscape import surface_landscape
from newton_core.records import to_json


def test_values_are_the_surface_on_its_domain() -> None:
    loss = build_loss("rosenbrock")
    found = surface_landscape(loss, points=5)
    assert [axis[end].item() for axis in (found.x, found.y) for end in (0, -1)] == [-2, 2, -1, 3]
    for j, i in [(0, 0), (2, 4), (3, 1)]:
        at = torch.stack([found.x[i], found.y[j]])[None]
        assert found.values[j, i] == loss(at, None)
    assert found.minima.tolist() == [[1.0, 1.0]]


def test_a_formula_is_shown_around_the_origin_and_knows_no_minimum() -> None:
    found = surface_landscape(build_loss("formula", expression="log(x) + y"), points=3)
    assert found.x.tolist() == [-3.0, 0.0, 3.0]
    assert found.minima.shape == (0, 2)
    assert to_json(found)["values"][0][0] is None


def test_any_rectangle() -> None:
    found = surface_landscape(build_loss("saddle"), ((0.0, 1.0), (10.0, 20.0)), points=3)
    assert found.values[2, 1].item() == pytest.approx(0.25 - 400)
    with pytest.raises(ValueError, match="empty range"):
        surface_landscape(build_loss("saddle"), ((1.0, 1.0), (0.0, 1.0)))
