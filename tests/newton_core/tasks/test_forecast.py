import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core.data import DatasetError
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, ForecastParameters, ForecastTask

CPU = torch.device("cpu")
SHORT = {"name": "events", "steps": 1000}


def task(seed: int = 0, **parameters: Any) -> ForecastTask:
    made = ForecastParameters.model_validate({"name": "forecast", "data": SHORT, **parameters})
    return ForecastTask(made, target_kind="series", seed=seed, device=CPU)


class Says(nn.Module):
    """The same to every window."""

    def __init__(self, forecast: Tensor) -> None:
        super().__init__()
        self.forecast = forecast

    def forward(self, seen: Tensor) -> Tensor:
        return self.forecast.expand(len(seen), -1)


class Repeats(nn.Module):
    """The last seen steps."""

    def forward(self, seen: Tensor) -> Tensor:
        return seen[:, 0, 0, -32:]


def test_is_registered_for_series() -> None:
    assert TASKS.get("forecast") is ForecastTask
    assert LOSSES.get("soft_dtw").target_kind in ForecastTask.target_kinds


def test_batches_are_windows_of_the_training_part() -> None:
    made = task(history=20, horizon=10)
    batch = made.batch(3, 500)
    assert batch.target is not None
    assert (batch.inputs.shape, batch.target.shape) == ((500, 1, 1, 20), (500, 10))
    assert torch.equal(task(history=20, horizon=10).batch(3, 500).inputs, batch.inputs)
    assert not torch.equal(task(1, history=20, horizon=10).batch(3, 500).inputs, batch.inputs)
    training = made._values[:800]
    windows = training.unfold(0, 30, 1)
    whole = torch.cat((batch.inputs[:, 0, 0], batch.target), dim=1)
    assert all((windows == window).all(1).any() for window in whole)
    assert_close(training.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    assert_close(training.std(correction=0), torch.tensor(1.0))
    assert made.build_model()(batch.inputs).shape == (500, 10)


def test_test_windows_follow_one_another() -> None:
    made = task(horizon=30)
    _, true = made._windows(made._test)
    assert torch.equal(true.flatten(), made._values[800:980])
    made.hold_out(0.1)
    assert made._validation is not None
    _, kept = made._windows(made._validation)
    assert torch.equal(kept.flatten(), made._values[720:780])
    windows = torch.cat((made.batch(1, 500).inputs[:, 0, 0], made.batch(1, 500).target), dim=1)
    assert not any((windows == value).any() for value in made._values[720:722])


def test_metrics_tell_a_shift_in_time_from_another_shape() -> None:
    made = task()
    flat = made.evaluate(Says(torch.zeros(32)))
    repeated = made.evaluate(Repeats())
    assert repeated["dtw"].value < 0.8 * flat["dtw"].value  # the events are there
    assert repeated["mse"].value > flat["mse"].value  # though at other times
    _, true = made._windows(made._test[:1])
    made._test = made._test[:1]
    right = made.evaluate(Says(true[0]))
    assert [right[name].value for name in ("dtw", "mse", "time_distortion")] == [0, 0, 0]
    assert math.isnan(right["dtw"].standard_error)  # of one window
    pulse, shifted = torch.zeros(32), torch.zeros(32)
    pulse[10], shifted[13] = 1, 1
    made._values[made._test[0] + 48 : made._test[0] + 80] = pulse
    late = made.evaluate(Says(shifted))
    assert late["dtw"].value == 0
    assert late["mse"].value == pytest.approx(2 / 32)
    assert 0 < late["time_distortion"].value <= 3


def test_validates_on_the_end_of_the_training_part() -> None:
    made = task()
    assert made.validate(Repeats()) == {}
    made.hold_out(0.2)
    assert made.validate(Repeats())["dtw"].value != made.evaluate(Repeats())["dtw"].value


def test_examples_show_forecast_truth_and_alignment() -> None:
    made = task()
    shown = made.examples(Repeats(), images=True)
    assert len(shown) == 4
    for item in shown:
        assert len(item["seen"]) == 48
        assert item["forecast"] == item["seen"][-32:]
        assert item["alignment"][0] == (0, 0)
        assert item["alignment"][-1] == (31, 31)
        squares = sum((item["forecast"][a] - item["wanted"][b]) ** 2 for a, b in item["alignment"])
        assert item["distance"] == pytest.approx(math.sqrt(squares), abs=0.01)
    later = made.examples(Repeats(), images=False)
    assert all(item["seen"] is None and item["wanted"] is None for item in later)


def test_forecasts_that_are_not_finite_are_as_bad_as_can_be_and_shown_as_none() -> None:
    made = task()
    lost = torch.zeros(32)
    lost[3] = math.nan
    measured = made.evaluate(Says(lost))
    assert {measured[name].value for name in ("dtw", "mse", "time_distortion")} == {math.inf}
    shown = made.examples(Says(lost), images=True)
    assert shown[0]["forecast"] is None
    assert shown[0]["alignment"] is None
    json.dumps(shown, allow_nan=False)


def test_a_series_too_short_for_its_windows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "short"
    folder.mkdir(parents=True)
    (folder / "short.csv").write_text("value\n" + "\n".join(map(str, range(100))) + "\n")
    data = {"name": "table", "path": "short"}
    task(data=data, history=30, horizon=20)
    with pytest.raises(DatasetError, match=r"training part has 80 steps.* needs at least 92"):
        task(data=data, history=72, horizon=20)
    with pytest.raises(DatasetError, match=r"test part has 20 steps.* needs at least 21"):
        task(data=data, history=30, horizon=21)
    made = task(data=data, history=50, horizon=20)
    with pytest.raises(DatasetError, match=r"training part has 48 steps.* needs at least 70"):
        made.hold_out(0.4)


def test_a_training_part_without_any_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "still"
    folder.mkdir(parents=True)
    (folder / "still.csv").write_text("value\n" + "1\n" * 99 + "2\n")
    with pytest.raises(DatasetError, match="the training part, its first 80 steps, is constant"):
        task(data={"name": "table", "path": "still"}, history=10, horizon=5)
