"""The files that ``train`` writes of its runs, and resumes from.

A file of events holds one run after the other, each from ``started`` to its last event. The
snapshots of a run that has not finished lie beside it, in ``<file>.snapshots``.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from app.runs.forks import find_resume_plan
from app.runs.records import LoggedEvent
from app.train import Report, train
from newton_core.experiment.events import Event, Finished, Started, Summary, parse_event
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.devices import describe_device, versions
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.run import run

_NUMBERS_DEPEND_ON = ("newton-lab", "torch", "numpy")


class OutputError(ValueError):
    """A file that cannot be written, or holds something else; the message is one line."""


@dataclass(frozen=True)
class RecordedRun:
    """A run as a file of events holds it.

    Attributes:
        started: its first event.
        lines: all its events, each as a line of JSON.
        summary: None if it has not finished.
    """

    started: Started
    lines: list[str]
    summary: Summary | None

    @classmethod
    def read(cls, lines: list[str]) -> "RecordedRun":
        """The run in these lines.

        Raises:
            ValueError: they are no events, or do not begin with ``started``.
        """
        first, last = parse_event(lines[0]), parse_event(lines[-1])
        if not isinstance(first, Started):
            raise ValueError("it does not begin with a 'started' event")
        return cls(first, lines, last.summary if isinstance(last, Finished) else None)


def check_writable(option: str, path: Path, *, overwrite: bool, hint: str = "") -> None:
    """Makes sure that a file can be written, before hours are spent on what goes into it.

    Raises:
        OutputError: it cannot, or it holds something and is not to be overwritten.
    """
    try:
        existed = path.exists()
        if existed and not path.is_file() and not path.is_dir():
            return  # a pipe or a device: whoever reads from it would see an end
        if existed and path.is_file() and path.stat().st_size and not overwrite:
            raise OutputError(f"{option}: {path} exists already; {hint}--force overwrites it")
        with path.open("ab"):
            pass
        if not existed:
            path.resolve().unlink()  # a link that led nowhere stays
    except FileNotFoundError:
        raise OutputError(f"{option}: there is no folder {path.parent}; make it first") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(f"{option}: cannot write {path}: {reason}") from error


def write_whole(option: str, path: Path, text: str) -> None:
    """Writes a file whole or not at all; one that a link leads to stays where it is.

    Raises:
        OutputError: it cannot be written any more; what it held is still there.
    """
    path = path.resolve()
    partial = path.with_name(f"{path.name}.partial")
    try:
        try:
            partial.write_text(text, "utf-8", newline="")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{option}: cannot write {path}: {error.strerror or error}") from error


class EventFile:
    """The file of ``--out``; without a path nothing is kept.

    Nothing is removed before it is replaced: what a resumed run had written stays until its first
    new event comes, which brings along all that the run takes over.
    """

    def __init__(self, path: Path | None, *, force: bool = False, resume: bool = False) -> None:
        """Reads what is there, and opens the file.

        Raises:
            OutputError: it cannot be written, or holds something and neither ``force`` nor
                ``resume`` says what is to become of that.
        """
        self._path = path
        self._resume = resume
        self._file: int | None = None
        self._recorded: list[RecordedRun] = []
        self._keeps_snapshots = False
        if path is None:
            return
        hint = "--resume goes on from it, "
        check_writable("--out", path, overwrite=force or resume, hint=hint)
        self._keeps_snapshots = path.is_file() or not path.exists()
        if resume and path.is_file():
            self._recorded = _read_runs(path)

    def check(self, spec: ExperimentSpec) -> None:
        """Makes sure that what the file holds belongs to runs of ``spec``, whatever their seeds.

        Raises:
            OutputError: it does not; the message names the first difference.
        """
        here = {name: versions()[name] for name in _NUMBERS_DEPEND_ON}
        here["device"] = describe_device(spec.device)
        wanted = spec.model_dump(mode="json", exclude={"seed"})
        for recorded in self._recorded:
            found = recorded.started.spec.model_dump(mode="json", exclude={"seed"})
            there = {**recorded.started.versions, "device": recorded.started.device}
            for one, other in ((found, wanted), (there, here)):
                names = [name for name in other if one.get(name) != other[name]]
                if names:
                    old, new = (_short(record.get(names[0])) for record in (one, other))
                    raise OutputError(
                        f"--out: the runs in {self._path} differ from this one in {names[0]}:"
                        f" {old} there, {new} here; choose another file, or --force"
                    )

    def recorded(self, seed: int) -> RecordedRun | None:
        """The run with this seed: one that has finished, or else the last."""
        fitting = [found for found in self._recorded if found.started.spec.seed == seed]
        finished = [found for found in fitting if found.summary is not None]
        return next(iter(finished or fitting[::-1]), None)

    def snapshots(self, seed: int) -> Path | None:
        """Folder for the snapshots of an unfinished run."""
        return self._folder / f"seed-{seed}" if self._keeps_snapshots else None

    def finish(self, seed: int) -> None:
        """Removes the snapshots of a run that has finished."""
        folder = self.snapshots(seed)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            if self._folder.is_dir() and not any(self._folder.iterdir()):
                self._folder.rmdir()

    @property
    def _folder(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f"{self._path.name}.snapshots")

    def write(self, line: str) -> None:
        """Writes one event; it is in the file when this returns.

        Raises:
            OutputError: the disk is full, or the file cannot be written any more.
        """
        if self._path is None:
            return
        try:
            if self._file is None:
                self._file = self._open(self._path)
            rest = memoryview(line.encode())
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            hint = "; make room, and go on with --resume" if self._keeps_snapshots else ""
            raise OutputError(
                f"--out: cannot write {self._path}: {error.strerror}{hint}"
            ) from error

    def _open(self, path: Path) -> int:
        """Opens the file, which then holds the runs that have finished."""
        if self._resume and self._keeps_snapshots:
            partial = path.with_name(f"{path.name}.partial")
            with partial.open("w", encoding="utf-8") as copy:
                for found in self._recorded:
                    if found.summary is not None:
                        copy.writelines(found.lines)
            os.replace(partial, path)
            return os.open(path, os.O_WRONLY | os.O_APPEND)
        if self._keeps_snapshots:
            shutil.rmtree(self._folder, ignore_errors=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _read_runs(path: Path) -> list[RecordedRun]:
    """The runs in a file; a last line that was cut off is left out."""
    runs: list[list[str]] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n") and (runs or '"started"' in line):
                    break
                if json.loads(line)["type"] == "started" or not runs:
                    runs.append([])
                runs[-1].append(line)
        return [RecordedRun.read(lines) for lines in runs]
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise OutputError(
            f"--out: {path} does not hold the events of runs, so that nothing can be resumed from"
            " it; choose another file, or --force"
        ) from error


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def train_seeds(
    specs: Sequence[ExperimentSpec],
    source: str,
    events: EventFile,
    *,
    console: Console,
    stop: threading.Event,
    logs: dict[str, list[str]] | None = None,
    workers: Sequence[ArmWorker] = (),
) -> Iterator[tuple[str, Summary, Report]]:
    """Trains one run after the other, unless ``events`` already holds a run's events.

    Args:
        specs: the same spec with different seeds.
        source: where it comes from, for titles.
        events: what is there, and where all events go.
        console: shows the progress.
        stop: ends the present run, and so all.
        logs: takes the events of each run by its title, also those of one that did not finish.
        workers: take a share of the arms.

    Yields:
        Each run's title, summary and what was seen of it, in the order of the specs.

    Raises:
        RunFailedError: with the run's own words.
        RunCancelledError: ``stop`` was set.
        OutputError: the events cannot be written.
    """
    for spec in specs:
        title = source if len(specs) == 1 else f"{source} seed {spec.seed}"
        before = events.recorded(spec.seed)
        if before is not None and before.summary is not None:
            if logs is not None:
                logs[title] = before.lines
            report = Report(spec)
            for line in before.lines:
                report.take(parse_event(line))
            yield title, before.summary, report
            continue
        sinks: list[Callable[[str], object]] = [events.write]
        if logs is not None:
            sinks.append(logs.setdefault(title, []).append)
        folder = events.snapshots(spec.seed)
        happening = _go_on(spec, before, folder, stop, workers)
        summary, report = train(spec, happening, console=console, title=title, sinks=sinks)
        events.finish(spec.seed)
        yield title, summary, report


def _go_on(
    spec: ExperimentSpec,
    before: RecordedRun | None,
    folder: Path | None,
    stop: threading.Event,
    workers: Sequence[ArmWorker],
) -> Iterator[Event]:
    """The events of a run, those before the last snapshot taken over from an earlier attempt."""
    plan = None
    if before is not None and folder is not None:
        log = (LoggedEvent(0, "", 0, line) for line in before.lines)
        plan = find_resume_plan(log, folder, spec.steps)
    if plan is None:
        yield from run(spec, stop=stop, snapshots=folder, workers=workers)
        return
    taken_over = plan.events()
    start = plan.snapshots[plan.step]
    for event in run(spec, stop=stop, start=start, snapshots=folder, workers=workers):
        if isinstance(event, Started):
            yield event
            yield from (parse_event(earlier.body) for earlier in taken_over)
        else:
            yield event.model_copy(update={"seq": event.seq + len(taken_over)})
