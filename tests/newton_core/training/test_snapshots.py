"""Runs that go on from the snapshots of another, and where those lie."""

from pathlib import Path
from typing import Any

import pytest

from newton_core.training.snapshots import list_snapshots, load_snapshot, snapshot_steps
from tests.newton_core.training.logs import events_of, numbers
from tests.newton_core.training.specs import ARMS, small_spec

CHANGES = [
    {"step": 10, "arm": 2, "tikhonov": 1.0},
    {"step": 12, "arm": 0, "lr": 1e-2},
    {"step": 12, "arm": 1, "lr": 1e-4, "tikhonov": 3.0},
]
FORKS: list[dict[str, Any]] = [
    {},
    {"changes": CHANGES},
    {"arms": [{**arm, "lr_milestones": [5, 13]} for arm in ARMS]},
    {"loss": {"name": "neuralsort", "temperature": 0.3, "numerics": "bce_loss"}},
    {"arms": [{"optimizer": "sgd", "momentum": 0.9}, {"gradient": "normalise"},
              {"curvature": "fisher", "loss": {"name": "softsort", "temperature": 0.5}}]},
]  # fmt: skip


@pytest.mark.parametrize("fields", FORKS)
@pytest.mark.parametrize("step", [0, 10, 12, 22, 24])
def test_going_on_from_any_snapshot_equals_the_run_from_scratch(fields, step, tmp_path):
    spec = small_spec(**fields)
    scratch = events_of(spec, snapshots=tmp_path / "scratch")
    start = list_snapshots(tmp_path / "scratch")[step]
    resumed = events_of(spec, start=start, snapshots=tmp_path / "resumed")
    assert numbers(resumed, after=step) == numbers(scratch, after=step)
    at_step = [e for e in resumed if getattr(e, "step", None) == step]
    assert {e.type for e in at_step} <= {"changed"}
    if step < 24:
        assert weights_at(tmp_path / "resumed", 24) == weights_at(tmp_path / "scratch", 24)


def weights_at(folder: Path, step: int) -> list[dict[str, list[float]]]:
    _, arms = load_snapshot(list_snapshots(folder)[step])
    return [{key: value.tolist() for key, value in arm["model"].items()} for arm in arms]


def test_milestones_divide_the_learning_rate_by_ten(tmp_path):
    spec = small_spec(arms=[{"lr": 0.5, "optimizer": "sgd", "lr_milestones": [10, 12]}])
    events_of(spec, snapshots=tmp_path)
    rates = {
        step: load_snapshot(path)[1][0]["optimizer"]["param_groups"][0]["lr"]
        for step, path in list_snapshots(tmp_path).items()
    }
    assert [rates[s] for s in (8, 10, 12, 24)] == pytest.approx([0.5, 0.05, 0.005, 0.005])


def test_what_goes_wrong_is_said_as_the_last_event(tmp_path):
    (failed,) = events_of(small_spec(), start=tmp_path / "nothing.pt")
    assert failed.type == "failed"
    assert "there is no snapshot" in failed.error
    wrong = tmp_path / "step-00000000.pt"
    wrong.write_bytes(b"not a snapshot")
    (failed,) = events_of(small_spec(), start=wrong)
    assert "is not a snapshot" in failed.error


@pytest.mark.parametrize("steps", [1, 2, 19, 20, 21, 22, 1000, 1234, 100_000])
def test_at_most_21_snapshots_with_both_ends(steps):
    found = snapshot_steps(steps)
    assert 2 <= len(found) <= 21
    assert found[0] == 0
    assert found[-1] == steps
