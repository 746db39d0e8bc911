"""The command ``reproduce``: computes a table or figure of the paper, and says how it stands."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from app.evidence.common import cell_store, ending_of
from app.results import OutputError, write_whole
from app.shipped import read_result, results_dir
from app.specs import SpecError
from app.terminal import BAD_INPUT, Ending
from app.train import interruptible
from newton_core.data import DataParameters
from newton_core.evidence.computing import CellError, CellsStoppedError
from newton_core.evidence.markdown import arm_cells, markdown
from newton_core.evidence.protocols import PROTOCOLS, SCALES, Plan, Protocol, Row, ScaleName
from newton_core.evidence.reproduction import Reproduction, kept_tunings, seconds_of
from newton_core.evidence.results import Result, RowResult, tuning_minutes
from newton_core.experiment.spec import ExperimentSpec
from newton_core.registry import did_you_mean
from newton_core.training.context import RunContext
from newton_core.training.devices import check_device, describe_device, versions


@dataclass(frozen=True)
class ReproduceWishes:
    """What ``reproduce`` was asked for."""

    name: str
    scale: str
    out: Path
    as_json: bool
    processes: int
    device: str
    retune: bool


def reproduce_protocol(wishes: ReproduceWishes, console: Console, errors: Console) -> Ending | None:
    """Computes what is missing of a protocol, shows it and writes it down, however it ends.

    Args:
        wishes: what is asked for.
        console: shows the tables.
        errors: shows the progress where the results are for a machine.

    Returns:
        Why not all was done, or None.

    Raises:
        SpecError: nothing was computed: an unknown name or scale, or data that are not here.
        OutputError: nothing was computed: the folder cannot be written.
    """
    protocol, scale = _find(wishes)
    plan = protocol.plans[scale]()
    _check_can_run(plan, wishes)
    file = prepared_file(wishes.out, f"{protocol.name}-{scale}.json")
    talk = errors if wishes.as_json else console
    minutes = seconds_of(plan) / 60 / wishes.processes
    torch.set_num_threads(1)  # what is computed here and not in a child process is timed
    before = read_result(file)
    was_complete = before is not None and before.complete
    ending: Ending | None = None
    rows: list[RowResult] = []
    with interruptible() as stop, _progress(talk) as bar:
        talk.print(
            f"{protocol.name} at the scale {scale}: {len(plan.rows)} rows, about"
            f" {max(1, round(minutes)):,} minutes on {wishes.processes} idle cores, less what is"
            " kept"
        )
        task = bar.add_task(protocol.name, total=seconds_of(plan))
        work = Reproduction(
            plan, cell_store(), processes=wishes.processes,
            device=wishes.device, stop=stop, on_done=lambda seconds: bar.advance(task, seconds),
            kept={} if wishes.retune else kept_tunings(_earlier_rows(file)),
        )  # fmt: skip
        try:
            for row in work.rows():
                rows.append(row)
                found = _result(protocol, scale, plan, wishes, rows)
                if found.complete or not was_complete:
                    write_result(file, found)
                if not wishes.as_json:
                    bar.print(row_table(row))
                else:
                    bar.print(f"{len(rows)} of {len(plan.rows)} rows: {row.title}")
        except (CellError, CellsStoppedError, KeyboardInterrupt) as error:
            ending = ending_of(error)
        except OutputError as error:
            ending = str(error), BAD_INPUT
    if rows:
        _show(_result(protocol, scale, plan, wishes, rows), file, wishes, console)
    return ending


def _find(wishes: ReproduceWishes) -> tuple[Protocol, ScaleName]:
    """The protocol and the scale that are meant.

    Raises:
        SpecError: there is no such protocol, or it has no such scale.
    """
    protocol = PROTOCOLS.get(wishes.name)
    if protocol is None:
        hint = did_you_mean(wishes.name, PROTOCOLS)
        raise SpecError(
            f"there is nothing to reproduce called {wishes.name!r}; known:"
            f" {', '.join(PROTOCOLS)}{hint}"
        )
    for scale in SCALES:
        if scale == wishes.scale and scale in protocol.plans:
            return protocol, scale
    scales = ", ".join(scale for scale in SCALES if scale in protocol.plans)
    raise SpecError(f"{wishes.name} has no scale {wishes.scale!r}; it has: {scales}")


def _check_can_run(plan: Plan, wishes: ReproduceWishes) -> None:
    """Looks for the device and for the data of all rows, before hours are spent on the first.

    Raises:
        SpecError: they are not there; the message says what to do.
    """
    seen: set[DataParameters] = set()
    try:
        check_device(wishes.device)
        for row in plan.rows:
            for record in row.specs if isinstance(row, Row) else ():
                spec = ExperimentSpec.model_validate({**record, "device": wishes.device})
                data = set(spec.task.datasets().values())
                if not data <= seen:
                    seen |= data
                    RunContext(spec)
    except (ValueError, OSError) as error:
        words = " ".join(str(error).split())
        raise SpecError(f"{wishes.name} cannot be reproduced here: {words}") from error


def prepared_file(folder: Path, name: str) -> Path:
    """The file that results go into, in a folder that is made if need be.

    Raises:
        OutputError: it cannot be written.
    """
    file = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("ab"):
            pass
        if not file.stat().st_size:
            file.unlink()
    except OSError as error:
        raise OutputError(f"--out: cannot write {file}: {error.strerror or error}") from error
    return file


def _earlier_rows(file: Path) -> list[RowResult]:
    """Rows of this reproduction that were written or shipped before, for their tuned arms."""
    shipped = results_dir() / file.name
    found = [read_result(place) for place in (shipped, file)]
    return [row for result in found if result is not None for row in result.rows]


def _result(
    protocol: Protocol,
    scale: ScaleName,
    plan: Plan,
    wishes: ReproduceWishes,
    rows: Sequence[RowResult],
) -> Result:
    command = f"newton-lab reproduce {protocol.name} --scale {scale}"
    if wishes.device != "cpu":
        command += f" --device {wishes.device}"
    return Result(
        name=f"{protocol.name}-{scale}",
        protocol=protocol.name,
        scale=scale,
        title=protocol.title,
        source=protocol.source,
        note=plan.note,
        command=command,
        versions=versions(),
        device=describe_device(wishes.device),
        processes=wishes.processes,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=len(rows) == len(plan.rows),
        minutes=round(sum(row.minutes for row in rows), 2),
        tuning_minutes=round(tuning_minutes(rows), 2),
        rows=list(rows),
    )


def write_result(file: Path, result: Result, chart: str = "") -> None:
    """Writes the result and its page, whole or not at all.

    Args:
        file: of the JSON; the page lies beside it.
        result: what was found.
        chart: name of a picture beside it that the page shows.

    Raises:
        OutputError: they cannot be written any more.
    """
    texts = {
        file: result.model_dump_json(indent=1) + "\n",
        file.with_suffix(".md"): markdown(result, chart),
    }
    for place, text in texts.items():
        write_whole("--out", place, text)


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(), TextColumn("gone,"),
        TimeRemainingColumn(), TextColumn("to go"),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def row_table(row: RowResult) -> Table:
    """One row of the reproduction as a table of its arms, 80 columns wide at most."""
    metric = row.metric.title[:1].lower() + row.metric.title[1:]
    beside = any(arm.paper for arm in row.arms)
    table = Table(
        box=SIMPLE_HEAD,
        title=f"{row.title}: {metric}{', %' if row.metric.kind == 'share' else ''},"
        f" {len(row.seeds)} seeds",
        title_justify="left",
    )
    table.add_column("arm", overflow="fold")
    titles = ["ours", f"to {row.arms[0].label}", "p, Holm", "better"]
    for title in titles + (["paper", "ours - paper"] if beside else []):
        table.add_column(title, justify="right")
    for arm in row.arms:
        table.add_row(*arm_cells(row, arm, beside=beside))
    return table


def _show(result: Result, file: Path, wishes: ReproduceWishes, console: Console) -> None:
    """The end: what the verdicts say and where everything is, or all of it for a machine."""
    if wishes.as_json:
        sys.stdout.write(result.model_dump_json(indent=1) + "\n")
        return
    for row in result.rows:
        for _, words in row.sentences:
            console.print(f"- {words}")
    console.print(
        f"Report runs took {result.minutes:.1f} minutes of one core, tuning"
        f" {result.tuning_minutes:.1f} minutes; see {file} and {file.with_suffix('.md').name}"
    )
