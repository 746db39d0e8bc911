"""Forks: what they share with their parent, and that they equal the run from scratch."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from app.runs import worker
from app.runs.executors.base import Sink
from app.runs.forks import common_steps, find_resume_plan, settled_step, untouched_arms
from app.runs.records import Job, LoggedEvent
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training import writer
from newton_core.training.snapshots import list_snapshots, load_snapshot
from newton_core.workers import child, messages
from tests.app.harness import numbers_of, tiny_spec

PARENT = tiny_spec(steps=40)


def spec(**changes: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate({**PARENT, **changes})


def change(step: int, **what: float) -> dict[str, Any]:
    return {"step": step, "arm": 1, **(what or {"tikhonov": 0.5})}


@pytest.mark.parametrize(
    ("parent", "child", "shared"),
    [
        ({}, {}, 40),
        ({}, {"changes": [change(13)]}, 13),
        ({}, {"changes": [change(0)]}, 0),
        ({"changes": [change(13)]}, {}, 13),
        ({"changes": [change(13)]}, {"changes": [change(13, tikhonov=2)]}, 13),
        ({"changes": [change(13)]}, {"changes": [change(13), change(30, lr=1)]}, 30),
        ({"changes": [change(13)]}, {"changes": [change(12), change(13)]}, 12),
        ({}, {"steps": 60}, 40),
        ({}, {"steps": 60, "changes": [change(50)]}, 40),
        ({}, {"steps": 20}, 19),
        ({"steps": 50}, {"steps": 60}, 49),  # step 50 is evaluated out of turn
        ({}, {"seconds": 5.0}, 40),
        ({}, {"arms": [{"label": "V"}, {"label": "F", "curvature": "fisher"}]}, 40),
        ({}, {"arms": [{}, {"curvature": "fisher", "tikhonov": 0.5}]}, None),
        ({}, {"arms": [{}]}, None),
        ({}, {"seed": 1}, None),
        ({}, {"batch_size": 5}, None),
        ({}, {"log_every": 2}, None),
        ({}, {"evaluate_every": 10}, None),
        ({}, {"target": 0.5}, None),
        ({}, {"loss": {"name": "neuralsort", "temperature": 0.5}}, None),
    ],
)
def test_first_difference(
    parent: dict[str, Any], child: dict[str, Any], shared: int | None
) -> None:
    assert common_steps(spec(**parent), spec(**child)) == shared


def metrics(arm: int, *steps: int) -> dict[str, Any]:
    return {"type": "metrics", "arm": arm, "steps": list(steps)}


@pytest.mark.parametrize(
    ("records", "settled"),
    [
        ([], 0),
        ([metrics(0, 1)], 0),
        ([metrics(0, 1), metrics(1, 1)], 0),
        ([metrics(0, 1), metrics(1, 1), {"type": "evaluation"}], 1),
        ([metrics(0, 1), metrics(1, 1), metrics(0, 2, 3)], 1),
        ([metrics(0, 1), metrics(1, 1), metrics(0, 2), metrics(1, 2), metrics(0, 3)], 2),
        ([metrics(0, 1), metrics(1, 1), {"type": "finished", "summary": {}}], 1),
        ([metrics(0, 1), metrics(1, 1), {"type": "cancelled", "summary": {}}], 1),
        ([metrics(0, 1), {"type": "failed"}], 0),
        ([metrics(0, 1), {"type": "cancelled", "summary": None}], 0),
        ([metrics(0, 1), metrics(1, 1), metrics(1, 2), {"type": "spike"}], 2),
        ([metrics(0, 1), metrics(1, 1), metrics(0, 2), {"type": "diverged", "step": 2}], 1),
        (
            [metrics(0, 1, 2), {"type": "diverged", "step": 2}, metrics(2, 2), {"type": "spike"}],
            2,
        ),
    ],
)
def test_torn_groups_of_metrics_do_not_count(records: list[dict[str, Any]], settled: int) -> None:
    assert settled_step(records) == settled


class Direct(child.Connection):
    """Hands events to a sink where a worker would send them to its parent."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def beat(self) -> None:
        pass

    def is_cancelled(self, job: int) -> bool:
        return False

    def send(self, message: messages.Message) -> None:
        assert isinstance(message, messages.Output)
        assert isinstance(message.value, LoggedEvent)
        self._sink([message.value])


def compute(job: Job, sink: Sink) -> None:
    """What a worker does with a job, in this process."""

    worker.compute_run(child.Job(Direct(sink), 1, job))


def record(folder: Path, what: ExperimentSpec, parent: "Recorded | None" = None) -> "Recorded":
    recorded = Recorded(folder, what)
    start, taken, replay = None, [], None
    if parent is not None:
        shared = common_steps(parent.spec, what)
        assert shared is not None
        beginning = find_resume_plan(parent.log, parent.folder, shared)
        assert beginning is not None
        beginning = replace(beginning, untouched=untouched_arms(parent.spec, what))
        recorded.began_at = beginning.step
        start, taken = beginning.link_into(folder), beginning.events()
        replay = beginning.replay_into(folder / "replayed")
        if replay is not None:
            recorded.replayed, recorded.replayed_until = replay.arms, replay.until
    job = Job("run", what.model_dump_json(), folder, start, len(taken), replay)
    compute(job, recorded.log.extend)
    recorded.log[1:1] = taken
    return recorded


class Recorded:
    """A run, computed here."""

    def __init__(self, folder: Path, what: ExperimentSpec) -> None:
        self.folder = folder
        self.spec = what
        self.log: list[LoggedEvent] = []
        self.began_at = 0
        self.replayed: frozenset[int] = frozenset()
        self.replayed_until = 0

    def seconds(self, arm: int) -> list[float]:
        """The arm's own seconds at every logged step: no two computations take the same."""
        return [
            value
            for record in self.records()
            if record["type"] == "metrics" and record["arm"] == arm
            for value in record["values"]["seconds"]
        ]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(event.body) for event in self.log]


def states(folder: Path) -> dict[int, Any]:
    """Every snapshot's numbers, those that a clock gave left out."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items() if key != "seconds"}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return value.tolist() if isinstance(value, torch.Tensor) else value

    return {at: plain(load_snapshot(path)[1]) for at, path in list_snapshots(folder).items()}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Each step has events of its own: how many share one depends on the machine's speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "METRICS_EVENTS_PER_SECOND", math.inf)
        return record(tmp_path_factory.mktemp("parent"), spec())


@pytest.mark.parametrize(
    ("changes", "began_at", "replayed"),
    [
        ({"changes": [change(13)]}, 12, {0}),
        ({"changes": [change(20, lr=0.5)]}, 20, {0}),
        ({"changes": [change(39)]}, 38, {0}),
        ({"changes": [change(0)]}, 0, {0}),
        ({"changes": [change(1)]}, 0, {0}),
        ({"changes": [change(13), {**change(20, lr=0.5), "arm": 0}]}, 12, set()),
        ({"steps": 60}, 40, set()),
        ({"steps": 30}, 28, set()),
        ({"seconds": 500.0}, 40, set()),
        ({}, 40, set()),
    ],
)
def test_fork_equals_the_run_from_scratch(
    tmp_path: Path,
    parent: Recorded,
    changes: dict[str, Any],
    began_at: int,
    replayed: set[int],
) -> None:
    fork = record(tmp_path / "fork", spec(**changes), parent)
    scratch = record(tmp_path / "scratch", spec(**changes))
    assert fork.began_at == began_at
    assert fork.replayed == replayed
    if began_at < 40:  # or there is nothing to compute
        for arm in (0, 1):
            assert (fork.seconds(arm) == parent.seconds(arm)) == (arm in replayed)
    own, expected = states(fork.folder), states(scratch.folder)
    assert all(own[at] == expected[at] for at in own.keys() & expected.keys())
    assert changes.get("steps", 40) in own
    assert [e.seq for e in fork.log] == list(range(1, len(fork.log) + 1))
    assert [e.seq for e in fork.log] == [r["seq"] for r in fork.records()]
    assert fork.records()[0]["spec"] == scratch.records()[0]["spec"]
    assert numbers_of(fork.records()) == numbers_of(scratch.records())


@pytest.mark.parametrize(("at", "began_at"), [(25, 24), (1, 0)])
def test_fork_of_a_run_with_slices_equals_the_run_from_scratch(
    tmp_path: Path, at: int, began_at: int
) -> None:
    sliced = record(tmp_path / "parent", spec(landscape_every=15))
    what = spec(landscape_every=15, changes=[change(at)])
    fork = record(tmp_path / "fork", what, sliced)
    scratch = record(tmp_path / "scratch", what)
    assert fork.began_at == began_at
    assert fork.replayed == {0}
    assert sum(event.type == "landscape" for event in fork.log) == 6
    assert numbers_of(fork.records()) == numbers_of(scratch.records())


@pytest.mark.parametrize(
    "arm",
    [
        {"curvature": "ggn", "tikhonov": 0.5, "ggn_iterations": 5},
        {"curvature": "fisher", "tikhonov": 1e-4, "tikhonov_rule": "levenberg_marquardt"},
        {"curvature": "hessian", "tikhonov_rule": "relative", "component": "direction"},
    ],
    ids=["unsplit", "damping that follows success", "relative damping"],
)
def test_fork_of_an_arm_with_more_state_equals_the_run_from_scratch(
    tmp_path: Path, arm: dict[str, Any]
) -> None:
    arms = [{}, arm, {**arm, "label": "untouched"}]
    before = record(tmp_path / "parent", spec(arms=arms, steps=20))
    what = spec(arms=arms, steps=20, changes=[change(9, tikhonov=2.0)])
    fork = record(tmp_path / "fork", what, before)
    scratch = record(tmp_path / "scratch", what)
    assert fork.began_at > 0
    assert fork.replayed == {0, 2}
    assert numbers_of(fork.records()) == numbers_of(scratch.records())
    own, expected = states(fork.folder), states(scratch.folder)
    assert all(own[at] == expected[at] for at in own.keys() & expected.keys())


def test_fork_of_a_fork_equals_the_run_from_scratch(tmp_path: Path, parent: Recorded) -> None:
    first = record(tmp_path / "first", spec(changes=[change(13)]), parent)
    both = spec(changes=[change(13), change(30, lr=0.01)])
    second = record(tmp_path / "second", both, first)
    assert second.began_at == 30
    assert second.replayed == {0}
    scratch = record(tmp_path / "scratch", both)
    assert numbers_of(second.records()) == numbers_of(scratch.records())


def test_log_that_was_torn_is_used_as_far_as_it_is_whole(tmp_path: Path, parent: Recorded) -> None:
    for length in range(len(parent.log)):
        torn = [*parent.log[:length], LoggedEvent(length + 1, "failed", 0, '{"type":"failed"}')]
        beginning = find_resume_plan(torn, parent.folder, 40)
        if beginning is None:
            continue
        copied = [json.loads(event.body) for event in beginning.events()]
        arms = {arm: numbers_of(copied)["metrics"][arm] for arm in (0, 1)}
        assert all(list(arms[arm]) == list(range(1, beginning.step + 1)) for arm in arms)


def test_no_beginning_without_a_sound_snapshot(tmp_path: Path, parent: Recorded) -> None:
    assert find_resume_plan(parent.log, tmp_path, 40) is None
    assert find_resume_plan(parent.log[:-1], parent.folder, 1) is None
    assert find_resume_plan([], parent.folder, 40) is None
    damaged = tmp_path / "damaged"
    copies = record(damaged, spec())
    (damaged / "step-00000040.pt").write_bytes(b"not a snapshot")
    (damaged / "step-00000038.pt").unlink()
    beginning = find_resume_plan(copies.log, damaged, 40)
    assert beginning is not None
    assert beginning.step == 36


def test_arms_are_taken_up_to_a_snapshot_that_is_lost(tmp_path: Path) -> None:
    shared = {**change(24, lr=0.5), "arm": 0}
    broken = record(tmp_path / "broken", spec(landscape_every=8, changes=[shared]))
    (tmp_path / "broken" / "step-00000026.pt").unlink()
    what = spec(landscape_every=8, changes=[change(13), shared])
    fork = record(tmp_path / "fork", what, broken)
    assert (fork.began_at, fork.replayed, fork.replayed_until) == (12, frozenset({0}), 24)
    scratch = record(tmp_path / "scratch", what)
    assert numbers_of(fork.records()) == numbers_of(scratch.records())
    assert states(fork.folder) == states(scratch.folder)


@pytest.mark.parametrize("share", [0.45, 0.6, 0.8, 0.93])
def test_arms_are_taken_from_a_parent_that_is_not_done(
    tmp_path: Path, parent: Recorded, share: float
) -> None:
    live = Recorded(parent.folder, parent.spec)
    live.log = parent.log[: round(share * len(parent.log))]
    what = spec(changes=[change(5)])
    fork = record(tmp_path / "fork", what, live)
    assert fork.replayed == {0}
    assert 4 < fork.replayed_until < 40
    scratch = record(tmp_path / "scratch", what)
    assert numbers_of(fork.records()) == numbers_of(scratch.records())
    assert states(fork.folder) == states(scratch.folder)


def test_what_leaves_the_least_to_compute_is_begun_with(tmp_path: Path, parent: Recorded) -> None:
    what = spec(changes=[change(13)])
    whole = find_resume_plan(parent.log, parent.folder, 13)
    assert whole is not None
    whole = replace(whole, untouched=untouched_arms(parent.spec, what))
    assert whole.work(40, 2) == 28  # arm 1 from step 12 on, arm 0 not at all
    broken = record(tmp_path / "broken", what)
    further = find_resume_plan(broken.log[:-1], broken.folder, 20)
    assert further is not None
    assert replace(further, later={}).work(40, 2) == 40


def test_an_arm_that_diverged_does_so_again(tmp_path: Path) -> None:
    arms = [
        {"label": "wild", "lr": 1000.0, "optimizer": "sgd", "momentum": 0.9},
        {"label": "calm"},
        {"label": "changed", "curvature": "fisher"},
    ]
    before = record(tmp_path / "parent", spec(arms=arms))
    what = spec(arms=arms, changes=[{**change(20), "arm": 2}])
    fork = record(tmp_path / "fork", what, before)
    scratch = record(tmp_path / "scratch", what)
    assert numbers_of(fork.records()) == numbers_of(scratch.records())
    assert fork.records()[-1]["summary"]["arms"][0]["status"] == "diverged"


def test_snapshots_are_shared_not_copied(tmp_path: Path, parent: Recorded) -> None:
    fork = record(tmp_path / "fork", spec(changes=[change(20)]), parent)
    shared = fork.folder / "step-00000020.pt"
    assert shared.samefile(parent.folder / "step-00000020.pt")
    assert not (fork.folder / "step-00000022.pt").samefile(parent.folder / "step-00000022.pt")
