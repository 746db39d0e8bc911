import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core import build_loss
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, TrajectoryTask, TrajectoryTaskParameters
from newton_core.tasks.evaluation import median
from newton_core.tasks.trajectory import spline_through, way_points

CPU = torch.device("cpu")


def task(seed: int = 0, loss: dict[str, Any] | None = None, **parameters: Any) -> TrajectoryTask:
    made = TrajectoryTaskParameters.model_validate({"name": "trajectory", **parameters})
    found = TrajectoryTask(made, target_kind="trajectory", seed=seed, device=CPU)
    found.use_loss(build_loss("trajectory", **(loss or {})))
    return found


class Driver(nn.Module):
    """Drives the wanted paths exactly, by their second differences, after a change."""

    def __init__(self, steps: int, points: int, change: Any = lambda path: path) -> None:
        super().__init__()
        self.spline, self.steps, self.change = spline_through(points, steps), steps, change

    def forward(self, inputs: Tensor) -> Tensor:
        points = inputs.view(len(inputs), -1, 2)
        path = self.change(torch.einsum("tk,nkc->ntc", self.spline.double(), points.double()))
        from_rest = torch.cat((torch.zeros_like(path[:, :2]), path), dim=1)
        return from_rest.diff(dim=1).diff(dim=1) * (self.steps / 4.0) ** 2


def test_is_registered_for_simulated_paths() -> None:
    assert TASKS.get("trajectory") is TrajectoryTask
    assert LOSSES.get("trajectory").target_kind in TrajectoryTask.target_kinds


def test_wanted_paths_are_splines_past_their_way_points() -> None:
    points = way_points(3, 4, torch.Generator().manual_seed(0))
    path = torch.einsum("tk,nkc->ntc", spline_through(4, 40), points)
    assert_close(path[:, 9::10], points)
    for i in range(3):
        knots = np.concatenate((np.zeros((1, 2)), points[i].numpy()))
        spline = CubicSpline(np.arange(5) / 4, knots, bc_type=((1, [0, 0]), (2, [0, 0])))
        assert_close(path[i], torch.from_numpy(spline(np.arange(1, 41) / 40)).float())


def test_batches_hang_on_the_seed_and_the_step_alone() -> None:
    batch = task().batch(3, 5)
    assert batch.inputs.shape == (5, 1, 1, 6)
    assert batch.target is not None
    assert batch.target.shape == (5, 64, 2)
    assert torch.equal(batch.inputs, task().batch(3, 5).inputs)
    assert not torch.equal(batch.inputs, task(seed=1).batch(3, 5).inputs)
    assert not torch.equal(batch.inputs, task().batch(4, 5).inputs)


def test_the_network_says_an_acceleration_a_step() -> None:
    found = task(steps=10, way_points=2)
    model = found.build_model()
    assert model(found.batch(1, 3).inputs).shape == (3, 10, 2)
    other = task(steps=10, way_points=2).build_model()
    assert all(map(torch.equal, model.parameters(), other.parameters()))
    assert found.parameters.outputs_per_sample().count == 20


def test_who_drives_the_wanted_paths_has_all_of_them() -> None:
    measured = task().evaluate(Driver(64, 3))
    assert measured["on_path"].value == 1.0
    assert measured["path_error"].value < 1e-5
    beside = task().evaluate(Driver(64, 3, lambda path: path + torch.tensor([0.06, 0.07])))
    assert beside["path_error"].value == pytest.approx(math.hypot(0.06, 0.07), rel=1e-4)
    assert beside["on_path"].value == 1.0
    away = task().evaluate(Driver(64, 3, lambda path: path + torch.tensor([0.08, 0.07])))
    assert away["on_path"].value == 0.0


def test_a_path_that_is_not_finite_is_missed() -> None:
    def lose_some(path: Tensor) -> Tensor:
        path[::3, 5:] = math.nan
        return path

    found = task()
    measured = found.evaluate(Driver(64, 3, lose_some))
    assert measured["on_path"].value == pytest.approx(333 / 500)
    shown = found.examples(Driver(64, 3, lose_some), images=True)
    assert [item["driven"] is None for item in shown] == [True, False, False, True, False]
    assert shown[0]["error"] is None
    assert not shown[0]["close"]
    json.dumps(shown, allow_nan=False)


def test_examples_show_paths_in_five_directions() -> None:
    shown = task().examples(Driver(64, 3), images=True)
    assert all(item["close"] and item["error"] is not None for item in shown)
    first = shown[0]
    assert first["wanted"] is not None
    assert first["wanted"][-1] == first["way_points"][-1]
    assert_close(torch.tensor(first["driven"]), torch.tensor(first["wanted"]), atol=2e-3, rtol=0)
    ends = [item["way_points"][-1] for item in shown]
    angles = sorted(math.atan2(y, x) for x, y in ends)
    turns = np.diff([*angles, angles[0] + 2 * math.pi])
    assert turns == pytest.approx([2 * math.pi / 5] * 5, abs=0.2)
    later = task().examples(Driver(64, 3), images=False)
    assert all(item["wanted"] is None for item in later)


def test_drag_is_in_the_way() -> None:
    through_air = task(loss={"drag": 0.5}).evaluate(Driver(64, 3))
    assert through_air["path_error"].value > 0.01


def test_the_median_has_a_standard_error() -> None:
    """Against the spread of the medians of many samples."""
    random = torch.Generator().manual_seed(0)
    found = [median(torch.rand(400, generator=random).exp()) for _ in range(200)]
    spread = torch.tensor([metric.value for metric in found]).std().item()
    claimed = torch.tensor([metric.standard_error for metric in found]).mean().item()
    assert claimed == pytest.approx(spread, rel=0.2)


def test_refuses_more_way_points_than_steps() -> None:
    with pytest.raises(ValueError, match="8 way-points need a path of at least 8 steps, it has 5"):
        task(steps=5, way_points=8)


def test_refuses_a_loss_that_simulates_nothing() -> None:
    with pytest.raises(ValueError, match="a SimulatorLoss; got SquaredError"):
        task().use_loss(build_loss("squared_error"))


@pytest.mark.parametrize("steps", [1, 513])
def test_refuses_a_path_of_too_few_or_too_many_steps(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        TrajectoryTaskParameters.model_validate({"name": "trajectory", "steps": steps})


def test_refuses_a_loss_that_compares_at_more_way_points_than_there_are_steps() -> None:
    with pytest.raises(ValueError, match="20 way-points need a path of at least 20 steps"):
        task(steps=10, loss={"way_points": 20})
