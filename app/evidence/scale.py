"""The command ``scale``: how a curvature's cost grows with the network, the outputs, the batch."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.evidence.exports import drawn, undrawn
from app.evidence.reproduce import prepared_file, write_result
from app.figures.scaling import scaling
from app.results import OutputError
from app.shipped import SCALING, read_result
from app.specs import SpecError
from app.terminal import INTERRUPTED, Ending
from app.train import interruptible
from newton_core.evidence.computing import CellsStoppedError
from newton_core.evidence.results import Result, RowResult, shown
from newton_core.evidence.scaling import QUICK, Point, Scaling, Sizes, left_out_words
from newton_core.training.devices import check_device, describe_device, versions


@dataclass(frozen=True)
class ScaleWishes:
    """What ``scale`` was asked for."""

    out: Path
    device: str
    quick: bool
    as_json: bool

    @property
    def name(self) -> str:
        """Of the files; one kind of device has one."""
        kind = torch.device(self.device).type
        return SCALING if kind == "cpu" else f"{SCALING}-{kind}"


def measure_scale(wishes: ScaleWishes, console: Console, errors: Console) -> Ending | None:
    """Measures every point, and writes the table and the chart of those that were measured.

    Args:
        wishes: what is asked for.
        console: shows each point when it is done.
        errors: shows them where the result is for a machine.

    Returns:
        Why not all was done, or None.

    Raises:
        SpecError: nothing was measured: there is no such device.
        OutputError: a file cannot be written.
    """
    try:
        check_device(wishes.device)
    except (ValueError, RuntimeError) as error:
        raise SpecError(" ".join(str(error).split())) from error
    file = prepared_file(wishes.out, f"{wishes.name}.json")
    held = read_result(file) if wishes.quick else None
    if held is not None and held.scale != "tiny":
        raise OutputError(
            f"--out: {file} holds a whole measurement, which --quick would overwrite; choose"
            " another folder"
        )
    torch.set_num_threads(1)  # time is that of one thread, which other programs take nothing of
    talk = errors if wishes.as_json else console
    sizes = QUICK if wishes.quick else Sizes()
    rows: list[RowResult] = []
    ending: Ending | None = None
    with interruptible() as stop:
        work = Scaling(sizes, wishes.device, stop)
        try:
            for point, row in work.rows():
                talk.print(_line(point, row), soft_wrap=True)
                if row is not None:
                    rows.append(row)
        except (CellsStoppedError, KeyboardInterrupt) as error:
            ending = f"{str(error) or 'interrupted'}; nothing was written", INTERRUPTED
    if ending is None:
        result = _result(wishes, work, rows)
        chart = _draw(result, file)
        write_result(file, result, chart.name if chart.suffix != ".html" else "")
        if wishes.as_json:
            sys.stdout.write(result.model_dump_json(indent=1) + "\n")
        else:
            console.print(_table(rows))
            console.print(f"see {file}, {file.with_suffix('.md').name} and {chart.name}")
    return ending


def _line(point: Point, row: RowResult | None) -> str:
    if row is None:
        return f"{point.title}: not run, needs about {point.peak_bytes / 1e9:,.0f} GB"
    ratios = ", ".join(f"{arm.label} x {shown(row.metric, arm.mean)}" for arm in row.arms[1:])
    return f"{point.title}: {ratios}"


def _result(wishes: ScaleWishes, work: Scaling, rows: list[RowResult]) -> Result:
    weights, outputs, batch = work.sizes.middle
    note = (
        f"One size grows at a time; the others stay at {weights:,} weights, {outputs} outputs and a"
        f" batch of {batch}. A step is forward, loss, backward and Adam, all on one thread where"
        " the CPU computes; arms take turns in random order, and a ratio is taken in each round."
        f" {left_out_words(work.left_out)}"
    )
    command = "newton-lab scale" + (" --quick" if wishes.quick else "")
    if wishes.device != "cpu":
        command += f" --device {wishes.device}"
    return Result(
        name=wishes.name,
        protocol=SCALING,
        scale="tiny" if wishes.quick else "small",
        title="How the cost of a curvature grows: time of a step beside the plain one",
        source="ours",
        note=note.strip(),
        command=command,
        versions=versions(),
        device=describe_device(wishes.device),
        processes=1,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=True,
        minutes=round(sum(row.minutes for row in rows), 2),
        tuning_minutes=0.0,
        rows=rows,
    )


def _draw(result: Result, file: Path) -> Path:
    """Draws the chart beside the file: as SVG where something here can, else as a page.

    Raises:
        OutputError: it cannot be written.
    """
    chart = file.with_suffix(".html" if undrawn() else ".svg")
    content = drawn(scaling(result), chart.suffix)
    try:
        chart.write_bytes(content)
    except OSError as error:
        raise OutputError(f"--out: cannot write {chart}: {error.strerror or error}") from error
    return chart


def _table(rows: list[RowResult]) -> Table:
    table = Table(
        box=SIMPLE_HEAD, title="Time of a step, times the plain one", title_justify="left"
    )
    table.add_column("point")
    for label in ("Hessian", "Fisher"):
        table.add_column(label, justify="right")
    for row in rows:
        table.add_row(row.title, *(shown(row.metric, arm.mean) for arm in row.arms[1:]))
    return table
