import base64
import io
import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core import build_loss
from newton_core.losses import SoftDisc
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, DiscsTask, DiscsTaskParameters
from newton_core.tasks.discs import distances, scattered

CPU = torch.device("cpu")


def task(seed: int = 0, loss: dict[str, Any] | None = None, **parameters: Any) -> DiscsTask:
    made = DiscsTaskParameters.model_validate({"name": "discs", **parameters})
    found = DiscsTask(made, target_kind="drawing", seed=seed, device=CPU)
    found.use_loss(build_loss("soft_disc", **(loss or {})))
    return found


class Says(nn.Module):
    """The same discs to every picture."""

    def __init__(self, discs: list[list[float]]) -> None:
        super().__init__()
        self.discs = torch.tensor(discs)

    def forward(self, seen: Tensor) -> Tensor:
        return self.discs.expand(len(seen), -1, -1)


def test_is_registered_for_drawings() -> None:
    assert TASKS.get("discs") is DiscsTask
    assert LOSSES.get("soft_disc").target_kind in DiscsTask.target_kinds


def test_batches_are_drawn_with_noise_and_hang_on_seed_and_step_alone() -> None:
    batch = task(discs=2).batch(3, 5)
    assert batch.target is not None
    assert batch.inputs.shape == (5, 1, 16, 16)
    assert torch.equal(batch.inputs[:, 0], batch.target)
    assert torch.equal(task(discs=2).batch(3, 5).inputs, batch.inputs)
    assert not torch.equal(task(seed=1, discs=2).batch(3, 5).inputs, batch.inputs)
    noise = task(noise=0.2).batch(3, 500).inputs - task(noise=0.0).batch(3, 500).inputs
    assert noise.std().item() == pytest.approx(0.2, rel=0.02)
    smaller = task(loss={"side": 8})
    assert smaller.build_model()(smaller.batch(1, 4).inputs).shape == (4, 1, 3)


@pytest.mark.parametrize("each", [1, 2, 3])
def test_true_discs_lie_inside_and_hardly_overlap(each: int) -> None:
    discs = scattered(2000, each, 0.2, 0.4, torch.Generator().manual_seed(0))
    centre, radius = discs[..., :2], discs[..., 2]
    assert (centre.abs() + radius[..., None]).max() <= 1 + 1e-6
    assert radius.min() >= 0.2
    assert radius.max() <= 0.4
    for k, j in itertools.combinations(range(each), 2):
        apart = torch.linalg.vector_norm(centre[:, k] - centre[:, j], dim=1)
        assert (apart < radius[:, k] + radius[:, j]).double().mean() < 0.1


def test_metrics_take_the_order_that_fits_best() -> None:
    true = torch.rand(50, 3, 3, generator=torch.Generator().manual_seed(0))
    found = true[:, [1, 2, 0]] + torch.tensor([0.03, 0.0, 0.04])
    assert_close(distances(found, true), torch.full((50, 3), 0.05))
    other = torch.rand(50, 3, 3, generator=torch.Generator().manual_seed(1))
    missed = distances(other, true)
    for order in itertools.permutations(range(3)):
        direct = torch.linalg.vector_norm(other[:, order] - true, dim=2)
        assert (missed.sum(1) <= direct.sum(1) + 1e-6).all()


def test_measures_each_disc_s_distance() -> None:
    found = task(smallest=0.5, largest=0.5)
    discs, _ = found._draw(500, torch.Generator().manual_seed(0))
    assert (discs[..., 2] == 0.5).all()
    measured = found.evaluate(Says([[0.0, 0.0, 0.5]]))
    # the centre is uniform in a square of side 1: of half the pictures it is within 0.399
    assert measured["disc_error"].value == pytest.approx(0.399, abs=0.03)
    assert measured["discs_found"].value == pytest.approx(math.pi * 0.1**2, abs=0.03)
    assert list(found.validate(Says([[0.0, 0.0, 0.5]]))) == []
    found.hold_out(0.2)
    assert found.validate(Says([[0.0, 0.0, 0.5]])) != measured


def test_examples_show_what_is_seen_and_what_is_drawn() -> None:
    found = task(discs=2, noise=0.0)
    shown = found.examples(Says([[0.0, 0.5, 0.25], [-0.5, 0.0, -1.0]]), images=True)
    assert len(shown) == 8
    assert shown[0]["drawn"] == [(0.0, 0.5, 0.25), (-0.5, 0.0, -1.0)]
    wanted, seen = shown[0]["wanted"], shown[0]["seen"]
    assert wanted is not None
    assert seen is not None
    image = Image.open(io.BytesIO(base64.b64decode(seen.split(",")[1])))
    picture = SoftDisc().simulate(torch.tensor([wanted]))[0].numpy()
    assert np.asarray(image) / 255 == pytest.approx(picture, abs=0.02)
    later = found.examples(Says([[0.0, 0.5, 0.25]] * 2), images=False)
    assert all(item["seen"] is None and item["wanted"] is None for item in later)


def test_discs_that_are_not_finite_are_missed_and_shown_as_none() -> None:
    found = task()
    lost = Says([[0.0, math.nan, 0.3]])
    measured = found.evaluate(lost)
    assert measured["discs_found"].value == 0.0
    assert measured["disc_error"].value == math.inf
    shown = found.examples(lost, images=True)
    assert shown[0]["drawn"] is None
    assert shown[0]["error"] is None
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"largest": 1.5}, "a disc of radius 1.5 reaches outside the picture"),
        ({"smallest": 0.6}, r"least radius 0.6 is above the greatest, 0.5"),
        ({"discs": 4}, "less than or equal to 3"),
    ],
)
def test_refuses_discs_that_no_picture_has(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        task(**parameters)


def test_refuses_a_loss_that_draws_nothing() -> None:
    with pytest.raises(ValueError, match="soft_disc; got SquaredError"):
        task().use_loss(build_loss("squared_error"))
