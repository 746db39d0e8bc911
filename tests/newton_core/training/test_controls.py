"""Arms that are controls of another: what they send back into the network is what they say."""

import copy
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core.experiment.events import CurvatureEvent, Finished, Metrics
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import METRIC_NAMES
from newton_core.training.arm import Arm, Observation
from newton_core.training.context import RunContext
from newton_core.training.replay import Replay
from newton_core.training.run import run
from newton_core.training.snapshots import load_snapshot, snapshot_name
from tests.newton_core.training.logs import numbers
from tests.newton_core.training.specs import small_record, small_spec


def first_update(context: RunContext, settings: dict[str, Any]) -> tuple[Tensor, Observation]:
    """The weights' gradient of one update, and what it saw."""
    record = context.spec.model_dump() | {"arms": [settings]}
    arm = Arm(ExperimentSpec.model_validate(record), 0, copy.deepcopy(context.initial))
    seen = arm.update(context.batch(1), 1, observe=True)
    grads = [p.grad for p in arm.model.parameters()]
    return torch.cat([grad.flatten() for grad in grads if grad is not None]).double(), seen


def metric(seen: Observation, name: str) -> float:
    assert seen.metrics is not None
    return seen.metrics[METRIC_NAMES.index(name)]


def test_the_events_of_an_earlier_version_replay(tmp_path: Path) -> None:
    """They know neither `turn` nor `tikhonov`, nor what curvature leaves to turn."""
    spec = small_spec(steps=8, evaluate_every=4)
    events = [json.loads(event.model_dump_json()) for event in run(spec, snapshots=tmp_path)]
    for event in events:
        if event["type"] == "metrics":
            del event["values"]["turn"], event["values"]["tikhonov"]
        if event["type"] == "curvature":
            del event["complement_condition"], event["fisher"]["complement_condition"]
    bodies = [json.dumps(event) for event in events]
    again = run(
        spec,
        start=tmp_path / snapshot_name(0),
        replay=Replay(frozenset({0, 1}), 8, bodies, tmp_path),
    )
    for event in again:
        if isinstance(event, Metrics):
            assert (event.values["turn"][0] is None) == (event.arm < 2)
            assert None not in event.values["loss"]
        if isinstance(event, CurvatureEvent):
            assert event.fisher is not None
            assert (event.fisher.complement_condition is None) == (event.arm < 2)
    assert event.type == "finished"


def test_turn_and_tikhonov_are_measured_at_every_step() -> None:
    spec = small_spec(steps=6, changes=[{"step": 3, "arm": 2, "tikhonov": 5.0}])
    found: dict[str, list[list[float | None]]] = {"turn": [[], [], []], "tikhonov": [[], [], []]}
    for event in run(spec):
        if isinstance(event, Metrics):
            for name, columns in found.items():
                columns[event.arm] += event.values[name]
    assert found["tikhonov"] == [[None] * 6, [0.1] * 6, [0.01] * 3 + [5.0] * 3]
    assert found["turn"][0] == [0.0] * 6
    fishers = found["turn"][2]
    assert all(angle is not None and angle > 0 for angle in found["turn"][1] + fishers)
    assert fishers[3] is not None
    assert fishers[2] is not None
    assert fishers[3] < fishers[2], "much damping leaves the gradient's direction"


def dampings(spec: ExperimentSpec, **kwargs: Any) -> list[float | None]:
    """The damping in use at each step of the first arm."""
    return [
        value
        for event in run(spec, **kwargs)
        if isinstance(event, Metrics) and event.arm == 0
        for value in event.values["tikhonov"]
    ]


def test_a_damping_that_follows_success_starts_at_what_is_set_and_survives_a_snapshot(
    tmp_path: Path,
) -> None:
    arm = {"curvature": "fisher", "tikhonov": 1e-4, "tikhonov_rule": "levenberg_marquardt"}
    spec = small_spec(arms=[arm], changes=[{"step": 16, "arm": 0, "tikhonov": 7.0}])
    whole = dampings(spec, snapshots=tmp_path)
    assert whole[0] == 1e-4
    assert whole[16] == 7.0
    assert len(set(whole)) > 3
    steps = [b / a for a, b in pairwise(whole) if a is not None and b is not None and b != 7.0]
    assert set(steps) <= {0.5, 1.0, 2.0}
    assert dampings(spec, start=tmp_path / snapshot_name(10)) == whole[10:]


def test_a_quadratic_loss_lets_the_damping_shrink_to_its_floor() -> None:
    spec = small_spec(
        task={"name": "classification", "test_images": 2},
        loss={"name": "squared_error"},
        arms=[
            {"curvature": "hessian", "tikhonov_rule": "levenberg_marquardt", "tikhonov": 0.8,
             "lm_floor": 0.2, "component": "direction"},
        ],
        steps=4,
    )  # fmt: skip
    assert dampings(spec) == [0.8, 0.4, 0.2, 0.2]


def test_a_relative_damping_is_that_of_the_batch(tmp_path: Path) -> None:
    arm = {"curvature": "fisher", "tikhonov": 0.5, "tikhonov_rule": "relative"}
    spec = small_spec(arms=[arm], steps=3)
    context = RunContext(spec)
    fresh = Arm(spec, 0, copy.deepcopy(context.initial))
    gradient = fresh.derivatives(context.batch(1), 1, hessian=False).gradient
    expected = 0.5 * gradient.double().square().mean().item()
    found = dampings(spec, snapshots=tmp_path)
    assert found[0] == pytest.approx(expected, rel=1e-5)
    assert len(set(found)) == 3
    assert load_snapshot(tmp_path / snapshot_name(3))[1][0]["tikhonov"] == 0.5


GGN = {"curvature": "ggn", "tikhonov": 0.5, "optimizer": "sgd", "lr": 0.1}


def test_the_unsplit_step_of_a_run_is_measured_on_the_weights_alone() -> None:
    context = RunContext(small_spec(task=small_record()["task"] | {"n": 3}))
    plain, gradient = first_update(context, {})
    step, seen = first_update(context, GGN)
    damped_alone, _ = first_update(context, GGN | {"tikhonov": 1e6})
    torch.testing.assert_close(damped_alone * 1e6, plain, rtol=1e-3, atol=1e-7)
    assert torch.nn.functional.cosine_similarity(step, plain, dim=0).item() < 0.999
    for name in ("newton_loss", "direction_norm", "cosine", "turn"):
        assert math.isnan(metric(seen, name))
    for name in ("loss", "output_gradient_norm", "largest_gradient_norm"):
        assert metric(seen, name) == metric(gradient, name)
    norm = metric(seen, "parameter_gradient_norm")
    assert norm == pytest.approx(torch.linalg.vector_norm(step).item(), rel=1e-5)
    assert metric(seen, "tikhonov") == 0.5


def test_unsplit_arms_resume_and_take_changes(tmp_path: Path) -> None:
    spec = small_spec(
        arms=[GGN], steps=8, evaluate_every=4, changes=[{"step": 6, "arm": 0, "tikhonov": 3.0}]
    )
    whole = list(run(spec, snapshots=tmp_path))
    assert whole[-1].type == "finished"
    resumed = list(run(spec, start=tmp_path / snapshot_name(4)))
    assert numbers(resumed) == {
        key: value
        for key, value in numbers(whole, after=4).items()
        if not key.startswith("snapshot/")
    }
    assert dampings(spec) == [0.5] * 6 + [3.0] * 2


def test_batch_norm_that_a_network_does_not_declare_is_found() -> None:
    spec = small_spec(arms=[GGN])
    network = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.BatchNorm1d(5))
    with pytest.raises(ValueError, match="'ggn' needs outputs that depend on their own sample"):
        Arm(spec, 0, network)


def test_networks_that_are_too_large_for_the_unsplit_step_are_refused(tmp_path: Path) -> None:
    task = small_record()["task"]
    a_million = {**task, "model": {"name": "mlp", "hidden": [1000, 700]}}
    *_, last = run(small_spec(task=a_million, arms=[GGN], steps=1, batch_size=2))
    assert last.type == "finished"
    # only with the images one knows how many weights its first layer has
    large = {**task, "model": {"name": "mlp", "hidden": [4096, 400]}}
    *_, last = run(small_spec(task=large, arms=[{}, GGN], steps=1))
    assert last.type == "failed"
    assert last.error.startswith(
        "arms.1.curvature: 'ggn' is for networks of up to 2,000,000 weights, and this one has 2,"
    )
    *_, last = run(small_spec(task=large, arms=[{}], steps=1, batch_size=2), snapshots=tmp_path)
    assert last.type == "finished"


TASKS: list[dict[str, Any]] = [
    {
        "task": {"name": "classification", "test_images": 2, "model": {"name": "cnn"}},
        "loss": {"name": "cross_entropy"},
    },
    {
        "task": {
            "name": "shortest_path",
            "data": {"name": "terrain", "height": 4, "width": 4, "train_maps": 10, "test_maps": 10},
        },
        "loss": {"name": "perturbed_fy"},
    },
    {"task": {"name": "surface"}, "loss": {"name": "rosenbrock"}},
]


@pytest.mark.parametrize("fields", TASKS, ids=lambda fields: fields["task"]["name"])
def test_every_network_without_batch_norm_takes_the_unsplit_step(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    spec = small_spec(**fields, arms=[GGN], steps=2, batch_size=3)
    *_, last = run(spec)
    assert isinstance(last, Finished)
    assert last.summary.arms[0].status == "completed"


@pytest.mark.parametrize(
    "newton",
    [
        {"curvature": "hessian", "definiteness": "clip"},
        {"curvature": "hessian", "hessian": "per_sample", "definiteness": "saddle_free"},
        {"curvature": "fisher", "tikhonov": 0.01},
    ],
    ids=["batch_mean", "per_sample", "fisher"],
)
def test_a_runs_components_have_the_norms_and_directions_that_they_say(
    newton: dict[str, Any],
) -> None:
    context = RunContext(small_spec())
    plain, gradient = first_update(context, {})
    full, newtons = first_update(context, newton)
    length, longer = first_update(context, newton | {"component": "length"})
    direction, turned = first_update(context, newton | {"component": "direction"})

    # the network is linear in what is sent back: one factor for the batch is one for the weights
    for component, kept in ((length, plain), (direction, full)):
        cosine = torch.nn.functional.cosine_similarity(component, kept, dim=0).item()
        assert cosine == pytest.approx(1.0, abs=1e-6)
    newton_loss = metric(newtons, "newton_loss")  # half the mean square of the direction's norms
    assert metric(longer, "newton_loss") == pytest.approx(newton_loss, rel=1e-4)
    assert metric(longer, "cosine") == pytest.approx(1.0, abs=1e-6)
    assert metric(turned, "cosine") == pytest.approx(metric(newtons, "cosine"), abs=1e-6)

    each = newton | {"component": "direction", "component_of": "sample"}
    _, every = first_update(context, each)
    mean_norm = metric(gradient, "output_gradient_norm")
    assert metric(every, "direction_norm") == pytest.approx(mean_norm, rel=1e-5)
