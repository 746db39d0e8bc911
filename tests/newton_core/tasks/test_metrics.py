"""What tasks say of themselves: metrics, outputs, data."""

import pytest

from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import METRIC_NAMES, STEP_METRICS
from newton_core.tasks import TASKS
from newton_core.training.context import build_task

LOSS: dict[str, str | dict[str, str]] = {
    "ranking": "neuralsort",
    "classification": "cross_entropy",
    "shortest_path": "perturbed_fy",
    "surface": "rosenbrock",
    "trajectory": "trajectory",
    "heat": "heat",
    "discs": "soft_disc",
    "top_k": "top_k_cross_entropy",
    "jigsaw": "sinkhorn",
    "forecast": "soft_dtw",
    "spanning_tree": {"name": "perturbed_fy", "oracle": "spanning_tree"},
}
MAPS = {"name": "terrain", "height": 3, "width": 3, "train_maps": 10, "test_maps": 10}
SMALL = {"shortest_path": {"data": MAPS}, "spanning_tree": {"data": MAPS}}


def spec_of(name: str) -> ExperimentSpec:
    task = {"name": name, **SMALL.get(name, {})}
    loss = LOSS[name]
    record = {"name": loss} if isinstance(loss, str) else loss
    return ExperimentSpec.model_validate({"task": task, "loss": record, "arms": [{}]})


@pytest.mark.parametrize("name", TASKS.names())
def test_a_task_describes_each_metric_that_it_measures(name: str) -> None:
    task = build_task(spec_of(name))
    measured = task.evaluate(task.build_model())
    assert [metric.name for metric in task.metrics] == list(measured)
    assert task.primary_metric in measured
    for metric in task.metrics:
        value = measured[metric.name]
        if metric.kind == "share":
            assert 0 <= value.value <= 1
        assert metric.sampled or value.standard_error == 0


def test_a_metric_without_a_description_is_named() -> None:
    described = TASKS.get("ranking").describe("mean_rank")
    assert (described.title, described.kind) == ("Mean rank", "number")


def test_step_metrics_are_explained() -> None:
    assert len(set(METRIC_NAMES)) == len(STEP_METRICS)
    for metric in STEP_METRICS:
        assert metric.unit
        assert metric.description.endswith(".")


@pytest.mark.parametrize("name", TASKS.names())
def test_outputs_are_counted_where_a_parameter_makes_them_many(name: str) -> None:
    task = spec_of(name).task
    counted = {
        "ranking": 5, "shortest_path": 9, "classification": 1, "surface": 1, "trajectory": 128,
        "heat": 1, "discs": 3, "spanning_tree": 9, "top_k": 1, "jigsaw": 81, "forecast": 32,
    }  # fmt: skip
    assert task.outputs_per_sample().count == counted[name]
    data = task.datasets()
    assert (not data) == (name in ("surface", "trajectory", "discs"))
    assert not any(part.own_files for part in data.values())
