"""The command line: ``newton-lab``."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from app import __version__
from app.presets import UnknownPresetError, load_presets
from app.settings import DATA_DIR_VARIABLE, SettingsError, describe_settings, load_settings
from app.terminal import PlainConsole, prepare_streams

# Heavy modules (torch) are imported inside the commands: --help and presets answer at once.

cli = typer.Typer(
    name="newton-lab",
    help="Train with vanilla and Newton losses side by side, and watch what curvature does.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes cut names, and need characters that not every terminal has
)
console = PlainConsole()
errors = PlainConsole(stderr=True)

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
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


def _stop(message: str, code: int) -> NoReturn:
    errors.print(message, soft_wrap=True)
    raise typer.Exit(code)


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
            _stop(f"{DATA_DIR}: {data_dir or 'an empty name'} is no folder", BAD_INPUT)
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
    from app.results import OutputError
    from app.specs import SpecError
    from app.train_command import Wishes, train_all

    if resume and out is None:
        _stop("--resume goes on from what --out holds: add --out EVENTS.jsonl", BAD_INPUT)
    given = {"steps": steps, "seed": seed, "device": device}
    overrides = {key: value for key, value in given.items() if value is not None}
    wishes = Wishes(
        source, overrides, seeds, out, html, resume, force, as_json, threads, table, forest
    )
    try:
        ending = train_all(wishes, console, errors)
    except (SpecError, OutputError) as error:
        _stop(str(error), BAD_INPUT)
    if ending is not None:
        _stop(*ending)


@cli.command()
def tune(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.json", help="What to tune.")],
    out: Annotated[Path, typer.Option(help="Write the tuned spec here, what was tried beside it.")],
    budget: Annotated[
        int, typer.Option(min=1, max=400, help="Settings that each arm is tried at.")
    ] = 16,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Tuning seeds.")] = 3,
    first_seed: Annotated[int, typer.Option(help="The first of them, 10,000 or more.")] = 10_000,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many compute; if none: all cores.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what --out holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was tried as JSON.")] = False,
) -> None:
    """Choose learning rate and damping of every arm under one budget, and write the spec."""
    from app.evidence.tune import TuneWishes, tune_spec

    wishes = TuneWishes(source, out, budget, seeds, first_seed, processes, force, as_json)
    _gather(lambda: tune_spec(wishes, console, errors))


@cli.command()
def sweep(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.json", help="What to vary.")],
    grid: Annotated[
        list[str],
        typer.Option(help="A setting and its values: arms.1.tikhonov=0.01,0.1,1; repeatable."),
    ],
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Tuning seeds of each cell.")] = 3,
    report_seeds: Annotated[
        int, typer.Option(min=0, max=1000, help="Seeds that test the best cell; 0: none.")
    ] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Write sweep.json and cells.csv into this folder.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many compute; if none: all cores.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compute a grid of settings on tuning seeds, and its best cell on report seeds."""
    from app.evidence.sweep import SweepWishes, sweep_spec

    wishes = SweepWishes(source, grid, seeds, report_seeds, out, processes, as_json)
    _gather(lambda: sweep_spec(wishes, console, errors))


@cli.command()
def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            help="table1 to table4, figure3, figure4, figure6, runtimes, or components (ours)."
        ),
    ],
    scale: Annotated[
        str,
        typer.Option(
            metavar="tiny|small|mnist|paper",
            help="tiny: seconds, shows that it works; small: embedded data, two cores, under 90"
            " minutes; mnist: with its files; paper: for a GPU.",
        ),
    ] = "small",
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Write NAME-SCALE.json and .md here.")
    ] = Path("results"),
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many compute; if none: all cores.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where tensors live: cpu, cuda, mps.")] = "cpu",
    retune: Annotated[
        bool, typer.Option("--retune", help="Tune again, also arms whose settings are kept.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compute a table or figure of the paper, beside its numbers; goes on where it was stopped."""
    from app.evidence.reproduce import ReproduceWishes, reproduce_protocol
    from app.settings import available_cores

    cores = processes or available_cores()
    wishes = ReproduceWishes(name, scale, out, as_json, cores, device, retune)
    _gather(lambda: reproduce_protocol(wishes, console, errors))


def _gather(command: Callable[[], tuple[str, int] | None]) -> None:
    """Runs a command that gathers evidence, and ends as it ended."""
    from app.results import OutputError
    from app.specs import SpecError

    try:
        ending = command()
    except (SpecError, OutputError) as error:
        _stop(str(error), BAD_INPUT)
    if ending is not None:
        _stop(*ending)


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
    from app.serve import ServeError, ServerLostError
    from app.serve import serve as run_server

    try:
        settings = load_settings(host=host, port=port, root_path=root_path)
        run_server(settings, open_browser=open_browser)
    except ServerLostError as error:
        _stop(str(error), FAILED)
    except (SettingsError, ServeError) as error:
        _stop(str(error), BAD_INPUT)


@cli.command()
def warm(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PRESET ...]", help="If none: all but those of hours."),
    ] = None,
) -> None:
    """Compute presets ahead, so that a class replays them at once."""
    from app.database import DatabaseStartError
    from app.runs.warm import ServerSilentError
    from app.runs.warm import warm as compute_ahead

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
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
    except (UnknownPresetError, DatabaseStartError, ServerSilentError, SettingsError) as error:
        _stop(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        _stop("interrupted: what has been computed is kept", INTERRUPTED)
    raise typer.Exit(FAILED if broken else 0)


@cli.command()
def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the presets, the default first, with what to expect of each."""
    found = load_presets()
    if as_json:
        print(json.dumps([p.model_dump(mode="json") for p in found], indent=2))  # noqa: T201
        return
    table = Table(_typed("name"), "title", "expect", "seconds", show_lines=True)
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
    from newton_core.data import DatasetError, download_mnist
    from newton_core.folders import data_dir

    if dataset != "mnist":
        _stop(f"unknown data set {dataset!r}; known: mnist", BAD_INPUT)
    try:
        download_mnist(data_dir() / "mnist", progress=sys.stderr.isatty())
    except DatasetError as error:
        _stop(str(error), FAILED)
    console.print(f"mnist is in {data_dir() / 'mnist'}")


if __name__ == "__main__":
    main()
