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
from torch import nn

from newton_core.data import Maps, TerrainParameters, load_terrain
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, ShortestPathParameters, ShortestPathTask
from newton_core.tasks.path_judgement import judge_paths
from newton_core.tasks.shortest_path import ShortestPathExample

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        load_terrain.cache_clear()
        yield
        load_terrain.cache_clear()


def task(seed: int = 0, **data: Any) -> ShortestPathTask:
    data = {"name": "terrain", "train_maps": 50, "test_maps": 40, **data}
    parameters = ShortestPathParameters.model_validate({"name": "shortest_path", "data": data})
    return ShortestPathTask(parameters, target_kind="path", seed=seed, device=CPU)


class Oracle(nn.Module):
    """Answers with the true costs of the maps that it is shown, after a change."""

    def __init__(self, maps: Maps, images: torch.Tensor, change: Any = lambda costs: costs) -> None:
        super().__init__()
        self.known = {image.numpy().tobytes(): i for i, image in enumerate(images)}
        self.costs = change(maps.costs.clone())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.costs[[self.known[image.numpy().tobytes()] for image in images]]


def oracle(found: ShortestPathTask, change: Any = lambda costs: costs) -> Oracle:
    dataset = found.parameters.data.load()
    return Oracle(dataset.test, dataset.normalise(dataset.test.images), change)


def test_is_registered_for_the_path_losses() -> None:
    assert TASKS.get("shortest_path") is ShortestPathTask
    fitting = [name for name in LOSSES.names() if LOSSES.get(name).target_kind == "path"]
    assert set(fitting) >= {"bellman_ford", "smoothed_loss", "smoothed_algorithm", "perturbed_fy"}


def test_true_costs_are_optimal() -> None:
    found = task()
    metrics = found.evaluate(oracle(found))
    assert list(metrics) == ["optimal", "perfect_match", "cost_ratio"]
    assert metrics["optimal"].value == metrics["perfect_match"].value == 1.0
    assert metrics["cost_ratio"].value == pytest.approx(1.0)
    scaled = found.evaluate(oracle(found, lambda costs: 3 * costs))
    assert scaled["optimal"].value == 1.0


def test_another_cheapest_path_is_optimal_but_no_match() -> None:
    found = task(test_maps=300)
    noise = 1e-4 * torch.rand((300, 12, 12), generator=torch.Generator().manual_seed(0))
    metrics = found.evaluate(oracle(found, lambda costs: costs + noise))
    assert metrics["optimal"].value > 0.97
    assert metrics["perfect_match"].value < 0.9
    assert metrics["cost_ratio"].value == pytest.approx(1.0, abs=1e-4)


def test_constant_costs_are_never_optimal() -> None:
    found = task()
    metrics = found.evaluate(oracle(found, torch.ones_like))
    assert metrics["optimal"].value == metrics["perfect_match"].value == 0.0
    test = found.parameters.data.load().test
    straight = test.costs.double().diagonal(dim1=1, dim2=2).sum(dim=1)
    ratios = straight / (test.costs.double() * test.paths).sum(dim=(1, 2))
    assert metrics["cost_ratio"].value == pytest.approx(ratios.mean().item())
    error = ratios.std().item() / math.sqrt(40)
    assert metrics["cost_ratio"].standard_error == pytest.approx(error)


def test_standard_errors_of_shares_are_binomial() -> None:
    found = task()

    def spoil(costs: torch.Tensor) -> torch.Tensor:
        costs[:10] = 1.0
        return costs

    optimal = found.evaluate(oracle(found, spoil))["optimal"]
    assert optimal.value == 0.75
    assert optimal.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 40))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0])
def test_costs_that_are_none_count_as_missed(bad: float) -> None:
    found = task()

    def spoil(costs: torch.Tensor) -> torch.Tensor:
        costs[0, 3, 3] = bad
        return costs

    metrics = found.evaluate(oracle(found, spoil))
    assert metrics["optimal"].value == pytest.approx(39 / 40)
    assert math.isnan(metrics["cost_ratio"].value)
    first, second, *_ = found.examples(oracle(found, spoil), images=False)
    assert first["predicted_path"] is None
    assert not first["optimal"]
    assert first["cost_ratio"] is None
    assert first["costs"][3][3] == (bad if math.isfinite(bad) else None)
    assert second["optimal"]
    json.dumps([first, second], allow_nan=False)


def test_labels_are_taken_for_the_cheapest_paths() -> None:
    """Half-precision costs can make another path look cheaper by a rounding error."""
    costs = torch.tensor([[[1.0, 1.0, 9.0], [9.0, 9.0, 1.0005]]])
    paths = torch.tensor([[[1, 1, 0], [0, 0, 1]]], dtype=torch.uint8)
    maps = Maps(torch.zeros(1, 3, 16, 24, dtype=torch.uint8), costs, paths)
    judged = judge_paths(costs, maps)
    assert judged.optimal.tolist() == judged.perfect.tolist() == [True]
    other = judge_paths(10 - costs, maps)
    assert other.optimal.tolist() == [False]
    assert other.ratio.item() == pytest.approx(11.0005 / 3.0005)


def test_batches_are_a_function_of_seed_and_step() -> None:
    first, again, other = task(seed=1), task(seed=1), task(seed=2)
    for step in (3, 1, 12, 0):
        a, b = first.batch(step, 8), again.batch(step, 8)
        assert torch.equal(a.inputs, b.inputs)
        assert torch.equal(a.target, b.target)
        assert a.inputs.shape == (8, 3, 96, 96)
        assert a.target.shape == (8, 12, 12)
        assert not torch.equal(a.inputs, other.batch(step, 8).inputs)


def test_a_sample_is_seen_as_its_batch_has_it() -> None:
    found = task()
    batch = found.batch(7, 6)
    assert batch.target is not None
    shown = found.sample(7, 6, 3)
    image_url, true_path = shown["image"], shown["true_path"]
    assert isinstance(image_url, str)
    assert isinstance(true_path, list)
    with Image.open(io.BytesIO(base64.b64decode(image_url.split(",")[1]))) as image:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    torch.testing.assert_close(found.dataset.normalise(pixels[None])[0], batch.inputs[3])
    rows, columns = np.transpose(true_path)
    assert batch.target[3, rows, columns].sum() == len(rows) == batch.target[3].sum()
    json.dumps(shown, allow_nan=False)


def test_an_epoch_shows_every_map_once() -> None:
    found = task()
    paths = found.parameters.data.load().train
    images = {image.numpy().tobytes() for image in found.dataset.normalise(paths.images)}

    def shown(steps: range) -> list[bytes]:
        return [im.numpy().tobytes() for step in steps for im in found.batch(step, 10).inputs]

    first, second = shown(range(1, 6)), shown(range(6, 11))
    assert set(first) == set(second) == images
    assert len(first) == len(second) == 50
    assert first != second
    assert len(set(shown(range(1, 5)))) == 40


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 51 needs at least 51 training maps, found 50"):
        task().batch(1, 51)


def test_test_maps_are_the_same_for_every_seed() -> None:
    one, two = task(seed=1), task(seed=2)
    model = one.build_model()
    assert one.evaluate(model) == two.evaluate(model)


def test_weights_come_from_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        return torch.cat([p.flatten() for p in task(seed=seed).build_model().parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_examples_are_what_a_picture_needs() -> None:
    found = task()
    items = found.examples(oracle(found, lambda costs: 1 / costs), images=True)
    test = found.parameters.data.load().test
    json.dumps(items, allow_nan=False)
    assert len(items) == 4
    for i, item in enumerate(items):
        assert set(item) == set(ShortestPathExample.__annotations__)
        assert item["map"] == i
        assert (item["height"], item["width"]) == (12, 12)
        data = base64.b64decode(item["image"].removeprefix("data:image/png;base64,"))
        assert np.array_equal(Image.open(io.BytesIO(data)), test.images[i].permute(1, 2, 0))
        for name in ("true_path", "predicted_path"):
            path = np.array(item[name])
            assert path[0].tolist() == [0, 0]
            assert path[-1].tolist() == [11, 11]
            assert (np.abs(np.diff(path, axis=0)).max(axis=1) == 1).all()
        marked = np.zeros((12, 12), np.uint8)
        marked[tuple(np.array(item["true_path"]).T)] = 1
        assert np.array_equal(marked, test.paths[i])
        true = test.costs[i].numpy()
        ratio = sum(true[r, c] for r, c in item["predicted_path"]) / (true * marked).sum()
        assert item["cost_ratio"] == pytest.approx(float(ratio), rel=1e-5)
        assert item["optimal"] == (ratio < 1 + 1e-6)
        np.testing.assert_allclose(item["costs"], 1 / true, rtol=1e-3)
    later = found.examples(oracle(found, lambda costs: 1 / costs), images=False)
    assert [item["image"] for item in later] == [None] * 4


def test_evaluation_leaves_the_model_alone() -> None:
    parameters = ShortestPathParameters(
        data=TerrainParameters(train_maps=50, test_maps=40), model={"name": "resnet18_block"}
    )
    found = ShortestPathTask(parameters, target_kind="path", seed=0, device=CPU)
    model = found.build_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found.evaluate(model)
    found.examples(model, images=False)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_other_sizes(tmp_path: Path) -> None:
    found = task(height=5, width=8)
    model = found.build_model()
    batch = found.batch(1, 4)
    assert model(batch.inputs).shape == batch.target.shape == (4, 5, 8)
    assert 0 <= found.evaluate(model)["optimal"].value <= 1
