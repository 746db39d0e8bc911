"""The part by which runs stop: the data's own, or a share of the training part."""

import json

import pytest
import torch

from newton_core.data.base import ImageDataset, LabelledImages
from newton_core.data.maps import MapDataset, Maps
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.metrics import VALIDATION
from newton_core.training.context import RunContext, build_task
from tests.newton_core.training.specs import small_spec


def images(labels: list[int]) -> LabelledImages:
    """Image i is of the one level i."""
    pixels = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1).expand(-1, 2, 2)
    return LabelledImages(pixels.clone(), torch.tensor(labels))


def levels(part: LabelledImages) -> set[int]:
    return set(part.pixels[:, 0, 0].tolist())


def test_a_share_of_every_class_is_kept_aside() -> None:
    data = ImageDataset(train=images([0] * 10 + [1] * 20 + [2] * 3), test=images([0]), classes=3)
    split = data.with_validation(0.1)
    assert split.validation.labels.bincount().tolist() == [1, 2, 1]
    assert levels(split.train) | levels(split.validation) == set(range(33))
    assert len(split.train) + len(split.validation) == 33
    again = data.with_validation(0.1)
    assert torch.equal(again.validation.pixels, split.validation.pixels)
    assert split.with_validation(0.5) is split
    assert data.with_validation(0.0) is data


def test_classes_of_one_image_count_together() -> None:
    data = ImageDataset(train=images(list(range(20))), test=images([0]), classes=20)
    assert len(data.with_validation(0.1).validation) == 2


def test_maps_are_kept_aside_whole() -> None:
    count = torch.arange(1, 21)
    maps = Maps(
        count.view(-1, 1, 1, 1).expand(-1, 3, 2, 2).to(torch.uint8),
        count.view(-1, 1, 1).expand(-1, 2, 2).float(),
        torch.ones(20, 2, 2, dtype=torch.uint8),
    )
    split = MapDataset(maps, maps).with_validation(0.1)
    assert (len(split.train), len(split.validation)) == (18, 2)
    both = torch.cat([split.train.costs, split.validation.costs])[:, 0, 0]
    assert both.sort().values.tolist() == count.tolist()


TASKS = [
    ({"name": "ranking", "n": 3, "test_sets": 20}, "neuralsort"),
    ({"name": "classification", "test_images": 20}, "cross_entropy"),
    ({"name": "shortest_path",
      "data": {"name": "terrain", "height": 3, "width": 3, "train_maps": 20, "test_maps": 10}},
     "perturbed_fy"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "loss"), TASKS)
def test_where_there_is_a_target_the_task_keeps_images_aside_and_stops_by_them(task, loss):
    spec = small_spec(task=task, loss={"name": loss}, arms=[{}], target=0.5)
    context = RunContext(spec)
    primary = context.task.primary_metric
    found = context.initial_metrics
    assert {f"{VALIDATION}{primary}", f"{VALIDATION}{primary}_se"} <= set(found)
    assert context.reaches_target({**found, f"{VALIDATION}{primary}": 0.5, primary: 0.0})
    assert not context.reaches_target({**found, f"{VALIDATION}{primary}": 0.4, primary: 1.0})
    assert context.task.describe(f"{VALIDATION}{primary}").title.endswith(", validation")
    plain = build_task(small_spec(task=task, loss={"name": loss}, arms=[{}]))
    assert plain.validate(plain.build_model()) == {}


def test_without_a_target_nothing_is_kept_aside_unless_it_is_asked_for() -> None:
    assert small_spec().held_out == 0.0
    assert small_spec(target=0.5).held_out == 0.1
    assert small_spec(validation_share=0.2).held_out == 0.2


def test_what_was_stored_before_there_was_such_a_part_trains_as_it_did() -> None:
    record = small_spec(target=0.5).model_dump(mode="json")
    assert stored_spec(json.dumps(record)).held_out == 0.1
    del record["validation_share"]
    old = stored_spec(json.dumps(record))
    assert old.held_out == 0.0
    assert stored_spec(old.model_dump_json()) == old
    assert ExperimentSpec.model_validate(record).held_out == 0.1
    found = {"exact_match": 0.6, "exact_match_se": 0.1}
    assert RunContext(old).reaches_target(found)
