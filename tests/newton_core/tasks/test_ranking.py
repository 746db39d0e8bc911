import base64
import io
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import nn
from torch.func import functional_call

from newton_core.algorithms import permutation_matrix
from newton_core.data import DatasetError, load_digits
from newton_core.seeding import generator
from newton_core.tasks import TASKS, RankingParameters, RankingTask
from newton_core.tasks.evaluation import Clusters
from newton_core.tasks.ranking import RankingExample, ranking_metrics, ranks
from tests.newton_core.data.own_images import write_folder

CPU = torch.device("cpu")


def _task(seed: int = 0, **parameters: Any) -> RankingTask:
    record = {"name": "ranking", "test_sets": 40, **parameters}
    return RankingTask(
        RankingParameters.model_validate(record), target_kind="permutation", seed=seed, device=CPU
    )


class _Fixed(nn.Module):
    """Answers with given scores, whatever the images."""

    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scores[: len(images)].to(images.dtype)


class _Oracle(nn.Module):
    """Reads the numbers off the images by looking the digits up: a perfect ranker."""

    def __init__(self) -> None:
        super().__init__()
        digits = load_digits()
        images = digits.normalise(digits.test.pixels).flatten(1)
        self.known = {
            image.numpy().tobytes(): label
            for image, label in zip(images, digits.test.labels.tolist(), strict=True)
        }

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        N, n, _, h, w = images.shape
        parts = images.view(N * n, h, w // h, h).transpose(1, 2).flatten(2)
        read = [
            sum(
                10 ** (w // h - 1 - i) * self.known[part.contiguous().numpy().tobytes()]
                for i, part in enumerate(number)
            )
            for number in parts
        ]
        return torch.tensor(read, dtype=torch.float64).view(N, n)


def test_is_registered_and_complete_by_default() -> None:
    assert TASKS.get("ranking") is RankingTask
    parameters = RankingParameters()
    assert (parameters.n, parameters.data.name, parameters.model.name) == (5, "digits", "mlp")
    assert json.loads(parameters.model_dump_json())["data"] == {"name": "digits", "digits": 4}


@pytest.mark.parametrize(
    "bad",
    [{"n": 1}, {"n": 33}, {"data": {"name": "letters"}}, {"test_sets": 1}, {"model": {"name": ""}}],
)
def test_bad_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RankingParameters.model_validate(bad)


def test_other_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a target of kind permutation, got 'class'"):
        RankingTask(RankingParameters(), target_kind="class", seed=0, device=CPU)


@pytest.mark.parametrize(("n", "digits"), [(2, 1), (5, 4), (10, 1), (32, 2)])
def test_batches(n: int, digits: int) -> None:
    task = _task(n=n, data={"name": "digits", "digits": digits})
    batch = task.batch(1, 6)
    assert batch.inputs.shape == (6, n, 1, 8, 8 * digits)
    assert batch.inputs.dtype == torch.float32
    assert batch.target is not None
    assert batch.target.shape == (6, n, n)
    assert batch.target.dtype == torch.float32
    assert torch.equal(batch.target.sum(1), torch.ones(6, n))
    assert torch.equal(batch.target.sum(2), torch.ones(6, n))


def test_the_target_sorts_the_numbers_that_the_images_show() -> None:
    task = _task(n=5, data={"name": "digits", "digits": 2})
    train = load_digits().normalise(load_digits().train.pixels)
    labels = load_digits().train.labels
    batch = task.batch(4, 10)
    tiles = batch.inputs.view(50, 8, 2, 8).transpose(1, 2).reshape(100, 1, 64)
    matches = (tiles == train.flatten(1)).all(2)
    digits = labels[matches.int().argmax(1)].view(10, 5, 2)
    assert bool(matches.any(1).all())
    values = digits @ torch.tensor([10, 1])
    assert torch.equal(batch.target, permutation_matrix(values))


def test_a_sample_is_seen_as_its_batch_has_it() -> None:
    task = _task(n=4)
    target = task.batch(7, 6).target
    assert target is not None
    values = torch.tensor(task.sample(7, 6, 3)["values"]).double()
    assert len(set(values.tolist())) == 4
    torch.testing.assert_close(target[3].double() @ values, values.sort().values)


def test_batches_are_a_pure_function_of_seed_and_step() -> None:
    one, again, other_seed = _task(seed=1), _task(seed=1), _task(seed=2)
    torch.manual_seed(5)
    first = one.batch(7, 4)
    assert torch.equal(again.batch(7, 4).inputs, first.inputs)
    assert torch.equal(one.batch(7, 4).inputs, first.inputs)
    assert not torch.equal(one.batch(8, 4).inputs, first.inputs)
    assert not torch.equal(other_seed.batch(7, 4).inputs, first.inputs)


def test_tensors_live_on_the_tasks_device() -> None:
    """The meta device stands for any device but the CPU: mixing the two is an error."""
    meta = torch.device("meta")
    task = RankingTask(RankingParameters(), target_kind="permutation", seed=0, device=meta)
    batch = task.batch(1, 3)
    assert batch.target is not None
    assert batch.inputs.device == batch.target.device == meta
    assert task.build_model()(batch.inputs).shape == (3, 5)


def test_global_random_numbers_are_left_alone() -> None:
    task = _task()
    before = torch.get_rng_state()
    model = task.build_model()
    task.batch(1, 3)
    task.evaluate(model)
    task.examples(model, images=True)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_test_sets_do_not_depend_on_the_seed() -> None:
    model = _task(seed=0).build_model()
    assert _task(seed=1).evaluate(model) == _task(seed=2).evaluate(model)


@pytest.mark.parametrize("model", [{"name": "mlp"}, {"name": "cnn"}])
def test_models_score_batches_and_take_other_weights(model: dict[str, Any]) -> None:
    task, other = _task(seed=1, model=model), _task(seed=2, model=model)
    network, weights = task.build_model(), dict(other.build_model().named_parameters())
    inputs = task.batch(1, 3).inputs
    assert network(inputs).shape == (3, 5)
    assert torch.equal(functional_call(network, weights, (inputs,)), other.build_model()(inputs))
    assert torch.equal(task.build_model()(inputs), network(inputs))


def test_a_perfect_ranker_is_perfect() -> None:
    assert {name: metric.value for name, metric in _task().evaluate(_Oracle()).items()} == {
        "exact_match": 1.0,
        "elementwise": 1.0,
    }


def test_an_untrained_network_is_at_chance() -> None:
    metrics = _task(test_sets=2000, n=3).evaluate(_Fixed(torch.zeros(2000, 3)))
    for name, chance in (("exact_match", 1 / 6), ("elementwise", 1 / 3)):
        assert abs(metrics[name].value - chance) < 4 * metrics[name].standard_error


def test_metrics_against_an_obvious_loop() -> None:
    torch.manual_seed(0)
    true, scores = torch.rand(30, 4), torch.rand(30, 4)
    scores[:12] = true[:12] + 0.1 * scores[:12]
    exact, shares = [], []
    for values, guesses in zip(true.tolist(), scores.tolist(), strict=True):
        right = [
            sum(v < value for v in values) == sum(g < guess for g in guesses)
            for value, guess in zip(values, guesses, strict=True)
        ]
        exact.append(float(all(right)))
        shares.append(sum(right) / 4)
    metrics = ranking_metrics(ranks(true) == ranks(scores), Clusters(torch.arange(120).view(30, 4)))
    for metric, sample in ((metrics["exact_match"], exact), (metrics["elementwise"], shares)):
        assert metric.value == pytest.approx(sum(sample) / 30)
    p = sum(exact) / 30
    assert 0 < p < 1
    assert metrics["exact_match"].standard_error == pytest.approx(math.sqrt(p * (1 - p) / 30))
    mean = sum(shares) / 30
    variance = sum((share - mean) ** 2 for share in shares) / 30
    assert metrics["elementwise"].standard_error == pytest.approx(math.sqrt(variance / 30))


def test_ranks_of_ties_and_non_finite_scores() -> None:
    nan, inf = math.nan, math.inf
    scores = torch.tensor([[2.0, 1.0, 1.0, 3.0], [nan, 1.0, inf, -inf], [nan, nan, nan, 0.0]])
    assert ranks(scores).tolist() == [[2, 0, 1, 3], [3, 1, 2, 0], [1, 2, 3, 0]]


def test_evaluation_is_deterministic_and_keeps_the_training_mode() -> None:
    task = _task()
    model = task.build_model().train()
    assert task.evaluate(model) == task.evaluate(model)
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_examples() -> None:
    task = _task(n=4, data={"name": "digits", "digits": 3})
    scores = torch.tensor([[0.1, 0.3, 0.2, 0.4], [1.0, math.nan, 0.0, -math.inf], [1, 2, 3, 4]])
    items = task.examples(_Fixed(scores), images=True)
    json.dumps(items, allow_nan=False)
    assert [(item["set"], item["item"]) for item in items] == list(
        itertools.product(range(3), range(4))
    )
    assert all(set(item) == set(RankingExample.__annotations__) for item in items)
    assert [item["rank"] for item in items[:8]] == [0, 2, 1, 3, 2, 3, 1, 0]
    assert [item["score"] for item in items[4:8]] == [1.0, None, 0.0, None]
    for start in (0, 4, 8):
        group = items[start : start + 4]
        ordered = sorted(item["value"] for item in group)
        assert [ordered.index(item["value"]) for item in group] == [
            item["true_rank"] for item in group
        ]
        assert all(item["correct"] == (item["rank"] == item["true_rank"]) for item in group)
    assert all(isinstance(item["value"], int) for item in items)
    image = Image.open(io.BytesIO(base64.b64decode(items[0]["image"].split(",")[1])))
    assert image.size == (24, 8)


def test_examples_show_the_numbers_that_they_name() -> None:
    """An oracle's order of the examples' images is that of their values."""
    items = _task().examples(_Oracle(), images=False)
    assert all(item["correct"] and item["score"] == item["value"] for item in items)
    assert all(item["image"] is None for item in items)


def test_more_numbers_than_values() -> None:
    with pytest.raises(DatasetError, match="needs 11 different values in the training part"):
        _task(n=11, data={"name": "digits", "digits": 1})


def test_own_images(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [i * 0.5 for i in range(40)] + [3.0] * 5)
    task = _task(n=5, data={"name": "folder", "path": str(folder), "height": 6, "width": 5})
    batch = task.batch(1, 8)
    assert batch.inputs.shape == (8, 5, 1, 6, 5)
    # Image i is of the one grey level 10 + i: brighter shows more, but for the last five, which
    # all show 3 and of which a set holds at most one.
    levels = task._train.pixels(task._train.draw(generator(0, "batch", 1), 8, 5))[..., 0, 0].int()
    values = torch.where(levels < 50, (levels - 10) * 0.5, 3.0)
    assert batch.target is not None
    assert torch.equal(batch.target, permutation_matrix(values))
    assert all(len(set(row)) == 5 for row in values.tolist())
    items = task.examples(task.build_model(), images=True)
    assert len(items) == 15
    assert {item["value"] for item in items} <= {i * 0.5 for i in range(40)}


def test_own_images_with_too_few_values(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, range(20))
    with pytest.raises(DatasetError, match="needs 5 different values in the test part, found 4"):
        _task(n=5, data={"name": "folder", "path": str(folder)})
    ties = write_folder(tmp_path / "ties", [1, 1, 1, 2] * 20)
    with pytest.raises(
        DatasetError, match="needs 3 different values in the training part, found 2"
    ):
        _task(n=3, data={"name": "folder", "path": str(ties)})
