"""Puzzles: tiles and targets belong together, and metrics count what shows the right thing."""

import itertools
import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from newton_core.data import DatasetError, load_photos
from newton_core.data.photos import PARTS, PHOTOS, _corners, _independent
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, JigsawParameters, JigsawTask
from newton_core.tasks.jigsaw import EXAMPLES, _inputs
from newton_core.training.context import build_task

CPU = torch.device("cpu")
DIGITS = {"name": "digits"}


def task(seed: int = 0, **parameters: Any) -> JigsawTask:
    made = JigsawParameters.model_validate({"name": "jigsaw", **parameters})
    return JigsawTask(made, target_kind="assignment", seed=seed, device=CPU)


class Knows(nn.Module):
    """Scores tiles as the truth does, told the inputs whose truth it knows."""

    def __init__(self, inputs: Tensor, truth: Tensor) -> None:
        super().__init__()
        self.known = {tuple(x.flatten().tolist()): t for x, t in zip(inputs, truth, strict=True)}

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.stack([self.known[tuple(x.flatten().tolist())] for x in inputs])


def test_only_losses_of_assignments_fit() -> None:
    assert TASKS.get("jigsaw") is JigsawTask
    assert LOSSES.get("sinkhorn").kind_of(JigsawTask.target_kinds) == "assignment"
    spec = {"task": {"name": "jigsaw"}, "loss": {"name": "sinkhorn"}, "arms": [{}]}
    assert build_task(ExperimentSpec.model_validate(spec)).target_kind == "assignment"
    ranking = {**spec, "task": {"name": "ranking"}}
    assert build_task(ExperimentSpec.model_validate(ranking)).target_kind == "permutation"
    with pytest.raises(
        ValidationError, match="neuralsort does not fit the task jigsaw; use one of"
    ):
        ExperimentSpec.model_validate({**spec, "loss": {"name": "neuralsort"}})


@pytest.mark.parametrize(("data", "across"), [(DIGITS, 2), (DIGITS, 3), ({"name": "photos"}, 3)])
def test_tiles_at_their_places_are_the_picture(data: dict[str, Any], across: int) -> None:
    made = task(data=data, across=across)
    batch = made.batch(1, 5)
    n = across**2
    assert batch.target is not None
    assert batch.inputs.shape[:3] == (5, n, 1)
    assert (batch.target.sum(1) == 1).all()
    assert (batch.target.sum(2) == 1).all()
    ordered = torch.einsum("zip,zicab->zpcab", batch.target, batch.inputs)
    rows = ordered[:, :, 0].unflatten(1, (across, across)).transpose(2, 3)
    pictures = rows.flatten(3).flatten(1, 2)
    size = across * batch.inputs.shape[3]
    pixels = made._dataset.train.pixels.float()
    margin = (pixels.shape[1] - size) // 2
    pixels = pixels[:, margin : margin + size, margin : margin + size]
    pixels = (pixels - pixels.mean((1, 2), keepdim=True)).flatten(1)
    pixels = pixels / pixels.square().mean(1, keepdim=True).sqrt()
    exact = "donot_use_mm_for_euclid_dist"  # products cancel
    distances = torch.cdist(pictures.flatten(1), pixels, compute_mode=exact)
    assert distances.amin(1).max() < 0.02
    assert torch.equal(task(data=data, across=across).batch(1, 5).inputs, batch.inputs)
    assert not torch.equal(task(1, data=data, across=across).batch(1, 5).inputs, batch.inputs)


def test_a_network_that_knows_solves_every_puzzle_and_equal_tiles_are_equal() -> None:
    made = task(data=DIGITS, across=4)
    tiles, order = made._test.tiles, made._test.order
    truth = torch.nn.functional.one_hot(order, 16).float()
    knows = Knows(_inputs(tiles, order), truth)
    assert made.evaluate(knows)["whole_puzzle"].value == 1.0
    examples = made.examples(knows, images=True)
    assert [item["placed"] for item in examples] == [list(range(16))] * EXAMPLES
    # Tiles 0 and 3, the upper corners, are black in many digits: their exchange is no mistake.
    alike = [torch.equal(puzzle[0], puzzle[3]) for puzzle in tiles]
    swapped = truth[:, :, [3, 1, 2, 0, *range(4, 16)]]
    found = made.evaluate(Knows(_inputs(tiles, order), swapped))
    assert 0.2 < sum(alike) / len(alike) < 1
    assert found["whole_puzzle"].value == pytest.approx(sum(alike) / len(alike))
    assert found["tiles_in_place"].value == pytest.approx((14 + 2 * sum(alike) / len(alike)) / 16)


def test_scores_that_are_not_finite_miss_the_puzzle() -> None:
    made = task(data=DIGITS, across=2)

    class Lost(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return torch.full((*inputs.shape[:2], 4), math.nan)

    assert made.evaluate(Lost())["tiles_in_place"].value == 0.0
    item = made.examples(Lost(), images=False)[0]
    assert (item["placed"], item["right"], item["image"]) == (None, [False] * 4, None)


def test_the_parts_of_the_photographs_share_no_pixel() -> None:
    edges = sorted(PARTS.values())
    assert edges[0][0] == 0.0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(edges))
    crops = load_photos(36)
    assert crops.names == PHOTOS
    assert crops.train.pixels.shape == (2000, 36, 36)
    assert crops.test.labels[:4].tolist() == [0, 1, 0, 1]


def test_pictures_too_small_for_the_tiles_are_refused() -> None:
    made = task(data=DIGITS, across=2)
    with pytest.raises(DatasetError, match="pictures of 1 x 8 pixels have no 2 tiles along a side"):
        made._cut(torch.zeros(3, 1, 8, dtype=torch.uint8))


def test_crops_that_overlap_say_as_little_as_few_that_do_not() -> None:
    """Means of pixels that are independent: their spread over pictures is known by drawing some."""
    random, side, count = torch.Generator().manual_seed(0), 36, 250
    corners = _corners(torch.zeros(106, 40, dtype=torch.uint8), side, count, random)
    pictures = torch.randn(2000, 106, 40, generator=random, dtype=torch.float64)
    sums = nn.functional.pad(pictures.cumsum(1).cumsum(2), (1, 0, 1, 0))
    top, left = corners.mT
    ends = [sums[:, row, column] for row in (top, top + side) for column in (left, left + side)]
    means = (ends[3] - ends[2] - ends[1] + ends[0]).mean(1) / side  # each crop's has deviation 1
    assert means.std().item() == pytest.approx(_independent(corners, side) ** -0.5, rel=0.06)


@pytest.mark.parametrize(("data", "wider"), [(DIGITS, 1.0), ({"name": "photos"}, 11.5)])
def test_standard_errors_know_of_overlap(data: dict[str, Any], wider: float) -> None:
    made = task(data=data, across=2)

    class Guesses(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return torch.rand(*inputs.shape[:2], 4, generator=torch.Generator().manual_seed(0))

    found = made.evaluate(Guesses())
    whole, puzzles = found["whole_puzzle"], made._test
    p, count = whole.value, len(puzzles.order)
    assert 0 < p < 1
    independent = math.sqrt(p * (1 - p) / count)
    assert whole.standard_error == pytest.approx(wider * independent, rel=0.01)
    assert found["tiles_in_place"].standard_error > wider * 0.005
