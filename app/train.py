"""Runs at the command line: progress while they train, tables when they end."""

import json
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.evidence.comparison import record_of
from app.evidence.formats import heading, number, with_unit
from app.machine import spare_companions
from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import (
    Cancelled,
    Diverged,
    Evaluation,
    Event,
    Failed,
    Finished,
    Metrics,
    Notice,
    Spike,
    Summary,
)
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription
from newton_core.tasks import TASKS
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.workers.memory import keep_blocks


class RunFailedError(RuntimeError):
    """The run ended with ``failed``."""


class RunCancelledError(RuntimeError):
    """The run ended with ``cancelled``."""


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; a second one interrupts at once."""
    stop = threading.Event()

    def handle(_number: int, _frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def idle_cores() -> Iterator[list[ArmWorker]]:
    """Arm workers for the cores that one run would leave idle, for several runs one by one."""
    keep_blocks()
    with ExitStack() as stack:
        count = spare_companions(1, torch.get_num_threads())
        yield [stack.enter_context(ArmWorker()) for _ in range(count)]


class Report:
    """What the progress line says, gathered from a run's events."""

    def __init__(self, spec: ExperimentSpec) -> None:
        self.task = TASKS.get(spec.task.name)
        self.labels = [arm.label for arm in spec.arms]
        self.losses: list[float | None] = [None] * len(self.labels)
        self.scores: list[float | None] = [None] * len(self.labels)
        self.diverged: list[int | None] = [None] * len(self.labels)
        self.spikes = [0] * len(self.labels)
        self._noticed: set[tuple[int, str]] = set()
        self.step = 0

    def is_new(self, notice: Notice) -> bool:
        """Whether a notice of its kind is the first of its arm."""
        known = len(self._noticed)
        self._noticed.add((notice.arm, notice.kind))
        return len(self._noticed) > known

    def take(self, event: Event) -> None:
        """Takes in what an event says of the progress."""
        match event:
            case Metrics():
                self.step = max(self.step, event.steps[-1])
                self.losses[event.arm] = event.values["loss"][-1]
            case Evaluation():
                self.scores[event.arm] = event.__pydantic_extra__[self.task.primary_metric]
            case Spike():
                self.spikes[event.arm] += 1

    def line(self) -> str:
        """One short text per arm: live loss and latest test score."""
        metric = self.task.describe(self.task.primary_metric)
        parts = []
        arms = zip(self.labels, self.losses, self.scores, self.diverged, strict=True)
        for label, loss, score, diverged in arms:
            if diverged is not None:  # what it had reached before is lost
                parts.append(f"{label} diverged at step {diverged:,}")
                continue
            shown = f"{label} {'-' if loss is None else format(loss, '.3g')}"
            parts.append(shown if score is None else f"{shown} {with_unit(metric, score)}")
        return " · ".join(parts)


def train(
    spec: ExperimentSpec,
    events: Iterable[Event],
    *,
    console: Console,
    title: str,
    sinks: Sequence[Callable[[str], object]] = (),
) -> tuple[Summary, Report]:
    """Follows a run of ``spec`` with a progress bar on ``console``.

    Args:
        spec: what is run.
        events: the run.
        console: shows the bar.
        title: stands beside it.
        sinks: each takes every event as a line of JSON.

    Raises:
        RunFailedError: with the run's own words.
        RunCancelledError: the run was stopped; the sinks have had the events up to there.
    """
    report = Report(spec)
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
        TextColumn("{task.completed:,}/{task.total:,}"), TimeRemainingColumn(),
        TextColumn("{task.fields[line]}", markup=False),
    )  # fmt: skip
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task(title, total=spec.steps, line="")
        for event in events:
            line = event.model_dump_json() + "\n"
            for sink in sinks:
                sink(line)
            report.take(event)
            match event:
                case Notice() if report.is_new(event):
                    progress.print(f"{report.labels[event.arm]}: {event.message}")
                case Diverged():
                    label = report.labels[event.arm]
                    report.diverged[event.arm] = event.step
                    progress.print(f"{label} diverged at step {event.step:,}: {event.reason}")
                case Failed():
                    raise RunFailedError(event.error)
                case Cancelled():
                    raise RunCancelledError(f"stopped at step {report.step:,}")
                case Finished():
                    return event.summary, report
            progress.update(bar, completed=report.step, line=report.line())
    raise RunFailedError("the run ended without a last event")  # pragma: no cover


def summary_table(summary: Summary, report: Report, title: str) -> Table:
    """The arms of one run, one row each: every metric with its standard error."""
    metrics = [
        report.task.describe(name) for name in summary.arms[0].metrics if not name.endswith("_se")
    ]
    table = Table(title=title, title_justify="left")
    table.add_column("arm", overflow="fold")
    for metric in metrics:
        table.add_column(heading(metric), justify="right")
    table.add_column("spikes", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("ended")
    for arm, spikes in zip(summary.arms, report.spikes, strict=True):
        cells = [_cell(metric, arm.metrics) for metric in metrics]
        table.add_row(arm.label, *cells, f"{spikes:,}", f"{arm.seconds:.1f}", arm.ended)
    return table


def _cell(metric: MetricDescription, measured: Mapping[str, float | None]) -> str:
    value, error = (measured.get(name) for name in (metric.name, f"{metric.name}_se"))
    if value is None:
        return "-"
    shown = number(metric, value)
    return f"{shown} ± {number(metric, error)}" if metric.sampled and error is not None else shown


def as_json(spec: ExperimentSpec, summaries: list[Summary]) -> str:
    """Summaries and comparison for machines; what is not finite travels as null."""
    record: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "runs": [summary.model_dump(mode="json") for summary in summaries],
    }
    if len(summaries) > 1:
        record |= record_of(compare_runs(spec, summaries))
    return json.dumps(record, indent=2)
