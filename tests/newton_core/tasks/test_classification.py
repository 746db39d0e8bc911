import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from newton_core.data import load_digits
from newton_core.losses.base import TargetKind
from newton_core.tasks import TASKS, ClassificationParameters, ClassificationTask
from newton_core.tasks.classification import ClassificationExample
from tests.newton_core.data.own_images import write_folder

CPU = torch.device("cpu")


def _task(
    seed: int = 0, target_kind: TargetKind = "class", **parameters: Any
) -> ClassificationTask:
    record = {"name": "classification", **parameters}
    return ClassificationTask(
        ClassificationParameters.model_validate(record),
        target_kind=target_kind,
        seed=seed,
        device=CPU,
    )


class _Fixed(nn.Module):
    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits[: len(images)]


def test_is_registered_and_complete_by_default() -> None:
    assert TASKS.get("classification") is ClassificationTask
    record = json.loads(ClassificationParameters().model_dump_json())
    assert record["data"] == {"name": "digits"}


def test_batches_pair_images_with_their_labels() -> None:
    batch = _task().batch(3, 50)
    assert batch.inputs.shape == (50, 1, 8, 8)
    assert batch.target is not None
    assert batch.target.dtype == torch.int64
    train = load_digits().normalise(load_digits().train.pixels).flatten(1)
    matches = (batch.inputs.flatten(1).unsqueeze(1) == train).all(2)
    assert torch.equal(load_digits().train.labels[matches.int().argmax(1)], batch.target)
    assert bool(matches.any(1).all())


def test_values_are_one_hot() -> None:
    classes, values = _task().batch(1, 20), _task(target_kind="value").batch(1, 20)
    assert torch.equal(classes.inputs, values.inputs)
    assert values.target is not None
    assert values.target.dtype == torch.float32
    assert torch.equal(values.target.argmax(1), classes.target)
    assert torch.equal(values.target.sum(1), torch.ones(20))


def test_other_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a target of kind class, value, got 'path'"):
        _task(target_kind="path")


def test_batches_are_a_pure_function_of_seed_and_step() -> None:
    first = _task(seed=1).batch(7, 30)
    torch.manual_seed(3)
    assert torch.equal(_task(seed=1).batch(7, 30).inputs, first.inputs)
    assert not torch.equal(_task(seed=1).batch(8, 30).inputs, first.inputs)
    assert not torch.equal(_task(seed=2).batch(7, 30).inputs, first.inputs)


def test_tensors_live_on_the_tasks_device() -> None:
    """The meta device stands for any device but the CPU: mixing the two is an error."""
    meta = torch.device("meta")
    parameters = ClassificationParameters()
    task = ClassificationTask(parameters, target_kind="class", seed=0, device=meta)
    batch = task.batch(1, 3)
    assert batch.target is not None
    assert batch.inputs.device == batch.target.device == meta
    assert task.build_model()(batch.inputs).shape == (3, 10)


def test_accuracy_against_an_obvious_loop() -> None:
    task = _task(test_images=100)
    model = task.build_model()
    metric = task.evaluate(model)["accuracy"]
    items = [task._test_images[i : i + 1] for i in range(100)]
    right = [
        int(model(image).argmax()) == int(label)
        for image, label in zip(items, task._test_labels, strict=True)
    ]
    p = sum(right) / 100
    assert metric.value == pytest.approx(p)
    assert metric.standard_error == pytest.approx(math.sqrt(p * (1 - p) / 100))


def test_test_images_are_the_test_parts_and_the_same_for_every_seed() -> None:
    task = _task(test_images=10_000)
    digits = load_digits()
    assert len(task._test_labels) == len(digits.test)
    assert torch.equal(task._test_labels.bincount(), digits.test.labels.bincount())
    assert torch.equal(_task(seed=9)._test_images, _task(seed=2)._test_images)
    assert len(_task(test_images=7)._test_labels) == 7


def test_examples() -> None:
    task = _task()
    labels = task._test_labels[:12]
    logits = torch.nn.functional.one_hot(labels, 10).float() * 3
    logits[1] = math.nan
    logits[2] = -logits[2]
    items = task.examples(_Fixed(logits), images=True)
    json.dumps(items, allow_nan=False)
    assert len(items) == 12
    assert all(set(item) == set(ClassificationExample.__annotations__) for item in items)
    assert [item["label"] for item in items] == labels.tolist()
    assert [item["correct"] for item in items] == [True, items[1]["label"] == 0, False, *[True] * 9]
    assert items[0]["probability"] == pytest.approx(math.exp(3) / (math.exp(3) + 9))
    assert items[1]["probability"] is None
    assert items[0]["image"].startswith("data:image/png;base64,")
    silent = task.examples(_Fixed(logits), images=False)
    assert all(item["image"] is None for item in silent)


def test_values_have_no_probability() -> None:
    task = _task(target_kind="value")
    assert all(
        item["probability"] is None for item in task.examples(task.build_model(), images=False)
    )


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_plain_training_recognises_digits(model: str) -> None:
    task = _task(model={"name": model})
    network = task.build_model()
    assert task.evaluate(network)["accuracy"].value < 0.3
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(1, 121):
        batch = task.batch(step, 64)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(batch.inputs), batch.target).backward()
        optimizer.step()
    assert task.evaluate(network)["accuracy"].value > 0.85


def test_own_images(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ["cat", "dog", "ant"] * 10)
    data = {"name": "folder", "path": str(folder), "height": 6, "width": 5}
    task = _task(data=data)
    batch = task.batch(1, 7)
    assert batch.inputs.shape == (7, 1, 6, 5)
    network = task.build_model()
    assert network(batch.inputs).shape == (7, 3)
    assert len(task._test_labels) == 6
    assert 0 <= task.evaluate(network)["accuracy"].value <= 1
    shown = task.examples(network, images=True)
    assert {item["label"] for item in shown} <= {"ant", "cat", "dog"}
    assert all(item["correct"] == (item["label"] == item["predicted"]) for item in shown)
