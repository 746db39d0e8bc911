"""The command ``train``: it checks its input, trains, and shows what was finished."""

import io
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from app import train as training
from app.evidence.comparison import sentence_of, table_of
from app.evidence.exports import check_formats, write
from app.report import check_page, write_report
from app.results import EventFile, OutputError, check_writable, train_seeds
from app.specs import SpecError, checked_spec, read_spec
from app.static import PageNotBuiltError
from app.terminal import BAD_INPUT, FAILED, INTERRUPTED, Ending
from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.context import RunContext


@dataclass(frozen=True)
class Wishes:
    """What ``train`` was asked for: its arguments and options."""

    source: str
    overrides: Mapping[str, Any]
    seeds: int
    out: Path | None
    html: Path | None
    resume: bool
    force: bool
    as_json: bool
    threads: int
    table: Path | None = None
    forest: Path | None = None


def train_all(wishes: Wishes, console: Console, errors: Console) -> Ending | None:
    """Trains one run for each seed; what was finished is shown and kept, however it ends.

    Args:
        wishes: what is asked for.
        console: shows the results.
        errors: shows the progress where the results are for a machine.

    Returns:
        Why not all was done, or None.

    Raises:
        SpecError: nothing was trained: the spec, its device or its data cannot be used.
        OutputError: nothing was trained: a file cannot be written.
    """
    specs = read_specs(wishes)
    torch.set_num_threads(wishes.threads)
    check_report(wishes)
    events = EventFile(wishes.out, force=wishes.force, resume=wishes.resume)
    for warning in check_can_run(specs[0], wishes.source):
        errors.print(f"{wishes.source}: {warning}", soft_wrap=True)
    events.check(specs[0])
    _quiet_about_expected()
    logs: dict[str, list[str]] | None = None if wishes.html is None else {}
    summaries: list[Summary] = []
    ending: Ending | None = None
    try:
        with events, training.interruptible() as stop, training.idle_cores() as workers:
            for title, summary, report in train_seeds(
                specs, wishes.source, events,
                console=errors if wishes.as_json else console,
                stop=stop, logs=logs, workers=workers,
            ):  # fmt: skip
                summaries.append(summary)
                if not wishes.as_json:
                    console.print(training.summary_table(summary, report, title))
    except training.RunFailedError as error:
        ending = f"the run failed: {error}", FAILED
    except training.RunCancelledError as error:
        ending = str(error) + _what_is_kept(wishes, len(summaries)), INTERRUPTED
    except KeyboardInterrupt:  # the second Ctrl-C
        ending = "interrupted" + _what_is_kept(wishes, len(summaries)), INTERRUPTED
    except OutputError as error:
        ending = str(error), BAD_INPUT
    comparison = show(specs[0], summaries, wishes, console)
    if wishes.html is not None and logs:
        ending = write_html(wishes, logs, comparison) or ending
    if summaries:
        ending = write_comparison(specs[0], summaries, wishes) or ending
    return ending


def read_specs(wishes: Wishes) -> list[ExperimentSpec]:
    """The specs to run, which differ in their seeds.

    Raises:
        SpecError: see :func:`~app.specs.read_spec`; the last seed is checked too.
    """
    first = read_spec(wishes.source, dict(wishes.overrides))
    last = first.seed + wishes.seeds - 1
    checked_spec(wishes.source, {**first.model_dump(mode="json"), "seed": last})
    return [first.model_copy(update={"seed": seed}) for seed in range(first.seed, last + 1)]


def check_report(wishes: Wishes) -> None:
    """Makes sure that all results can be written, and that no file is to be two things.

    Raises:
        OutputError: it cannot.
    """
    spec = Path(wishes.source)
    named = {
        "the spec": spec if spec.is_file() else None,  # a preset is no file
        "--out": wishes.out,
        "--html": wishes.html,
        "--table": wishes.table,
        "--forest": wishes.forest,
    }
    seen: dict[Path, str] = {}
    for what, path in named.items():
        if path is not None and (before := seen.setdefault(path.resolve(), what)) != what:
            raise OutputError(f"{before} and {what} are the same file, {path}")
    check_formats(wishes.table, wishes.forest)
    for option, path in (("--table", wishes.table), ("--forest", wishes.forest)):
        if path is not None:
            check_writable(option, path, overwrite=wishes.force or wishes.resume)
    if wishes.html is None:
        return
    check_writable("--html", wishes.html, overwrite=wishes.force or wishes.resume)
    try:
        check_page()
    except PageNotBuiltError as error:
        raise OutputError(f"--html: {error}") from error


def check_can_run(spec: ExperimentSpec, source: str) -> tuple[str, ...]:
    """Looks for the device and reads the data; what it has read serves the run.

    Returns:
        What may be wrong with the data though they can be used.

    Raises:
        SpecError: they are not there, or do not fit; the message says what to do.
    """
    try:
        return RunContext(spec).task.warnings()
    except (ValueError, OSError) as error:
        words = " ".join(str(error).split())
        raise SpecError(f"{source} cannot be run here: {words}") from error


def show(spec: ExperimentSpec, summaries: list[Summary], wishes: Wishes, console: Console) -> str:
    """Prints what was finished; returns the comparison over seeds as text, if there is one."""
    if wishes.as_json and summaries:
        sys.stdout.write(training.as_json(spec, summaries) + "\n")
    if len(summaries) < 2:
        return ""
    comparison = compare_runs(spec, summaries)
    if not wishes.as_json:
        console.print(table_of(comparison))
        console.print(sentence_of(comparison), soft_wrap=True)
    text = io.StringIO()
    plain = Console(file=text, width=console.width, markup=False, emoji=False)
    plain.print(table_of(comparison))
    plain.print(sentence_of(comparison))
    return text.getvalue()


def write_comparison(
    spec: ExperimentSpec, summaries: list[Summary], wishes: Wishes
) -> Ending | None:
    """Writes the table and the forest plot of the seeds that were finished."""
    try:
        comparison = compare_runs(spec, summaries)
        if wishes.table is not None:
            write("--table", comparison, wishes.table)
        if wishes.forest is not None:
            write("--forest", comparison, wishes.forest)
    except OutputError as error:
        return str(error), BAD_INPUT
    return None


def write_html(wishes: Wishes, logs: Mapping[str, list[str]], comparison: str) -> Ending | None:
    """Writes the report of all that was trained, finished or not."""
    assert wishes.html is not None
    run = {"title": wishes.source} | ({"comparison": comparison} if comparison else {})
    try:
        write_report(wishes.html, run, {title: log for title, log in logs.items() if log})
    except (PageNotBuiltError, OSError) as error:
        return f"--html: cannot write {wishes.html}: {error}", BAD_INPUT
    return None


def _what_is_kept(wishes: Wishes, finished: int) -> str:
    """Says what an interrupted command has kept."""
    words = f"; {finished} of {wishes.seeds} seeds are finished" if wishes.seeds > 1 else ""
    if wishes.out is not None:
        words += f"; the events are in {wishes.out}: --resume goes on from there"
    return words


def _quiet_about_expected() -> None:
    """Keeps expected errors out of the log, because the command prints them already."""
    handler = logging.StreamHandler()
    handler.addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], ValueError))
    )
    logging.getLogger("newton_core").addHandler(handler)
