"""What the event log costs the training, and how soon an idle worker begins.

One worker process trains the default preset's arms for a fixed number of steps, as it does for the
server: each event is turned into JSON and sent through the pipe, and this process stores it in
SQLite. The worker's own CPU time is measured inside the worker: of the whole run, and of the
serialising and sending alone. Wall-clock times need a quiet machine, CPU times do not.

    python -m benchmarks.event_log [--steps 1500] [--repeat 3]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from app.presets import load_presets
from app.runs.records import Job, LoggedEvent
from app.runs.worker import compute_run
from newton_core.workers import WorkerProcess, child

RUN_SECONDS = 600.0
LIMIT = 0.03
"""Largest share of the worker's CPU time that the log may take."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a worker over one run, of them for the log, and what was sent."""

    run: float
    log: float
    events: int
    bytes: int

    @property
    def share(self) -> float:
        """Of the CPU time, what the log takes."""
        return self.log / self.run


class TimedJob(child.Job[Job]):
    """A job with a clock around each send."""

    seconds = 0.0
    events = 0
    bytes = 0

    def send(self, value: object) -> None:
        began = time.thread_time()
        super().send(value)
        self.seconds += time.thread_time() - began
        if isinstance(value, LoggedEvent):
            self.events += 1
            self.bytes += len(value.body)


def measure(connection: child.Connection, job: child.Job[Job]) -> None:
    """Computes a job as a worker does, and sends its cost last."""
    timed = TimedJob(connection, job.number, job.task)
    serialising = _Clock()
    began = time.thread_time()
    with serialising:
        compute_run(timed)
    log = timed.seconds + serialising.seconds
    job.send((time.thread_time() - began, log, timed.events, timed.bytes))


def serve(_settings: None, connection: child.Connection) -> None:
    """Entry function of the worker."""
    torch.set_num_threads(1)
    connection.serve(partial(measure, connection))


class _Clock:
    """CPU time that is spent in turning events into JSON."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        from newton_core.experiment.events import EventBase

        self.original = EventBase.model_dump_json

        def timed(event: EventBase, *args: Any, **options: Any) -> str:
            began = time.thread_time()
            text = self.original(event, *args, **options)
            self.seconds += time.thread_time() - began
            return text

        EventBase.model_dump_json = timed  # type: ignore[assignment,method-assign]

    def __exit__(self, *_: object) -> None:
        from newton_core.experiment.events import EventBase

        EventBase.model_dump_json = self.original  # type: ignore[method-assign]


def storage_seconds(events: list[LoggedEvent], folder: Path) -> float:
    """This process's CPU seconds for storing a run's events, in batches as the server does."""
    from app.database import Database
    from app.runs.identity import Identity
    from app.runs.log import EventLog
    from app.runs.store import NewRun, RunStore
    from app.settings import load_settings

    class Nobody:
        def publish(self, run_id: str, events: object) -> None:
            """No viewers here."""

    database = Database.open(load_settings(data_dir=folder))
    new = NewRun(Identity("{}", "1", "cpu"), False, steps=1, threads=1, title="benchmark")
    run, _ = RunStore(database).create(new, 1)
    log = EventLog(database, Nobody())
    began = time.process_time()
    for start in range(0, len(events), 4):
        log.append(run.id, events[start : start + 4])
    seconds = time.process_time() - began
    database.close()
    return seconds


def start_latencies(spec: str, folder: Path, count: int) -> list[float]:
    """Wall-clock seconds from handing a job to an idle worker to its first metrics."""
    from app.runs.executors import LocalExecutor, StopRequest
    from app.settings import load_settings

    executor = LocalExecutor(load_settings(data_dir=folder, workers=1, fork_workers=0, threads=1))
    executor.start()
    executor.wait_until_ready(120.0)
    latencies = []
    for i in range(count):
        stop = StopRequest()
        began = time.perf_counter()

        def sink(
            events: Sequence[LoggedEvent], stop: StopRequest = stop, began: float = began
        ) -> None:
            if not stop.asked and any(event.type == "metrics" for event in events):
                latencies.append(time.perf_counter() - began)
                stop.ask()

        executor.execute(Job(f"start{i}", spec, folder / f"start{i}"), sink, stop)
    executor.close()
    return latencies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()

    from newton_core.experiment.spec import ExperimentSpec

    preset = load_presets()[0]
    spec = ExperimentSpec.model_validate(
        {**preset.spec, "steps": arguments.steps, "changes": []}
    ).model_dump_json()
    with tempfile.TemporaryDirectory() as folder:
        worker = WorkerProcess("benchmarks.event_log:serve", None, "benchmark", RUN_SECONDS, {})
        costs: list[Cost] = []
        for number in range(arguments.repeat + 1):  # the first warms up
            job = Job(f"run{number}", spec, Path(folder, f"snapshots{number}"))
            events = []
            for values in worker.results(job, lambda: False, stop_seconds=RUN_SECONDS):
                for value in values:
                    if isinstance(value, LoggedEvent):
                        events.append(value)
                    elif isinstance(value, tuple):  # not a Cost: it is __main__'s here
                        costs.append(Cost(*value))
        worker.close()
        stored = storage_seconds(events, Path(folder))
        starts = start_latencies(spec, Path(folder), 5)
    cost = costs[-1]
    share = statistics.median(cost.share for cost in costs[1:])
    print(f"preset {preset.name}, {arguments.steps} steps, median of {arguments.repeat} runs")
    print(f"worker's CPU time a step: {1000 * cost.run / arguments.steps:.2f} ms")
    print(f"of it for the log:        {100 * share:.2f} % (limit {100 * LIMIT:.0f} %)")
    print(f"events: {cost.events}, {cost.bytes / 1e6:.2f} MB as JSON")
    each = 1000 * stored / cost.events
    print(f"the server's CPU time to store them: {stored:.3f} s ({each:.2f} ms each)")
    print(f"idle worker, job to first metrics: {1000 * statistics.median(starts):.0f} ms (median)")
    if share > LIMIT:
        raise SystemExit("the log costs more than it may")


if __name__ == "__main__":
    main()
