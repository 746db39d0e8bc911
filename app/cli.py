"""The command line: ``newton-lab``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.presets import load_presets
from app.settings import SettingsError, describe_settings, load_settings

# Heavy modules (torch) are imported inside the commands: --help and presets answer at once.

cli = typer.Typer(
    name="newton-lab",
    help="Train with vanilla and Newton losses side by side, and watch what curvature does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

BAD_INPUT = 2
INTERRUPTED = 130


def main() -> None:
    """Entry point of the console script."""
    cli()


def _stop(message: str, code: int) -> NoReturn:
    errors.print(message, markup=False, highlight=False)
    raise typer.Exit(code)


@cli.command()
def train(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.json", help="What to run.")],
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Repeat with this many seeds.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write the events here, one JSON object a line.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a self-contained HTML report here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print results as JSON.")] = False,
    steps: Annotated[int | None, typer.Option(help="In place of the spec's steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="In place of the spec's (first) seed.")] = None,
    device: Annotated[str | None, typer.Option(help="In place of the spec's device.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of torch; numbers can differ in the last bits.")
    ] = 1,
) -> None:
    """Train every arm of a preset or a spec on the same batches, and print what each reached."""
    import torch

    from app import train as training
    from app.specs import SpecError, read_spec

    given = {"steps": steps, "seed": seed, "device": device}
    try:
        spec = read_spec(source, {key: value for key, value in given.items() if value is not None})
    except SpecError as error:
        _stop(str(error), BAD_INPUT)
    if html is not None and seeds > 1:
        _stop("--html shows one run: leave --seeds out", BAD_INPUT)
    torch.set_num_threads(threads)
    summaries = []
    progress = errors if as_json else console
    try:
        file = training.open_out(out)
    except OSError as error:
        _stop(f"--out: {error}", BAD_INPUT)
    records: list[str] = []
    sinks: list[Callable[[str], object]] = []
    if file is not None:
        sinks.append(file.write)
    if html is not None:
        sinks.append(records.append)
    try:
        with training.interruptible() as stop, training.idle_cores() as arm_workers:
            for offset in range(seeds):
                one = spec.model_copy(update={"seed": spec.seed + offset})
                title = source if seeds == 1 else f"{source} seed {one.seed}"
                summary, report = training.train(
                    one,
                    console=progress,
                    title=title,
                    stop=stop,
                    sinks=sinks,
                    workers=arm_workers,
                )
                summaries.append(summary)
                if not as_json:
                    console.print(training.summary_table(summary, report, title))
    except training.RunFailedError as error:
        _stop(f"the run failed: {error}", 1)
    except training.RunCancelledError as error:
        kept = f"; the events are in {out}" if out else ""
        _stop(f"{error}{kept}", INTERRUPTED)
    finally:
        if file is not None:
            file.close()
    if as_json:
        print(training.as_json(spec, summaries))  # noqa: T201 - for machines, not through rich
    elif seeds > 1:
        console.print(training.comparison_table(spec, summaries))
    if html is not None:
        _write_html(html, source, records)


def _write_html(path: Path, title: str, records: list[str]) -> None:
    from app.report import write_report
    from app.static import PageNotBuiltError

    try:
        write_report(path, title, records)
    except (PageNotBuiltError, OSError) as error:
        _stop(f"--html: {error}", 1)


def _settings_help() -> str:
    """The table of settings as an epilogue; blank lines keep the rows apart."""
    rows = [f"{row.variable} (default: {row.default}): {row.help}" for row in describe_settings()]
    return "\n\n".join(["Settings, read from the environment:", *rows])


@cli.command(epilog=_settings_help())
def serve(
    host: Annotated[str | None, typer.Option(help="In place of NEWTON_LAB_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="In place of NEWTON_LAB_PORT.")] = None,
    root_path: Annotated[str | None, typer.Option(help="In place of NEWTON_LAB_ROOT_PATH.")] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser, where there is one.")
    ] = False,
) -> None:
    """Serve the page and the HTTP interface until Ctrl-C."""
    from app.serve import ServeError
    from app.serve import serve as run_server

    try:
        settings = load_settings(host=host, port=port, root_path=root_path)
        run_server(settings, open_browser=open_browser)
    except SettingsError as error:
        _stop(str(error), BAD_INPUT)
    except ServeError as error:
        _stop(str(error), 1)


@cli.command()
def warm(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PRESET ...]", help="If none: all but those of hours."),
    ] = None,
) -> None:
    """Compute presets ahead, so that a class replays them at once."""
    from app.database import DatabaseInUseError
    from app.presets import UnknownPresetError
    from app.runs.warm import warm as compute_ahead

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=20),
        TextColumn("{task.completed:,}/{task.total:,} {task.fields[status]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    broken = 0
    try:
        with Progress(*columns, console=console) as progress:
            bars: dict[str, TaskID] = {}
            for news in compute_ahead(load_settings(), names or []):
                if news.preset not in bars:
                    bars[news.preset] = progress.add_task(news.preset, total=news.steps, status="")
                progress.update(bars[news.preset], completed=news.step, status=news.status)
                if news.status in ("failed", "cancelled"):
                    broken += 1
                    progress.print(f"{news.preset} {news.status}: {news.error or 'stopped'}")
    except UnknownPresetError as error:
        _stop(str(error), BAD_INPUT)
    except (DatabaseInUseError, SettingsError) as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("interrupted: what has been computed is kept", INTERRUPTED)
    raise typer.Exit(1 if broken else 0)


@cli.command()
def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the presets, the default first, with what to expect of each."""
    found = load_presets()
    if as_json:
        print(json.dumps([p.model_dump(mode="json") for p in found], indent=2))  # noqa: T201
        return
    table = Table("name", "title", "expect", "seconds", show_lines=True)
    for preset in found:
        table.add_row(
            preset.name, preset.title, preset.expect.sentence, f"{preset.expect.seconds:.0f}"
        )
    console.print(table)


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what the lab found here: versions, devices, threads, database, data sets."""
    from app.doctor import examine

    findings = examine()
    if as_json:
        print(json.dumps([finding.as_record() for finding in findings], indent=2))  # noqa: T201
    else:
        table = Table("", "what", "found", show_header=False, box=None)
        for finding in findings:
            table.add_row("ok" if finding.good else "--", finding.name, finding.detail)
        console.print(table)


@cli.command()
def download(
    dataset: Annotated[str, typer.Argument(help="Data set to fetch: mnist.")],
) -> None:
    """Fetch a public data set into the data folder, with checksums."""
    from newton_core.data import DatasetError, download_mnist
    from newton_core.folders import data_dir

    if dataset != "mnist":
        _stop(f"unknown data set {dataset!r}; known: mnist", BAD_INPUT)
    try:
        download_mnist(data_dir() / "mnist", progress=sys.stderr.isatty())
    except DatasetError as error:
        _stop(str(error), 1)
    console.print(f"mnist is in {data_dir() / 'mnist'}")


if __name__ == "__main__":
    main()
