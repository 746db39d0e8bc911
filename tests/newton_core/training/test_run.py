import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from newton_core.experiment.events import EventBase, parse_event
from newton_core.losses import build_loss
from newton_core.metrics import METRIC_NAMES
from newton_core.training.context import build_task
from newton_core.training.run import run
from newton_core.training.snapshots import list_snapshots, snapshot_steps
from tests.newton_core.training.logs import events_of, metric, numbers
from tests.newton_core.training.specs import ARMS, small_spec


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[EventBase], Path]:
    folder = tmp_path_factory.mktemp("snapshots")
    return events_of(small_spec(), snapshots=folder), folder


def test_the_log_is_numbered_without_gaps_starts_and_ends_once(plain):
    events, _ = plain
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[0].type == "started"
    assert events[-1].type == "finished"
    assert sum(event.type in {"finished", "failed", "cancelled"} for event in events) == 1


def test_every_event_survives_json(plain):
    events, _ = plain
    for event in events:
        assert parse_event(event.model_dump_json()) == event


def test_started_carries_the_complete_spec_and_the_network_s_size(plain):
    started = plain[0][0]
    assert started.spec == small_spec()
    model = build_task(small_spec()).build_model()
    assert started.parameters == sum(p.numel() for p in model.parameters())
    assert started.versions["torch"] == torch.__version__


def test_each_logged_step_has_every_metric_once_per_arm(plain):
    events, _ = plain
    for arm in range(3):
        for name in METRIC_NAMES:
            assert list(metric(events, arm, name)) == list(range(1, 25))


def test_metrics_use_batch_k_and_the_weights_before_it(plain):
    events, _ = plain
    task = build_task(small_spec())
    model = task.build_model()
    batch = task.batch(1, 8)
    with torch.no_grad():
        loss = build_loss("neuralsort")(model(batch.inputs), batch.target).mean().item()
    for arm in range(3):
        assert metric(events, arm, "loss")[1] == pytest.approx(loss, rel=1e-5)


def test_vanilla_equals_plain_training_by_hand() -> None:
    spec = small_spec(arms=[{"optimizer": "sgd", "lr": 0.1, "momentum": 0.5}], steps=6)
    task = build_task(spec)
    model = task.build_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    loss = build_loss("neuralsort")
    expected = []
    for step in range(1, 7):
        batch = task.batch(step, 8)
        optimizer.zero_grad()
        value = loss(model(batch.inputs), batch.target).mean()
        expected.append(value.item())
        value.backward()
        optimizer.step()
    assert list(metric(events_of(spec), 0, "loss").values()) == pytest.approx(expected, rel=1e-4)


def test_cosine_and_norms_tell_vanilla_from_newton(plain):
    events, _ = plain
    assert metric(events, 0, "cosine")[5] == pytest.approx(1.0, abs=1e-5)
    assert metric(events, 0, "newton_loss")[5] is None
    assert metric(events, 0, "direction_norm")[5] == pytest.approx(
        metric(events, 0, "output_gradient_norm")[5], rel=1e-5
    )
    assert 0 < metric(events, 2, "cosine")[5] < 1
    assert metric(events, 2, "newton_loss")[5] > 0


def test_evaluation_curvature_and_examples_come_for_every_arm_at_the_same_steps(plain):
    events, _ = plain
    for kind in ("evaluation", "curvature", "examples"):
        where = [(e.step, e.arm) for e in events if e.type == kind]
        assert where == [(step, arm) for step in (0, 8, 16, 24) for arm in range(3)]


def test_evaluations_are_flat_with_standard_errors(plain):
    first = next(e for e in plain[0] if e.type == "evaluation").model_dump()
    assert {"exact_match", "exact_match_se", "elementwise", "elementwise_se"} <= set(first)


def test_curvature_has_both_spectra_for_every_arm(plain):
    for event in plain[0]:
        if event.type == "curvature":
            for spectrum in (event.hessian, event.fisher):
                assert len(spectrum.eigenvalues) == 5
                assert spectrum.eigenvalues == sorted(spectrum.eigenvalues)
                assert spectrum.condition >= 1
            assert -1 <= event.direction_cosine <= 1
            norms = event.gradient_norms
            assert sum(norms.counts) + norms.zero + norms.non_finite == 8
            assert len(norms.counts) == len(norms.log10_edges) - 1


def test_images_travel_once_an_arm(plain):
    examples = [e for e in plain[0] if e.type == "examples" and e.arm == 1]
    assert all(item["image"].startswith("data:image/png;base64,") for item in examples[0].items)
    assert all(item["image"] is None for item in examples[1].items)


def test_the_same_spec_gives_the_same_numbers_bit_for_bit(plain):
    assert numbers(events_of(small_spec(), snapshots=plain[1])) == numbers(plain[0])


def test_another_seed_gives_other_numbers(plain):
    assert metric(events_of(small_spec(seed=1)), 0, "loss") != metric(plain[0], 0, "loss")


def test_an_arm_does_not_depend_on_its_neighbours(plain):
    alone = events_of(small_spec(arms=[ARMS[2]]))
    assert metric(alone, 0, "loss") == metric(plain[0], 2, "loss")


def test_snapshots_lie_where_the_events_say(plain):
    events, folder = plain
    said = {e.step: e.file for e in events if e.type == "snapshot"}
    assert list(said) == snapshot_steps(24) == list(list_snapshots(folder))
    assert {path.name for path in folder.iterdir()} == set(said.values())


def test_a_fork_equals_its_parent_up_to_the_change_and_differs_after(plain):
    changed = events_of(small_spec(changes=[{"step": 12, "arm": 2, "tikhonov": 10.0}]))
    before, after = metric(plain[0], 2, "loss"), metric(changed, 2, "loss")
    assert [s for s in before if before[s] != after[s]] == list(range(14, 25))
    assert metric(plain[0], 0, "loss") == metric(changed, 0, "loss")
    said = [e for e in changed if e.type == "changed"]
    assert [(e.arm, e.step, e.tikhonov, e.lr) for e in said] == [(2, 12, 10.0, None)]


def test_a_run_waits_for_the_place_of_its_snapshots(plain, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "snapshots"
    away = tmp_path / "away"
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            away.rename(tmp_path / "data")

    monkeypatch.setattr("newton_core.training.snapshots.time.sleep", wait)
    events = []
    for event in run(small_spec(), snapshots=folder):
        events.append(event)
        if event.type == "snapshot" and event.step == 4:
            (tmp_path / "data").rename(away)
    assert len(waits) == 2
    assert numbers(events) == numbers(plain[0])
    assert list(list_snapshots(folder)) == list(list_snapshots(plain[1]))


def test_a_run_that_waits_for_the_place_of_its_snapshots_can_be_stopped(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "snapshots"
    stop = threading.Event()
    monkeypatch.setattr("newton_core.training.snapshots.time.sleep", lambda _: stop.set())
    for event in run(small_spec(), snapshots=folder, stop=stop):
        if event.type == "snapshot" and event.step == 4:
            shutil.rmtree(tmp_path / "data")
    assert event.type == "cancelled"
    assert not (tmp_path / "data").exists()


def test_stopping_ends_with_cancelled_and_keeps_what_was_measured() -> None:
    stop = threading.Event()
    events = []
    for event in run(small_spec(steps=100_000, evaluate_every=50_000), stop=stop):
        events.append(event)
        if event.type == "metrics" and event.steps[-1] > 5:
            stop.set()
    assert events[-1].type == "cancelled"
    assert events[-1].summary.step == max(metric(events, 0, "loss"))
    assert {arm.status for arm in events[-1].summary.arms} == {"stopped"}


def test_stop_may_be_a_callable() -> None:
    assert events_of(small_spec(), stop=lambda: True)[-1].type == "cancelled"


def test_a_time_limit_ends_the_run_as_finished() -> None:
    began = time.monotonic()
    events = events_of(small_spec(steps=1_000_000, evaluate_every=500_000, seconds=0.5))
    assert events[-1].type == "finished"
    assert events[-1].summary.step < 1_000_000
    assert time.monotonic() - began > 0.5


def test_an_arm_stops_at_the_target_and_the_others_go_on() -> None:
    spec = small_spec(
        task={"name": "classification", "model": {"name": "mlp"}},
        loss={"name": "cross_entropy"},
        arms=[{"lr": 1e-2}, {"lr": 1e-8}], steps=200, batch_size=50, target=0.5,
        evaluate_every=10,
    )  # fmt: skip
    summary = events_of(spec)[-1].summary
    assert [arm.status for arm in summary.arms] == ["target", "completed"]
    assert summary.arms[0].step < 200
    assert summary.arms[0].metrics["accuracy"] >= 0.5


@pytest.mark.parametrize(
    ("name", "target", "arms"),
    [
        ("heat", 0.4, [{"lr": 3e-3}, {"lr": 1e-8}]),
        ("trajectory", 0.05, [{"lr": 1e-2, "curvature": "hessian"}, {"lr": 1e-8}]),
    ],
)
def test_a_target_of_either_side_is_met_on_validation(
    name: str, target: float, arms: list[dict[str, Any]]
) -> None:
    """Of an error, lower is better: no arm may stop before it has fallen to the target."""
    spec = small_spec(
        task={"name": name, "model": {"name": "mlp", "hidden": [32]}}, loss={"name": name},
        arms=arms, steps=60, batch_size=32, target=target, evaluate_every=5,
    )  # fmt: skip
    events = events_of(spec)
    summary = events[-1].summary
    assert [arm.status for arm in summary.arms] == ["target", "completed"]
    assert 0 < summary.arms[0].step < 60
    last = [e for e in events if e.type == "evaluation" and e.arm == 0][-1].model_dump()
    reached = last[f"validation_{summary.primary_metric}"]
    assert reached <= target if name == "heat" else reached >= target
    assert reached != last[summary.primary_metric]


def test_an_arm_that_meets_infinity_diverges_and_the_others_go_on() -> None:
    arms = [
        {"label": "mad", "optimizer": "sgd", "lr": 1e3, "momentum": 0.9},
        {"curvature": "fisher"},
    ]
    spec = small_spec(
        task={"name": "classification", "model": {"name": "mlp"}},
        loss={"name": "squared_error"}, arms=arms, steps=60,
    )  # fmt: skip
    events = events_of(spec)
    (diverged,) = [e for e in events if e.type == "diverged"]
    assert diverged.arm == 0
    assert "not finite" in diverged.reason
    assert [arm.status for arm in events[-1].summary.arms] == ["diverged", "completed"]
    assert max(metric(events, 0, "loss")) == diverged.step - 1
    assert events[-1].summary.arms[0].ended == f"diverged at step {diverged.step}"
    first = next(e for e in events if e.type == "evaluation")
    assert events[-1].summary.initial == first.model_extra
    assert max(metric(events, 1, "loss")) == 60
    assert all(
        e.step <= diverged.step
        for e in events
        if getattr(e, "arm", None) == 0 and e.type == "evaluation"
    )


def test_a_spike_is_said_with_its_size_and_the_usual(tmp_path):
    spec = small_spec(
        loss={"name": "neuralsort", "temperature": 0.1, "numerics": "bce_loss"},
        arms=[{"lr": 1e-3}], steps=120, evaluate_every=120,
        changes=[{"step": 60, "arm": 0, "lr": 0.3}],  # scores fly apart, the loss saturates
    )  # fmt: skip
    events = events_of(spec)
    largest = metric(events, 0, "largest_gradient_norm")
    spikes = [e for e in events if e.type == "spike"]
    assert spikes
    for spike in spikes:
        assert spike.norm > 10 * spike.median > 0
        assert largest[spike.step] == pytest.approx(spike.norm)
    said = {spike.step for spike in spikes}
    for step, norm in largest.items():
        window = [largest[s] for s in range(max(1, step - 101), step)]
        if len(window) >= 20 and step not in said:
            assert norm <= 10 * sorted(window)[len(window) // 2] * 1.0001


def test_events_are_throttled_whatever_the_step_rate() -> None:
    spec = small_spec(steps=100_000, evaluate_every=100_000, seconds=2.0, batch_size=1)
    began = time.monotonic()
    events = [e for e in run(spec) if e.type == "metrics"]
    assert len(events) <= 30 * (time.monotonic() - began)
    for arm in range(len(spec.arms)):
        steps = [step for event in events if event.arm == arm for step in event.steps]
        assert steps == list(range(1, len(steps) + 1))
    assert sum(len(event.steps) for event in events) > len(events)


def test_an_own_loss_is_trained_and_the_run_s_loss_is_reported() -> None:
    arms = [{}, {"loss": {"name": "neuralsort", "temperature": 0.1}}]
    events = events_of(small_spec(arms=arms, steps=3))
    assert metric(events, 0, "loss") == metric(events, 0, "own_loss")
    # forward and closed-form derivatives round the same value differently
    assert metric(events, 1, "loss")[1] == pytest.approx(metric(events, 0, "loss")[1], rel=1e-6)
    assert metric(events, 1, "own_loss")[1] != metric(events, 1, "loss")[1]


def test_gradient_controls_bound_each_sample() -> None:
    arms = [{"gradient": "normalise"}, {"gradient": "clip", "clip_norm": 1e-3}]
    events = events_of(small_spec(arms=arms, steps=3))
    assert metric(events, 0, "direction_norm")[1] == pytest.approx(1.0, rel=1e-5)
    assert metric(events, 1, "direction_norm")[1] == pytest.approx(1e-3, rel=1e-5)


def test_a_snapshot_of_other_arms_is_refused(plain):
    (failed,) = events_of(small_spec(arms=[{}]), start=list_snapshots(plain[1])[10])
    assert "holds 3 arms" in failed.error


def test_a_device_that_is_not_there_is_named() -> None:
    (failed,) = events_of(small_spec(device="cuda:77"))
    assert "'cuda:77' is not available; use one of cpu" in failed.error
