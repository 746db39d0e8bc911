"""The command line: ``newton-lab``."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from app import __version__
from app.evidence.commands import EVIDENCE
from app.lessons.commands import lesson
from app.presets import UnknownPresetError, load_presets
from app.settings import (
    DATA_DIR_VARIABLE,
    SettingsError,
    describe_settings,
    load_settings,
    unknown_settings,
)
from app.terminal import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    console,
    errors,
    indented,
    prepare_streams,
    read_columns,
    stop,
)
from newton_core.workers.loading import quick_imports

# Heavy modules (torch) are imported inside the commands: --help and presets answer at once.

cli = typer.Typer(
    name="newton-lab",
    help="Train with vanilla and Newton losses side by side, and watch what curvature does.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes cut names, and need characters that not every terminal has
)
DATA_DIR = "--data-dir"


def main() -> None:
    """Entry point of the console script."""
    prepare_streams()
    code: int | str | None = 0
    try:
        try:
            arguments = _data_dir_first(sys.argv[1:]) or ["--help"]
            code = cli(arguments, prog_name="newton-lab", standalone_mode=False) or 0
        except typer.TyperException as error:
            errors.print(_usage_problem(error), soft_wrap=True)
            code = BAD_INPUT
        except SettingsError as error:  # every command may read the settings
            errors.print(str(error), soft_wrap=True, markup=False)
            code = BAD_INPUT
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough, e.g. `| head`
        code = code or FAILED
        _forget_output()
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        errors.print(f"cannot go on: {place}{error.strerror or error}", soft_wrap=True)
        code = BAD_INPUT
        _forget_output()
    raise SystemExit(code)


def _usage_problem(error: typer.TyperException) -> str:
    """What is wrong with how a command was called, and where its help is, in one line."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "newton-lab"
    words = error.format_message().rstrip(".")
    return f"{command}: {words[:1].lower()}{words[1:]}; see {command} --help"


def _forget_output() -> None:
    """Discards what is still to be written, because Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _data_dir_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``--data-dir`` before the command, wherever it stood."""
    first: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            others += [argument, *rest]
        elif argument == DATA_DIR:
            folder = next(rest, None)
            if folder is None:
                errors.print(f"{DATA_DIR} needs a folder", soft_wrap=True)
                raise SystemExit(BAD_INPUT)
            first += [argument, folder]
        elif argument.startswith(f"{DATA_DIR}="):
            first.append(argument)
        else:
            others.append(argument)
    return first + others


def _typed(header: str) -> Column:
    """A column of names that people type: they are never cut."""
    return Column(header, no_wrap=True, overflow="fold")


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"newton-lab {__version__}")
        raise typer.Exit


@cli.callback()
def lab(
    data_dir: Annotated[
        str | None,
        typer.Option(
            DATA_DIR,
            metavar="FOLDER",
            help=f"In place of {DATA_DIR_VARIABLE}; also after the command.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print it."),
    ] = False,
) -> None:
    """Train with vanilla and Newton losses side by side, and watch what curvature does."""
    if data_dir is not None:
        folder = Path(data_dir).expanduser().absolute()
        if not data_dir or (folder.exists() and not folder.is_dir()):
            stop(f"{DATA_DIR}: {data_dir or 'an empty name'} is no folder", BAD_INPUT)
        os.environ[DATA_DIR_VARIABLE] = str(folder)


@cli.command()
def train(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.json", help="What to run.")],
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Repeat with this many seeds.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write the events here, one JSON object a line.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a self-contained HTML report here, one for all seeds."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="Write the comparison over seeds here: .csv, .md or .tex."),
    ] = None,
    forest: Annotated[
        Path | None,
        typer.Option(help="Write its forest plot here: .html; .svg, .pdf, .png need kaleido."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from what --out holds; the numbers are equal.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what --out and --html hold.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print results as JSON.")] = False,
    steps: Annotated[int | None, typer.Option(help="In place of the spec's steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="In place of the spec's (first) seed.")] = None,
    device: Annotated[str | None, typer.Option(help="In place of the spec's device.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=256, help="Of torch; the numbers' last bits depend on it.")
    ] = 1,
) -> None:
    """Train every arm of a preset or a spec on the same batches, and print what each reached."""
    with quick_imports():
        from app.results import OutputError
        from app.specs import SpecError
        from app.train_command import Wishes, train_all

    if resume and out is None:
        stop("--resume goes on from what --out holds: add --out EVENTS.jsonl", BAD_INPUT)
    given = {"steps": steps, "seed": seed, "device": device}
    overrides = {key: value for key, value in given.items() if value is not None}
    wishes = Wishes(
        source, overrides, seeds, out, html, resume, force, as_json, threads, table, forest
    )
    try:
        ending = train_all(wishes, console, errors)
    except (SpecError, OutputError) as error:
        stop(str(error), BAD_INPUT)
    if ending is not None:
        stop(*ending)


for command in EVIDENCE:
    cli.command()(command)
cli.add_typer(lesson, name="lesson")


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
    with quick_imports():
        from app.serve import ServeError, ServerLostError
        from app.serve import serve as run_server

    try:
        settings = load_settings(host=host, port=port, root_path=root_path)
        for problem in unknown_settings():
            errors.print(problem, soft_wrap=True)
        run_server(settings, open_browser=open_browser)
    except ServerLostError as error:
        stop(str(error), FAILED)
    except ServeError as error:
        stop(str(error), BAD_INPUT)


@cli.command()
def warm(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LESSON|PRESET ...]",
            help="If none: every scene of the lessons, and all presets but those of hours.",
        ),
    ] = None,
) -> None:
    """Compute lessons and presets ahead, so that a class replays them at once.

    What was interrupted goes on from its last snapshot when it is called again.
    """
    with quick_imports():
        from app.database import DatabaseStartError
        from app.runs.executors import ExecutorError
        from app.warm import ServerSilentError, WarmProgress, find_wishes
        from app.warm import warm as compute_ahead

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
        TextColumn("{task.completed:,}/{task.total:,} {task.fields[status]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    done: list[WarmProgress] = []
    try:
        settings = load_settings()
        wishes = find_wishes(names or [], settings)
        with Progress(*columns, console=console) as progress:
            bars: dict[str, TaskID] = {}
            for news in compute_ahead(settings, wishes):
                if news.name not in bars:
                    bars[news.name] = progress.add_task(news.name, total=news.steps, status="")
                progress.update(bars[news.name], completed=news.step, status=news.status)
                if news.is_last:
                    done.append(news)
                    if news.status != "finished":
                        progress.print(f"{news.name} {news.status}: {news.error or 'stopped'}")
    except (UnknownPresetError, DatabaseStartError, ExecutorError, ServerSilentError) as error:
        stop(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        stop(
            f"interrupted: {len(done)} of {len(wishes)} are done, and the same command goes on",
            INTERRUPTED,
        )
    finished = [news for news in done if news.status == "finished"]
    there = sum(news.was_there for news in finished)
    console.print(
        f"{len(finished)} of {len(wishes)} runs replay at once: {there} were there,"
        f" {len(finished) - there} computed now"
    )
    raise typer.Exit(0 if len(finished) == len(wishes) else FAILED)


@cli.command()
def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the presets, the default first, with what to expect of each."""
    found = load_presets()
    if as_json:
        print(json.dumps([p.model_dump(mode="json") for p in found], indent=2))  # noqa: T201
        return
    width = read_columns()
    for preset in found:
        console.print(f"{preset.name} (about {preset.expect.seconds:.0f} s)", soft_wrap=True)
        for text in (preset.title, preset.expect.sentence):
            console.print(indented(text, width), soft_wrap=True)


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what the lab found here: versions, devices, threads, database, data sets."""
    with quick_imports():
        from app.doctor import examine

    findings = examine()
    if as_json:
        print(json.dumps([finding.as_record() for finding in findings], indent=2))  # noqa: T201
    else:
        found = Column("found", overflow="fold")
        table = Table(_typed(""), _typed("what"), found, show_header=False, box=None)
        for finding in findings:
            table.add_row("ok" if finding.good else "--", finding.name, finding.detail)
        console.print(table)


@cli.command()
def download(
    dataset: Annotated[str, typer.Argument(help="Data set to fetch: mnist.")],
) -> None:
    """Fetch a public data set into the data folder, with checksums."""
    with quick_imports():
        from newton_core.data import DatasetError, download_mnist
        from newton_core.folders import data_dir

    if dataset != "mnist":
        stop(f"unknown data set {dataset!r}; known: mnist", BAD_INPUT)
    try:
        download_mnist(data_dir() / "mnist", progress=sys.stderr.isatty())
    except DatasetError as error:
        stop(str(error), FAILED)
    console.print(f"mnist is in {data_dir() / 'mnist'}")


if __name__ == "__main__":
    main()
