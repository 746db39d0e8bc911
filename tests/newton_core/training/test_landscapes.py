"""Landscapes in a run's log: the same plane for every arm, centred where the arm is, resumable."""

import itertools
from pathlib import Path

import pytest
import torch

from newton_core.experiment.events import Event, Landscape
from newton_core.landscape import descent_plane, model_weights
from newton_core.training.arm import build_spec_loss
from newton_core.training.context import PROBE_STEP, build_task
from newton_core.training.landscapes.recorder import LandscapeRecorder
from newton_core.training.landscapes.trajectory import MOST_POINTS, Trajectory, TrajectoryPoint
from newton_core.training.run import run
from newton_core.training.snapshots import list_snapshots
from tests.newton_core.training.specs import small_spec


def landscapes(events: list[Event]) -> list[Landscape]:
    return [event for event in events if isinstance(event, Landscape)]


def test_every_arm_has_the_same_plane_range_and_data_at_every_step() -> None:
    found = landscapes(list(run(small_spec(landscape_every=10))))
    assert [(e.step, e.arm) for e in found] == [(s, a) for s in (0, 10, 20) for a in range(3)]
    assert all(e.plane == found[0].plane and e.grid == found[0].grid for e in found)
    assert found[0].plane["kind"] == "descent"
    assert found[0].values == found[1].values == found[2].values, "the initial weights are shared"
    assert found[3].values != found[4].values
    for event in found:
        assert len(event.values) == len(event.grid["b"])
        assert all(len(row) == len(event.grid["a"]) for row in event.values)
        assert event.trajectory[-1] == pytest.approx([0.0, 0.0, event.step]), "it ends here"
    assert found[0].residual == 0
    assert all(0 < e.residual <= 1 for e in found[3:])


def test_landscapes_do_not_change_the_run() -> None:
    with_landscapes = list(run(small_spec(landscape_every=3)))
    without = list(run(small_spec()))
    seen, expected = (
        [e.model_dump(exclude={"seq"}) for e in events if e.type in ("evaluation", "curvature")]
        for events in (with_landscapes, without)
    )
    assert seen == expected


def test_the_values_are_the_loss_around_the_arms_weights(tmp_path: Path) -> None:
    spec = small_spec(landscape_every=24)
    last = landscapes(list(run(spec, snapshots=tmp_path)))[-1]
    task = build_task(spec)
    model = task.build_model()
    batch = task.batch(PROBE_STEP, spec.batch_size)
    loss = build_spec_loss(spec.loss)
    outputs = model(batch.inputs)
    loss(outputs, batch.target).mean().backward()
    gradient = {name: p.grad for name, p in model.named_parameters()}
    plane = descent_plane(model_weights(model), gradient, spec.seed)
    state = torch.load(list_snapshots(tmp_path)[24], weights_only=True)["arms"][last.arm]
    initial = {name: value.clone() for name, value in model.named_parameters()}
    for j, i in [(10, 10), (0, 20), (13, 4)]:
        a, b = last.grid["a"][i], last.grid["b"][j]
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                moved = state["model"][name] + a * plane.first[name] + b * plane.second[name]
                parameter.copy_(moved)
            value = loss(model(batch.inputs), batch.target).mean().item()
        assert last.values[j][i] == pytest.approx(value, rel=1e-4)

    # The trajectory starts at the initial weights, seen from the present ones.
    way = torch.cat([(state["model"][n] - w).double().flatten() for n, w in initial.items()])
    basis = torch.stack(
        [torch.cat([d[n].double().flatten() for n in initial]) for d in (plane.first, plane.second)]
    )
    shadow = torch.linalg.lstsq(basis.T, way[:, None]).solution[:, 0]
    assert last.trajectory[0] == pytest.approx([*(-shadow).tolist(), 0], rel=1e-4)


def test_a_resumed_run_says_the_same(tmp_path: Path) -> None:
    spec = small_spec(landscape_every=4)
    whole = landscapes(list(run(spec, snapshots=tmp_path)))
    resumed = landscapes(list(run(spec, start=list_snapshots(tmp_path)[10])))
    tail = [e for e in whole if e.step > 10]
    assert [e.model_dump(exclude={"seq"}) for e in resumed] == [
        e.model_dump(exclude={"seq"}) for e in tail
    ]


def test_without_the_setting_there_are_none() -> None:
    assert not landscapes(list(run(small_spec())))


def test_residual_is_the_share_of_the_way_that_leaves_the_plane() -> None:
    task = build_task(small_spec())
    model = task.build_model()
    loss = build_spec_loss(small_spec().loss)
    recorder = LandscapeRecorder(model, loss, task.batch(PROBE_STEP, 8), seed=0)
    trajectory = Trajectory()
    trajectory.add(recorder.locate(model, 0))
    plane = recorder._plane
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(0.25 * plane.first[name] - 0.5 * plane.second[name])
    inside = recorder.fields(model, 1, trajectory)
    assert inside["residual"] < 1e-5
    assert inside["trajectory"][0] == pytest.approx([-0.25, 0.5, 0], abs=1e-5)
    with torch.no_grad():  # biases are no part of the plane: this way leads straight out of it
        way = sum(float(p.sub(plane.origin[n]).square().sum()) for n, p in model.named_parameters())
        bias = next(p for p in model.parameters() if p.dim() == 1)
        bias[0] += way**0.5
    out = recorder.fields(model, 1, trajectory)
    assert out["residual"] == pytest.approx(0.5**0.5, rel=1e-4)


@pytest.mark.parametrize("landscape_every", [1, 7, 50])
def test_trajectories_stay_short_however_long_the_run(landscape_every: int) -> None:
    trajectory, resumed = Trajectory(), Trajectory()
    for step in range(9001):
        if trajectory.wants(step, landscape_every):
            trajectory.add(TrajectoryPoint(step, float(step), 0.0, 0.0, 1.0))
        if step == 5000:
            resumed = Trajectory(trajectory.state())
        elif step > 5000 and resumed.wants(step, landscape_every):
            resumed.add(TrajectoryPoint(step, float(step), 0.0, 0.0, 1.0))
    steps = [point.step for point in trajectory.points]
    assert len(steps) <= MOST_POINTS
    assert steps[0] == 0
    assert len({b - a for a, b in itertools.pairwise(steps)}) == 1, "evenly spaced"
    assert steps[-1] > 9000 - 100
    assert resumed.points == trajectory.points
