"""Runs that share their arms with other processes, which change no number, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import ArmWorker, Train
from newton_core.training.replay import Replay
from newton_core.training.run import run
from newton_core.training.snapshots import ArmSnapshot, list_snapshots, load_snapshot
from newton_core.training.stepper import StepReport
from newton_core.workers import WorkerLostError
from tests.newton_core.training.logs import numbers
from tests.newton_core.training.parallel.arm_workers import PatientArmWorker
from tests.newton_core.training.specs import ARMS, small_record, small_spec

DIVERGING: dict[str, Any] = {
    "task": {"name": "classification", "model": {"name": "mlp"}},
    "loss": {"name": "squared_error"},
    "arms": [{"curvature": "fisher"}, {"optimizer": "sgd", "lr": 1e3, "momentum": 0.9}],
    "steps": 60,
}
SPECS: dict[str, dict[str, Any]] = {
    "hessian, landscapes": {
        "loss": {"name": "neuralsort", "temperature": 0.1, "numerics": "bce_loss"},
        "landscape_every": 8,
    },
    "a loss of its own": {"arms": [*ARMS, {"loss": {"name": "softsort", "temperature": 0.5}}]},
    "an arm that diverges": DIVERGING,
    "a target": {
        "task": {"name": "classification", "model": {"name": "mlp"}},
        "loss": {"name": "cross_entropy"},
        "arms": [{"lr": 1e-8}, {"lr": 1e-2}],
        "steps": 60,
        "target": 0.3,
    },
    "the unsplit step": {
        "arms": [{}, {"curvature": "ggn", "tikhonov": 0.5}],
        "changes": [{"step": 9, "arm": 1, "tikhonov": 3.0, "lr": 0.01}],
    },
    "changes": {
        "changes": [{"step": step, "arm": arm, "tikhonov": 0.5 * step + 1, "lr": 1e-3}
                    for step in (0, 7, 8) for arm in (1, 2)],
        "log_every": 3,
    },
}  # fmt: skip


def statuses(events: list[Any]) -> list[tuple[str, str, int]]:
    return [(arm.label, arm.status, arm.step) for arm in events[-1].summary.arms]


def check_same(shared: list[Any], alone: list[Any]) -> None:
    assert alone[-1].type == shared[-1].type == "finished"
    assert numbers(shared) == numbers(alone)
    assert statuses(shared) == statuses(alone)
    assert [event.seq for event in shared] == list(range(1, len(shared) + 1))


def plain(value: Any) -> Any:
    """Nested containers of tensors as nested lists of numbers, clocks left out."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "seconds"}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def check_same_states(folder: Path, other: Path) -> None:
    """Snapshots equal bit for bit."""
    files, others = list_snapshots(folder), list_snapshots(other)
    assert list(files) == list(others)
    for step, file in files.items():
        assert plain(load_snapshot(file)[1]) == plain(load_snapshot(others[step])[1]), step


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("late", [False, True])
def test_numbers_and_states_are_those_of_a_run_alone(
    arm_worker: PatientArmWorker, tmp_path: Path, fields: dict[str, Any], late: bool
) -> None:
    at = 5 if late and fields is not DIVERGING else 0
    spec = small_spec(**fields)
    alone = list(run(spec, snapshots=tmp_path / "alone"))
    arm_worker.not_before = at
    shared = list(run(spec, snapshots=tmp_path / "shared", workers=[arm_worker]))
    check_same(shared, alone)
    check_same_states(tmp_path / "shared", tmp_path / "alone")
    assert [step for step, _ in arm_worker.shares] == [at]


def test_arms_end_in_the_arm_worker_too(arm_worker: PatientArmWorker) -> None:
    arms = [DIVERGING["arms"][1], DIVERGING["arms"][1]]
    *_, last = run(small_spec(**{**DIVERGING, "arms": arms}), workers=[arm_worker])
    assert [arm.status for arm in last.summary.arms] == ["diverged"] * 2


def test_many_arm_workers_take_an_arm_each(arm_worker: PatientArmWorker) -> None:
    spec = small_spec(arms=[*ARMS, {"gradient": "clip"}])
    with PatientArmWorker() as second, PatientArmWorker() as third, ArmWorker() as spare:
        shared = list(run(spec, workers=[arm_worker, second, third, spare]))
        shares = [share for one in (arm_worker, second, third) for _, share in one.shares]
        assert spare.pid is None  # nothing is left for it
    check_same(shared, list(run(spec)))
    assert sorted(map(len, shares)) == [1, 1, 1]
    assert len(frozenset.union(*shares)) == 3


def test_one_arm_is_not_shared() -> None:
    with ArmWorker() as idle:
        *_, last = run(small_spec(arms=ARMS[:1]), workers=[idle])
        assert last.type == "finished"
        assert idle.pid is None


def test_a_run_resumes_with_its_arms_shared(arm_worker: PatientArmWorker, tmp_path: Path) -> None:
    spec = small_spec(landscape_every=8)
    alone = list(run(spec, snapshots=tmp_path))
    start = list_snapshots(tmp_path)[12]
    shared = list(run(spec, start=start, snapshots=tmp_path / "on", workers=[arm_worker]))
    assert numbers(shared) == numbers(alone, after=12)
    assert arm_worker.shares[0][0] == 12


def test_recorded_arms_are_shared_where_the_recording_ends(
    arm_worker: PatientArmWorker, tmp_path: Path
) -> None:
    before = list(run(small_spec(), snapshots=tmp_path / "before"))
    start = list_snapshots(tmp_path / "before")[8]
    spec = small_spec(changes=[{"step": 10, "arm": 1, "tikhonov": 5.0}])
    replay = Replay(frozenset({0, 2}), 16, before, tmp_path / "before")
    forked = list(run(spec, start=start, replay=replay, workers=[arm_worker], snapshots=tmp_path))
    scratch = list(run(spec, snapshots=tmp_path / "scratch"))
    assert numbers(forked) == numbers(scratch, after=8)
    assert arm_worker.shares[0][0] == 16
    check_same_states(tmp_path, _without_first(tmp_path / "scratch", 8))
    again = list(run(spec, start=start, replay=replay))  # it is as it was
    assert numbers(again) == without_snapshots(numbers(forked))
    at_once = list(run(spec, start=start, replay=replace(replay, until=8)))
    assert numbers(at_once) == without_snapshots(numbers(forked))


def without_snapshots(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if not key.startswith("snapshot/")}


def _without_first(folder: Path, step: int) -> Path:
    """Leaves the snapshots after a step, those of a run that started from it."""
    for at, file in list_snapshots(folder).items():
        if at <= step:
            file.unlink()
    return folder


@pytest.mark.parametrize("at", [0, 60])
def test_an_arm_worker_that_is_killed_costs_time_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, at: int
) -> None:
    # More steps than inbox and pipe hold: a worker ahead of the run is not done when killed.
    spec = small_spec(steps=420, landscape_every=210, evaluate_every=140)
    shared, killed = [], None
    with PatientArmWorker() as victim:
        for event in run(spec, workers=[victim], snapshots=tmp_path / "shared"):
            shared.append(event)
            if victim.shares and killed is None and getattr(event, "step", 0) >= at:
                killed = victim.pid
                os.kill(killed, signal.SIGKILL)
    assert killed is not None
    check_same(shared, list(run(spec, snapshots=tmp_path / "alone")))
    check_same_states(tmp_path / "shared", tmp_path / "alone")
    assert "goes on without" in caplog.text


class StoppingArmWorker(PatientArmWorker):
    """Stops its process, as SIGSTOP does, once the run has asked for so many reports."""

    def __init__(self, reports: int) -> None:
        super().__init__(patience=5.0)
        self.reports = reports

    def train(self, job: int, step: int, arms: Mapping[int, LocalArm]) -> None:
        self._stop_if_due()
        super().train(job, step, arms)

    def report(self, job: int, arm: int, step: int) -> tuple[StepReport, ArmSnapshot | None]:
        self._stop_if_due()
        return super().report(job, arm, step)

    def _stop_if_due(self) -> None:
        if self.reports == 0 and self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)
        self.reports -= 1


@pytest.mark.parametrize(("reports", "steps"), [(0, 40), (2, 600)])
def test_an_arm_worker_that_is_stopped_costs_its_patience_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, reports: int, steps: int
) -> None:
    spec = small_spec(steps=steps, evaluate_every=steps // 2)  # more than an inbox holds
    alone = list(run(spec, snapshots=tmp_path / "alone"))
    with StoppingArmWorker(reports) as stopped:
        check_same(list(run(spec, workers=[stopped], snapshots=tmp_path / "shared")), alone)
        assert "hung: no sign of life for 5 s" in caplog.text
        assert stopped.pid is None
        check_same(list(run(small_spec(), workers=[stopped])), list(run(small_spec())))
        assert len(stopped.shares) == 2, "a new process takes its place"
    check_same_states(tmp_path / "shared", tmp_path / "alone")


def test_an_arm_worker_that_is_stopped_before_it_is_ready_is_given_up() -> None:
    with PatientArmWorker(patience=5.0) as stopped:
        assert stopped.is_ready(stopped.prepare(small_spec()))
        assert stopped.pid is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        job = stopped.prepare(small_spec())
        with pytest.raises(WorkerLostError, match="no sign of life"):
            stopped.is_ready(job)


def test_a_run_left_early_leaves_nothing_to_the_next(arm_worker: PatientArmWorker) -> None:
    slow = small_spec(steps=100_000, seed=3)
    for event in run(slow, workers=[arm_worker]):
        if event.type == "evaluation" and event.step >= 16:
            break
    began = time.monotonic()
    check_same(list(run(small_spec(), workers=[arm_worker])), list(run(small_spec())))
    assert time.monotonic() - began < 60  # it did not go on with the run before


def test_a_cancelled_run_has_its_summary(arm_worker: PatientArmWorker) -> None:
    steps = iter(range(10))
    *_, last = run(small_spec(), stop=lambda: next(steps) == 9, workers=[arm_worker])
    assert last.type == "cancelled"
    assert {(arm.status, arm.step) for arm in last.summary.arms} == {("stopped", 9)}
    assert all(arm.seconds > 0 for arm in last.summary.arms)


class BreakingArmWorker(PatientArmWorker):
    """Meets an error with the arms that it has."""

    def train(self, job: int, step: int, arms: Mapping[int, LocalArm]) -> None:
        self.shares.append((step, frozenset(arms)))
        broken: Any = {}
        self._check(job).submit(Train(step, dict.fromkeys(arms, (broken, False))))


def test_an_error_in_an_arm_worker_reaches_each_of_its_arms(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spec = small_spec(arms=[*ARMS, {"gradient": "clip"}])
    with BreakingArmWorker() as broken:
        check_same(list(run(spec, workers=[broken])), list(run(spec)))
        assert [len(arms) for _, arms in broken.shares] == [2]
    assert caplog.text.count("an arm worker failed: KeyError") == 2


def test_a_second_run_takes_the_arm_worker_from_the_first(arm_worker: PatientArmWorker) -> None:
    first = run(small_spec(seed=5), workers=[arm_worker])
    begun = [next(first) for _ in range(12)]
    check_same(list(run(small_spec(), workers=[arm_worker])), list(run(small_spec())))
    check_same([*begun, *first], list(run(small_spec(seed=5))))
    assert len(arm_worker.shares) == 2


OWN_LOSS = """
import sys, time
from typing import Literal
from newton_core import register_loss
from newton_core.losses.neuralsort import NeuralSort, NeuralSortParameters

class HereParameters(NeuralSortParameters):
    name: Literal["here"] = "here"

@register_loss
class Here(NeuralSort):
    Parameters = HereParameters

from newton_core import ExperimentSpec, run
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import ArmWorker, Train
from newton_core.workers import WorkerLostError

spec = ExperimentSpec.model_validate_json(sys.argv[1])
with ArmWorker() as arm_worker:
    job = arm_worker.prepare(spec)
    try:
        while not arm_worker.is_ready(job):
            time.sleep(0.01)
    except WorkerLostError as error:
        print(error)
    *_, last = run(spec, workers=[arm_worker])
    print(last.type)
"""


def test_a_loss_that_only_the_run_knows_is_computed_by_the_run() -> None:
    spec = json.dumps(small_record(loss={"name": "here"}))
    done = subprocess.run(
        [sys.executable, "-c", OWN_LOSS, spec], capture_output=True, text=True, check=True
    )
    assert "an arm worker failed: ValidationError" in done.stdout
    assert done.stdout.endswith("finished\n")


CUT_OFF = """
import os, sys
from newton_core import ExperimentSpec, run
from tests.newton_core.training.parallel.arm_workers import PatientArmWorker

arm_worker = PatientArmWorker()
for event in run(ExperimentSpec.model_validate_json(sys.argv[1]), workers=[arm_worker]):
    if event.type == "evaluation" and event.step > 16:
        print(arm_worker.pid, flush=True)
        os._exit(9)
"""


def test_an_arm_worker_ends_with_the_process_that_made_it() -> None:
    spec = json.dumps(small_record(steps=1_000_000))
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF, spec], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 9
    process_id = int(done.stdout)
    until = time.monotonic() + 20
    while psutil.pid_exists(process_id) and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(process_id)


def test_an_arm_worker_that_cannot_start_is_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with ArmWorker() as missing:
        with pytest.raises(WorkerLostError, match="no arm worker process could be started"):
            missing.prepare(small_spec())
        check_same(list(run(small_spec(), workers=[missing])), list(run(small_spec())))
    assert "no arm worker process could be started" in caplog.text


def test_what_is_printed_in_an_arm_worker_does_not_get_between_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noisy.py").write_text("print('a library greets' * 10_000, flush=True)")
    folder = tmp_path / "noisy-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[newton_lab.losses]\nnoisy = noisy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with PatientArmWorker() as arm_worker:
        *_, last = run(small_spec(), workers=[arm_worker])
        assert last.type == "finished"
        assert arm_worker.shares
    assert "a library greets" in capfd.readouterr().err
