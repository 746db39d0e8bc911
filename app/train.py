"""Runs at the command line: progress while they train, tables when they end."""

import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.settings import spare_companions
from newton_core.experiment.events import (
    Cancelled,
    Diverged,
    Evaluation,
    Failed,
    Finished,
    Metrics,
    Spike,
    Summary,
)
from newton_core.experiment.spec import ExperimentSpec
from newton_core.statistics import PairedDifference, paired_difference
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.run import run


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
    """Companions for the cores that one run would leave idle, for several runs one by one."""
    with ExitStack() as stack:
        count = spare_companions(1, torch.get_num_threads())
        yield [stack.enter_context(ArmWorker()) for _ in range(count)]


class Report:
    """What the progress line says, gathered from a run's events."""

    def __init__(self, spec: ExperimentSpec) -> None:
        self.labels = [arm.label for arm in spec.arms]
        self.losses: list[float | None] = [None] * len(self.labels)
        self.scores: list[float | None] = [None] * len(self.labels)
        self.spikes = [0] * len(self.labels)
        self.metric = ""
        self.step = 0

    def line(self) -> str:
        """One short text per arm: live loss and latest test score."""
        parts = []
        for label, loss, score in zip(self.labels, self.losses, self.scores, strict=True):
            shown = f"{label} {'-' if loss is None else format(loss, '.3g')}"
            parts.append(shown if score is None else f"{shown} {100 * score:.1f} %")
        return " · ".join(parts)


def train(
    spec: ExperimentSpec,
    *,
    console: Console,
    title: str,
    stop: threading.Event,
    sinks: Sequence[Callable[[str], object]] = (),
    workers: Sequence[ArmWorker] = (),
) -> tuple[Summary, Report]:
    """Runs ``spec`` under a progress bar on ``console``, each event as a JSON line to ``sinks``.

    Raises:
        RunFailedError: with the run's own words.
        RunCancelledError: ``stop`` was set; the sinks have had the events up to there.
    """
    report = Report(spec)
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=20),
        TextColumn("{task.completed:,}/{task.total:,}"), TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=spec.steps, line="")
        for event in run(spec, stop=stop, workers=workers):
            line = event.model_dump_json() + "\n"
            for sink in sinks:
                sink(line)
            match event:
                case Metrics():
                    report.step = max(report.step, event.steps[-1])
                    report.losses[event.arm] = event.values["loss"][-1]
                case Evaluation():
                    names = [n for n in event.__pydantic_extra__ if not n.endswith("_se")]
                    report.metric = names[0]
                    report.scores[event.arm] = event.__pydantic_extra__[names[0]]
                case Spike():
                    report.spikes[event.arm] += 1
                case Diverged():
                    label = report.labels[event.arm]
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
    metrics = [name for name in summary.arms[0].metrics if not name.endswith("_se")]
    table = Table(title=title, title_justify="left")
    table.add_column("arm")
    for name in metrics:
        table.add_column(f"{words(name)}, %" if _is_share(summary, name) else words(name),
                         justify="right")  # fmt: skip
    table.add_column("spikes", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("ended")
    for arm, spikes in zip(summary.arms, report.spikes, strict=True):
        cells = [
            _cell(arm.metrics.get(name), arm.metrics.get(f"{name}_se"), _is_share(summary, name))
            for name in metrics
        ]
        ended = arm.status if arm.status == "completed" else f"{arm.status} at step {arm.step:,}"
        table.add_row(arm.label, *cells, f"{spikes:,}", f"{arm.seconds:.1f}", ended)
    return table


def words(name: str) -> str:
    """A metric's name as people read it."""
    return name.replace("_", " ")


def _is_share(summary: Summary, name: str) -> bool:
    values = [arm.metrics.get(name) for arm in summary.arms]
    return all(value is None or 0 <= value <= 1 for value in values)


def _cell(value: float | None, error: float | None, share: bool) -> str:
    if value is None:
        return "-"
    scale, digits = (100.0, 1) if share else (1.0, 3)
    shown = f"{scale * value:.{digits}f}"
    return shown if error is None else f"{shown} ± {scale * error:.{digits}f}"


def compare(summaries: list[Summary]) -> dict[str, PairedDifference]:
    """Each arm's paired difference to the first arm in the primary metric, over seeds.

    A seed in which an arm has no finite value counts as zero for it: an arm that diverged
    ranks nothing right.
    """
    metric = summaries[0].primary_metric

    def values(arm: int) -> list[float]:
        return [summary.arms[arm].metrics.get(metric) or 0.0 for summary in summaries]

    baseline = values(0)
    return {
        arm.label: paired_difference(values(i), baseline)
        for i, arm in enumerate(summaries[0].arms)
        if i > 0
    }


def comparison_table(summaries: list[Summary]) -> Table:
    """Means over seeds and the paired differences to the first arm."""
    metric, first = summaries[0].primary_metric, summaries[0].arms[0].label
    table = Table(
        title=f"{words(metric)} in %, {len(summaries)} seeds, paired with {first}",
        title_justify="left",
    )
    for column in ("arm", "mean", "difference", "95 % interval", "p", "median", "better in"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    differences = compare(summaries)
    for i, arm in enumerate(summaries[0].arms):
        mean = sum(s.arms[i].metrics.get(metric) or 0.0 for s in summaries) / len(summaries)
        if i == 0:
            table.add_row(arm.label, f"{100 * mean:.1f}", *[""] * 5)
            continue
        d = differences[arm.label]
        interval = f"{100 * d.low:+.1f} to {100 * d.high:+.1f}" if math.isfinite(d.low) else "-"
        p_value = "-" if math.isnan(d.p_value) else f"{d.p_value:.3f}"
        table.add_row(
            arm.label, f"{100 * mean:.1f}", f"{100 * d.mean:+.1f}", interval, p_value,
            f"{100 * d.median:+.1f}", f"{d.improved:.0%} of seeds",
        )  # fmt: skip
    return table


def as_json(spec: ExperimentSpec, summaries: list[Summary]) -> str:
    """Summaries and comparison for machines; infinite interval ends travel as null."""
    record: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "runs": [summary.model_dump(mode="json") for summary in summaries],
    }
    if len(summaries) > 1:
        record["paired_differences"] = {
            label: {k: v if math.isfinite(v) else None for k, v in asdict(d).items()}
            for label, d in compare(summaries).items()
        }
    return json.dumps(record, indent=2)


def open_out(path: Path | None) -> IO[str] | None:
    """The file that events go to, opened for writing a line at a time.

    Raises:
        OSError: it cannot be written.
    """
    return None if path is None else path.open("w", encoding="utf-8", buffering=1)
