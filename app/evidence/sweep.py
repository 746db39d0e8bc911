"""The command ``sweep``: a grid of settings on tuning seeds, the best one on report seeds."""

import csv
import io
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.evidence.common import (
    as_spec_errors,
    cell_store,
    ending_of,
    numbers,
    progress_bar,
    setting_words,
)
from app.evidence.comparison import record_of, sentence_of, table_of
from app.evidence.formats import number, words
from app.evidence.reproduce import prepared_file
from app.exports import harmless
from app.results import OutputError, write_whole
from app.specs import read_spec
from app.terminal import Ending
from app.train import interruptible
from app.train_command import check_can_run
from newton_core.evidence import (
    FIRST_TUNING_SEED,
    Axis,
    CellError,
    CellsStoppedError,
    Sweep,
    SweptCell,
    confirm,
    expand,
    gathered,
    sweep,
)
from newton_core.experiment.comparison import Comparison
from newton_core.experiment.spec import ExperimentSpec
from newton_core.records import finite
from newton_core.training.devices import versions

SHOWN = 20
"""So many combinations are printed; the files hold all."""


@dataclass(frozen=True)
class SweepWishes:
    """What ``sweep`` was asked for: its arguments and options."""

    source: str
    grid: Sequence[str]
    seeds: int
    report_seeds: int
    out: Path | None
    processes: int | None
    force: bool
    as_json: bool


def sweep_spec(wishes: SweepWishes, console: Console, errors: Console) -> Ending | None:
    """Computes a grid and tests its best cell; what was computed is kept, however it ends.

    Args:
        wishes: what is asked for.
        console: shows the result.
        errors: shows the progress where the result is for a machine.

    Raises:
        SpecError: the spec, its data or the grid cannot be used.
        OutputError: the folder cannot be written.
    """
    spec = read_spec(wishes.source)
    with as_spec_errors(wishes.source):
        axes = [Axis.parse(text) for text in wishes.grid]
        expand(spec, axes)
    if wishes.out is not None:
        _check_folder(wishes.out, spec, axes, wishes)
    check_can_run(spec, wishes.source)
    shown = errors if wishes.as_json else console
    store = cell_store()
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + wishes.seeds)
    finished: list[SweptCell] = []
    found: Sweep | None = None
    report: Comparison | None = None
    ending: Ending | None = None
    try:
        with as_spec_errors(wishes.source), interruptible() as stop:
            with progress_bar(shown, "sweep") as progress:
                found = sweep(
                    spec,
                    axes,
                    seeds=seeds,
                    store=store,
                    processes=wishes.processes,
                    stop=stop,
                    on_cell=finished.append,
                    on_progress=progress,
                )
            if found.best is not None and wishes.report_seeds:
                with progress_bar(shown, "best cell, report seeds") as progress:
                    report = confirm(
                        found.best.cell,
                        seeds=range(wishes.report_seeds),
                        store=store,
                        processes=wishes.processes,
                        stop=stop,
                        on_progress=progress,
                    )
    except (CellError, CellsStoppedError, KeyboardInterrupt) as error:
        ending = ending_of(error)
    if found is None:
        if not finished:
            return ending
        found = gathered(spec, axes, seeds, finished)
    failed = [swept for swept in found.cells if swept.error]
    if failed and ending is None:
        first = failed[0]
        ending = (
            f"{len(failed)} of {len(found.cells)} combinations failed, the first is"
            f" {setting_words(first.cell.settings)}: {first.error}",
            1,
        )
    record = sweep_record(found, report, wishes)
    if wishes.as_json:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        _print(found, report, console)
    if wishes.out is not None:
        write_files(wishes.out, found, record)
        if not wishes.as_json:
            files = f"{wishes.out / 'sweep.json'} and {wishes.out / 'cells.csv'}"
            console.print(f"{files} hold all of it", soft_wrap=True)
    return ending


def _print(found: Sweep, report: Comparison | None, console: Console) -> None:
    console.print(sweep_table(found))
    if found.best is not None and report is not None:
        console.print(
            f"the best, {setting_words(found.best.cell.settings)}, on seeds that chose nothing:"
        )
        console.print(table_of(report))
        console.print(sentence_of(report))


def sweep_table(found: Sweep) -> Table:
    """The best combinations, or all where there are few."""
    metric = found.metric
    first, last = found.seeds[0], found.seeds[-1]
    title = f"{words(metric)}, mean over tuning seeds {first} to {last}"
    cells = list(found.cells)
    if len(cells) > SHOWN:
        sign = -1 if metric.better == "lower" else 1

        def goodness(place: int) -> float:
            value = cells[place].value(found.arms, metric.better)
            return sign * value if math.isfinite(value) else -math.inf

        order = sorted(range(len(cells)), key=goodness, reverse=True)[:SHOWN]
        cells = [found.cells[place] for place in sorted(order)]
        title += f"; the best {SHOWN} of {len(found.cells)}"
    table = Table(title=title, title_justify="left")
    for axis in found.axes:
        table.add_column(axis.path, justify="right", overflow="fold")
    for index in range(len(found.spec.arms)):
        labels = {swept.cell.spec.arms[index].label for swept in found.cells}
        name = labels.pop() if len(labels) == 1 else f"arms.{index}"
        heading = f"{name}{', %' if metric.kind == 'share' else ''}"
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("", overflow="fold")
    for swept in cells:
        settings = [f"{value}" for value in swept.cell.settings.values()]
        if swept.comparison is None:
            table.add_row(*settings, *[""] * len(found.spec.arms), swept.error)
            continue
        means = [number(metric, arm.mean) for arm in swept.comparison.arms]
        table.add_row(*settings, *means, "best" if swept is found.best else "")
    return table


def sweep_record(found: Sweep, report: Comparison | None, wishes: SweepWishes) -> dict[str, Any]:
    """The sweep for machines."""
    grid = "".join(f" --grid {text}" for text in wishes.grid)
    best = found.best
    return {
        "source": wishes.source,
        "command": f"newton-lab sweep {wishes.source}{grid} --seeds {wishes.seeds}",
        "versions": versions(),
        "spec": found.spec.model_dump(mode="json"),
        "axes": axes_record(found.axes),
        "seeds": list(found.seeds),
        "arms": list(found.arms),
        "metric": found.metric.name,
        "better": found.metric.better,
        "cells": [
            {
                "index": swept.cell.index,
                "settings": dict(swept.cell.settings),
                "mean": finite(swept.value(found.arms, found.metric.better)),
                "error": swept.error,
                "arms": []
                if swept.comparison is None
                else [
                    {
                        "label": arm.label,
                        "mean": finite(arm.mean),
                        "values": numbers(arm.values),
                        "diverged": arm.diverged,
                    }
                    for arm in swept.comparison.arms
                ],
            }
            for swept in found.cells
        ],
        "best": None
        if best is None
        else {
            "index": best.cell.index,
            "settings": dict(best.cell.settings),
            "spec": best.cell.spec.model_dump(mode="json"),
            "report": None
            if report is None
            else {"seeds": list(range(report.seeds)), **record_of(report)},
        },
    }


def _check_folder(
    folder: Path, spec: ExperimentSpec, axes: Sequence[Axis], wishes: SweepWishes
) -> None:
    """Makes sure that the files can be written, and that no other sweep's are lost.

    Raises:
        OutputError: they cannot, or the folder holds another sweep and nobody said ``--force``.
    """
    file = prepared_file(folder, "sweep.json")
    prepared_file(folder, "cells.csv")
    if wishes.force or not file.exists():
        return
    try:
        held = json.loads(file.read_bytes())
    except ValueError:
        held = None
    wanted = {"spec": spec.model_dump(mode="json"), "axes": axes_record(axes)}
    if not isinstance(held, dict) or any(held.get(key) != wanted[key] for key in wanted):
        raise OutputError(
            f"--out: {file} holds another sweep; choose another folder, or --force overwrites it"
        )


def axes_record(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """The grid for machines."""
    return [{"path": axis.path, "values": list(axis.values)} for axis in axes]


def write_files(folder: Path, found: Sweep, record: dict[str, Any]) -> None:
    """Writes ``sweep.json``, and ``cells.csv`` with one row for each arm of each cell and seed.

    Raises:
        OutputError: they cannot be written any more.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_whole("--out", folder / "sweep.json", text)
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    paths = [axis.path for axis in found.axes]
    writer.writerow([*paths, "arm", "seed", found.metric.name, "error"])
    for swept in found.cells:
        settings = list(swept.cell.settings.values())
        if swept.comparison is None:
            writer.writerow([*settings, "", "", "", swept.error])
            continue
        for arm in swept.comparison.arms:
            for seed, value in zip(found.seeds, arm.values, strict=True):
                shown = "" if finite(value) is None else value
                writer.writerow([*settings, harmless(arm.label), seed, shown, ""])
    write_whole("--out", folder / "cells.csv", table.getvalue())
