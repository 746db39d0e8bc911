"""What every executor promises, on real worker processes: runs end, slots heal, none disturbs."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.runs.executors import Executor, LocalExecutor, StopRequest, build_executor
from app.runs.forks import common_steps, find_resume_plan
from app.runs.records import Job, LoggedEvent
from app.settings import Settings, load_settings
from newton_core.experiment.spec import ExperimentSpec
from tests.app.harness import long_spec, numbers_of, tiny_spec

READY_SECONDS = 120.0


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    return load_settings(
        **{"data_dir": data_dir, "workers": 1, "fork_workers": 0, "threads": 1, **changes}
    )


@pytest.fixture(scope="module", params=["local", "ray"])
def executor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Executor]:
    settings = settings_for(
        tmp_path_factory.mktemp("data"), hang_seconds=10, workers=1, executor=request.param
    )
    made = build_executor(settings)
    made.start()
    yield made
    made.close()
    assert not workers_of(made)


def workers_of(executor: Executor) -> list[psutil.Process]:
    """The processes of the executor's workers; Ray's are grandchildren, with titles of its own."""
    on_ray = executor.name == "ray"
    children = psutil.Process().children(recursive=on_ray)
    title = "ray::RunActor" if on_ray else "newton-lab worker"
    found = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            if title in " ".join(child.cmdline()):
                found.append(child)
    return found


def the_worker_of(executor: Executor) -> psutil.Process:
    """The only one, as soon as one that was killed before has left."""
    deadline = time.monotonic() + 60
    while len(found := workers_of(executor)) != 1:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found[0]


def arm_workers_of(executor: Executor) -> list[psutil.Process]:
    return [
        process
        for worker in workers_of(executor)
        for process in worker.children()
        if "newton-lab arm worker" in process.cmdline()
    ]


class Following(threading.Thread):
    """A run that an executor computes, followed from a thread as the queue does."""

    def __init__(self, executor: Executor, folder: Path, spec: dict[str, Any], **job: Any) -> None:
        super().__init__(daemon=True)
        self.executor = executor
        whole = ExperimentSpec.model_validate(spec)
        self.job = Job(secrets.token_hex(6), whole.model_dump_json(), folder, **job)
        self.events: list[LoggedEvent] = []
        self.stop = StopRequest()
        self.reason: str | None = "not ended"
        self.start()

    def run(self) -> None:
        self.reason = self.executor.execute(self.job, self.events.extend, self.stop)

    def until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not happened():
            assert time.monotonic() < deadline
            assert self.is_alive(), f"it ended early: {self.reason}"
            time.sleep(0.01)

    def until_metrics(self) -> None:
        self.until(lambda: any(event.type == "metrics" for event in self.events))

    def outcome(self) -> str | None:
        self.join(READY_SECONDS)
        assert not self.is_alive()
        return self.reason


def check_whole(following: Following) -> None:
    assert following.outcome() is None
    assert [e.seq for e in following.events] == list(range(1, len(following.events) + 1))
    assert following.events[0].type == "started"
    assert following.events[-1].type == "finished"


def test_run_is_computed_to_its_end(executor: Executor, tmp_path: Path) -> None:
    check_whole(Following(executor, tmp_path, tiny_spec()))
    assert (tmp_path / "step-00000040.pt").is_file()


def test_idle_worker_answers_soon(executor: Executor, tmp_path: Path) -> None:
    check_whole(Following(executor, tmp_path / "warm-up", tiny_spec()))
    before = workers_of(executor)
    began = time.monotonic()
    following = Following(executor, tmp_path / "timed", tiny_spec(seed=1))
    following.until_metrics()
    assert time.monotonic() - began < 10.0  # 0.1 s on a quiet machine; the benchmark says
    check_whole(following)
    assert workers_of(executor) == before, "none was started"


def test_stopped_run_says_so_itself(executor: Executor, tmp_path: Path) -> None:
    following = Following(executor, tmp_path, long_spec(1))
    following.until_metrics()
    before = workers_of(executor)
    following.stop.ask()
    assert following.outcome() is None
    assert following.events[-1].type == "cancelled"
    assert workers_of(executor) == before, "a polite end costs no worker"


@pytest.mark.parametrize("executor", ["local"], indirect=True)  # Ray counts cores: it has none
def test_run_goes_on_without_its_arm_worker_which_ends_with_its_worker(
    executor: Executor, tmp_path: Path
) -> None:
    arms = [{"label": "Vanilla"}, {"label": "Fisher", "curvature": "fisher"}]
    following = Following(executor, tmp_path / "long", long_spec(2, arms=arms))
    following.until_metrics()  # one that is warm from another run is there before
    following.until(lambda: arm_workers_of(executor) != [])
    (arm_worker,) = arm_workers_of(executor)
    arm_worker.kill()
    arm_worker.wait(20)  # or the next run could be taken to have started it
    told = len(following.events)
    following.until(lambda: len(following.events) > told + 20)
    following.stop.ask()
    assert following.outcome() is None
    assert following.events[-1].type == "cancelled"
    following = Following(executor, tmp_path / "next", long_spec(3, arms=arms))
    following.until_metrics()  # one that is warm from another run is there before
    following.until(lambda: arm_workers_of(executor) != [])
    (arm_worker,) = arm_workers_of(executor)
    worker = the_worker_of(executor)
    worker.kill()
    arm_worker.wait(20)  # raises if it outlives its worker
    assert "killed (signal SIGKILL)" in str(following.outcome())


def test_late_stop_does_not_hit_the_next_run(executor: Executor, tmp_path: Path) -> None:
    first = Following(executor, tmp_path / "a", tiny_spec())
    check_whole(first)
    first.stop.ask()
    check_whole(Following(executor, tmp_path / "b", tiny_spec()))


def test_run_goes_on_from_a_snapshot(executor: Executor, tmp_path: Path) -> None:
    spec = tiny_spec(changes=[{"step": 20, "arm": 1, "tikhonov": 1.0}])
    parent = Following(executor, tmp_path / "parent", tiny_spec())
    check_whole(parent)
    shared = common_steps(
        ExperimentSpec.model_validate(tiny_spec()), ExperimentSpec.model_validate(spec)
    )
    beginning = find_resume_plan(parent.events, tmp_path / "parent", shared)
    assert beginning is not None
    taken = beginning.events()
    start = beginning.link_into(tmp_path / "fork")
    fork = Following(executor, tmp_path / "fork", spec, start=start, taken_over=len(taken))
    assert fork.outcome() is None
    fork.events[1:1] = taken
    check_whole(fork)
    scratch = Following(executor, tmp_path / "scratch", spec)
    check_whole(scratch)
    both = [[json.loads(e.body) for e in run.events] for run in (fork, scratch)]
    assert numbers_of(both[0]) == numbers_of(both[1])


def test_killed_worker_ends_its_run_and_is_replaced(executor: Executor, tmp_path: Path) -> None:
    following = Following(executor, tmp_path / "a", long_spec(2))
    following.until_metrics()
    victim = the_worker_of(executor)
    victim.kill()
    reason = following.outcome()
    assert reason is not None
    ended = "its process was killed" if executor.name == "ray" else "was killed (signal SIGKILL)"
    assert ended in reason
    check_whole(Following(executor, tmp_path / "b", tiny_spec()))


def test_worker_killed_while_idle_is_replaced(executor: Executor, tmp_path: Path) -> None:
    victim = the_worker_of(executor)
    victim.kill()
    check_whole(Following(executor, tmp_path, tiny_spec()))


def test_hung_worker_ends_its_run_and_is_replaced(executor: Executor, tmp_path: Path) -> None:
    following = Following(executor, tmp_path / "a", long_spec(3))
    following.until_metrics()
    victim = the_worker_of(executor)
    os.kill(victim.pid, signal.SIGSTOP)
    reason = following.outcome()
    assert reason is not None
    assert "hung" in reason
    assert "NEWTON_LAB_HANG_SECONDS" in reason
    check_whole(Following(executor, tmp_path / "b", tiny_spec()))


def test_stop_at_once_waits_for_nothing(executor: Executor, tmp_path: Path) -> None:
    following = Following(executor, tmp_path, long_spec(4))
    following.until_metrics()
    victim = the_worker_of(executor)
    os.kill(victim.pid, signal.SIGSTOP)  # even if it could not hear
    following.stop.ask(at_once=True)
    following.join(20.0)  # the reason tells it from the end of a hung one
    assert following.reason == "the run was stopped at once"


def test_spec_that_the_worker_refuses_fails_alone(executor: Executor, tmp_path: Path) -> None:
    following = Following(executor, tmp_path, tiny_spec(device="cuda:9"))
    assert following.outcome() is None
    assert following.events[-1].type == "failed"
    assert "cuda:9" in following.events[-1].body


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"run_seconds": 0.5}, "took longer than 0.5 s"),
        ({"memory_mb": 256}, "MB of memory, more than the 256 MB"),
    ],
)
def test_limits_end_a_run(tmp_path: Path, limit: dict[str, Any], said: str) -> None:
    # A limit on memory below what torch itself needs, which load_settings refuses: every run
    # passes it.
    limited = LocalExecutor(settings_for(tmp_path).model_copy(update=limit))
    limited.start()
    try:
        following = Following(limited, tmp_path / "run", long_spec(5))
        reason = following.outcome()
        assert reason is not None
        assert said in reason
        assert "NEWTON_LAB_" in reason
    finally:
        limited.close()


def test_a_server_starts_its_workers_before_it_loads_torch() -> None:
    program = "import sys, app.runs.executors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
