"""Workers as real processes: they compute, are cancelled, are lost, and never hang a parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from newton_core.workers import JobFailedError, WorkerHungError, WorkerLostError, WorkerProcess
from newton_core.workers.messages import Answer, Done, Failed, Output
from newton_core.workers.worker import INBOX_MESSAGES

PATIENCE = 60.0
"""A machine under load starts a process in seconds."""


def start(patience: float = PATIENCE, **environment: str) -> WorkerProcess:
    entry = "tests.newton_core.workers.entries:main"
    return WorkerProcess(entry, "hi", "test worker", patience, environment)


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    started = start()
    yield started
    started.close()
    assert not psutil.pid_exists(started.pid)


def receive(worker: WorkerProcess) -> Answer:
    """The next message about the job."""
    message = worker.receive(PATIENCE)
    assert message is not None, "the worker says nothing"
    return message


def outputs(worker: WorkerProcess, *task: Any) -> list[Any]:
    """All that a job sends; it must not fail."""
    return [value for some in worker.results(task, lambda: False, PATIENCE) for value in some]


def wait_for_loss(worker: WorkerProcess) -> str:
    """Why the worker was lost."""
    try:
        while worker.receive(PATIENCE) is not None:
            pass
    except WorkerLostError as loss:
        return str(loss)
    pytest.fail("the worker says nothing")


def test_jobs_are_computed_one_after_the_other(worker: WorkerProcess) -> None:
    assert outputs(worker, "echo", 1) == [("hi", 1)]
    assert outputs(worker, "echo", "2") == [("hi", "2")]
    assert worker.is_ready()


def test_environment_is_set_in_the_worker_alone() -> None:
    started = start(NEWTON_LAB_TEST="there")
    assert outputs(started, "variable", "NEWTON_LAB_TEST") == ["there"]
    assert "NEWTON_LAB_TEST" not in os.environ
    started.close()


def test_error_ends_its_job_alone(worker: WorkerProcess) -> None:
    worker.submit(("fail", "oh"))
    failed = receive(worker)
    assert isinstance(failed, Failed)
    assert failed.error == "ValueError: oh"
    assert "in compute" in failed.traceback
    worker.submit(("unpicklable", None))
    assert isinstance(receive(worker), Failed)
    assert outputs(worker, "echo", 3) == [("hi", 3)]


def test_cancelled_job_ends(worker: WorkerProcess) -> None:
    worker.submit(("until cancelled", None))
    assert isinstance(receive(worker), Output)
    worker.cancel(PATIENCE)
    assert isinstance(receive(worker), Done)
    worker.cancel(PATIENCE)  # too late: it is not for the next job
    assert outputs(worker, "echo", 1) == [("hi", 1)]


def test_next_job_cancels_the_one_before_whose_messages_are_left_out(
    worker: WorkerProcess,
) -> None:
    worker.submit(("until cancelled", None))
    assert outputs(worker, "count", 2) == [0, 1]


def test_inbox_is_bounded_and_nothing_is_lost(worker: WorkerProcess) -> None:
    count = 20 * INBOX_MESSAGES
    assert outputs(worker, "count", count) == list(range(count))
    worker.submit(("count", 100 * INBOX_MESSAGES))  # nobody listens: the worker waits
    assert outputs(worker, "echo", 1) == [("hi", 1)]


def test_close_ends_a_worker_that_nobody_listens_to(worker: WorkerProcess) -> None:
    worker.submit(("count", 100 * INBOX_MESSAGES))
    receive(worker)
    threads = threading.active_count()
    worker.close()
    with pytest.raises(WorkerLostError):
        worker.receive(0.0)
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > threads - 2:
        assert time.monotonic() < deadline, "its threads live on"
        time.sleep(0.01)


def test_worker_that_is_killed_in_the_middle_of_a_message_is_lost(worker: WorkerProcess) -> None:
    worker.submit(("torn", 10_000_000))
    message = receive(worker)
    assert isinstance(message, Output)
    assert message.value == "whole"
    assert "the test worker process was killed (signal SIGKILL)" in wait_for_loss(worker)


def test_worker_that_sends_what_cannot_be_read_is_lost(
    worker: WorkerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    worker.submit(("unreadable", None))
    assert "closed its connection" in wait_for_loss(worker)
    assert "a message of the test worker process could not be read" in caplog.text


def test_idle_worker_that_is_killed_is_no_longer_ready(worker: WorkerProcess) -> None:
    outputs(worker, "echo", 1)
    os.kill(worker.pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while worker.is_alive and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(WorkerLostError, match="SIGKILL"):
        worker.is_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux ends children")
def test_worker_that_still_loads_ends_with_its_parent() -> None:
    program = "from tests.newton_core.workers import entries; entries.be_parent()"
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    worker.wait(10)  # raises if it outlives its parent


def test_stopped_worker_blocks_nobody(worker: WorkerProcess) -> None:
    outputs(worker, "echo", 1)
    os.kill(worker.pid, signal.SIGSTOP)
    began = time.monotonic()
    worker.submit(("echo", bytes(10_000_000)))  # more than a pipe holds
    worker.cancel(PATIENCE)
    assert worker.receive(0.1) is None
    worker.close()
    assert time.monotonic() - began < 20.0


def test_slow_step_is_told_from_a_hang() -> None:
    worker = start(patience=3.0)
    assert outputs(worker, "slow step", 6.0) == []
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerHungError, match="test worker process hung: no sign of life for 3 s"):
        outputs(worker, "echo", 1)
    with pytest.raises(WorkerHungError):
        worker.is_ready()
    assert not worker.is_alive
    worker.close()
    assert not psutil.pid_exists(worker.pid)


def test_worker_that_does_not_leave_its_job_is_ended(worker: WorkerProcess) -> None:
    worker.submit(("count", 10**9))  # it asks nobody whether to go on
    receive(worker)
    worker.cancel(0.5)
    assert wait_for_loss(worker) == "the test worker process did not stop within 0.5 s"
    assert not worker.is_alive


def test_results_end_with_the_job_its_error_or_the_wish_to_stop(worker: WorkerProcess) -> None:
    heard: list[object] = []
    begun = threading.Event()
    for values in worker.results(("until cancelled", None), begun.is_set, PATIENCE):
        heard += values
        if heard:
            begun.set()
    assert heard == ["begun"]
    with pytest.raises(JobFailedError, match="ValueError: oh") as failure:
        outputs(worker, "fail", "oh")
    assert "in compute" in failure.value.traceback
    assert outputs(worker, "echo", 3) == [("hi", 3)]


def test_reasons_of_ends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = "tests.newton_core.workers.entries:exit_at_once"
    started = WorkerProcess(entry, 3, "test worker", PATIENCE, {})
    assert wait_for_loss(started) == "the test worker process ended unexpectedly (exit code 3)"
    started.close()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerLostError, match="no test worker process could be started"):
        start()
