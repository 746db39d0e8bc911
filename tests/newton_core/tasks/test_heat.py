import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from newton_core import build_loss
from newton_core.data.digits import load_digits
from newton_core.losses import Heat
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, HeatTask, HeatTaskParameters

CPU = torch.device("cpu")


def task(seed: int = 0, **parameters: Any) -> HeatTask:
    made = HeatTaskParameters.model_validate({"name": "heat", **parameters})
    found = HeatTask(made, target_kind="picture", seed=seed, device=CPU)
    found.use_loss(build_loss("heat"))
    return found


class Known(nn.Module):
    """Says the true test pictures, after a change."""

    def __init__(self, change: Any = lambda pictures: pictures) -> None:
        super().__init__()
        self.pictures = change(load_digits().test.pixels.float() / 16)

    def forward(self, seen: Tensor) -> Tensor:
        pictures: Tensor = self.pictures[: len(seen)]
        return pictures


def test_is_registered_for_pictures() -> None:
    assert TASKS.get("heat") is HeatTask
    assert LOSSES.get("heat").target_kind in HeatTask.target_kinds
    assert TASKS.get("heat").describe("reconstruction_error").better == "lower"


def test_batches_are_blurred_pictures_and_hang_on_seed_and_step_alone() -> None:
    batch = task(noise=0.0).batch(3, 5)
    assert batch.target is not None
    assert batch.inputs.shape == (5, 1, 8, 8)
    assert torch.equal(batch.inputs[:, 0], batch.target)
    sharp = load_digits().train.pixels.float() / 16
    blurred = Heat().simulate(sharp)
    for picture in batch.target:
        assert (blurred - picture).abs().amax((1, 2)).min() < 1e-5
    assert torch.equal(task().batch(3, 5).inputs, task().batch(3, 5).inputs)
    assert not torch.equal(task().batch(3, 5).inputs, task(seed=1).batch(3, 5).inputs)
    noise = task(noise=0.1).batch(3, 500).inputs - task(noise=0.0).batch(3, 500).inputs
    assert noise.std().item() == pytest.approx(0.1, rel=0.02)


def test_the_truth_has_no_error_and_explains_all_but_the_noise() -> None:
    measured = task().evaluate(Known())
    assert measured["reconstruction_error"].value == 0.0
    assert measured["seen_error"].value == pytest.approx(0.02, rel=0.02)
    shifted = task().evaluate(Known(lambda pictures: pictures + 0.25))
    assert shifted["reconstruction_error"].value == pytest.approx(0.25)


def test_the_network_says_a_picture() -> None:
    found = task()
    model = found.build_model()
    assert model(found.batch(1, 3).inputs).shape == (3, 8, 8)
    other = task().build_model()
    assert all(map(torch.equal, model.parameters(), other.parameters()))


def test_examples_show_truth_what_is_seen_and_the_reconstruction() -> None:
    shown = task().examples(Known(lambda pictures: 2 * pictures), images=True)
    assert len(shown) == 8
    truth = load_digits().test.pixels[0].numpy() / 16
    assert pixels(shown[0]["image"]) == pytest.approx(truth, abs=0.01)
    assert pixels(shown[0]["reconstruction"]) == pytest.approx(np.minimum(2 * truth, 1), abs=0.01)
    blurred = Heat().simulate(torch.from_numpy(truth).float()[None])[0].numpy()
    assert pixels(shown[0]["seen"]) == pytest.approx(blurred, abs=0.1)
    later = task().examples(Known(), images=False)
    assert all(item["image"] is None and item["seen"] is None for item in later)


def pixels(url: str | None) -> np.ndarray:
    assert url is not None
    image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    return np.asarray(image) / 255


def test_a_reconstruction_that_is_not_finite_is_shown_as_none() -> None:
    found = task()
    broken = Known(lambda pictures: pictures * math.nan)
    assert math.isnan(found.evaluate(broken)["reconstruction_error"].value)
    shown = found.examples(broken, images=True)
    assert shown[0]["reconstruction"] is None
    assert shown[0]["error"] is None
    json.dumps(shown, allow_nan=False)


def test_refuses_a_loss_that_simulates_nothing() -> None:
    with pytest.raises(ValueError, match="a SimulatorLoss; got SquaredError"):
        task().use_loss(build_loss("squared_error"))


def test_large_pictures_of_one_s_own_count_their_outputs() -> None:
    own = {"name": "folder", "path": "mine", "height": 20, "width": 30}
    counted = HeatTaskParameters.model_validate({"name": "heat", "data": own}).outputs_per_sample()
    assert (counted.count, counted.parameter) == (600, ("data",))


def test_sharpens_pictures_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "mine"
    folder.mkdir(parents=True)
    random, lines = np.random.default_rng(0), ["file,value"]
    for i in range(10):
        grey = random.integers(0, 256, (6, 9), dtype=np.uint8)
        Image.fromarray(grey).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{i}")
    (folder / "table.csv").write_text("\n".join(lines))
    found = task(data={"name": "folder", "path": "mine", "height": 6, "width": 9})
    assert found.batch(1, 4).inputs.shape == (4, 1, 6, 9)
    assert found.build_model()(found.batch(1, 4).inputs).shape == (4, 6, 9)
