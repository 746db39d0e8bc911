"""The commands of the command line that gather evidence: their arguments and options.

Heavy modules (torch) are imported inside them: --help answers at once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.terminal import BAD_INPUT, FAILED, console, errors, stop
from newton_core.workers.cores import available_cores
from newton_core.workers.loading import quick_imports


def tune(
    source: Annotated[str, typer.Argument(metavar="PRESET|SPEC.json", help="What to tune.")],
    out: Annotated[Path, typer.Option(help="Write the tuned spec here, what was tried beside it.")],
    budget: Annotated[
        int, typer.Option(min=1, max=64, help="Settings that each arm is tried at.")
    ] = 16,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Tuning seeds.")] = 3,
    first_seed: Annotated[
        int, typer.Option(max=2**30, help="The first of them, 10,000 or more.")
    ] = 10_000,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many compute; if none: all cores.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what --out holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was tried as JSON.")] = False,
) -> None:
    """Choose learning rate and damping of every arm under one budget, and write the spec."""
    with quick_imports():
        from app.evidence.tune import TuneWishes, tune_spec

    wishes = TuneWishes(source, out, budget, seeds, first_seed, processes, force, as_json)
    _gather(lambda: tune_spec(wishes, console, errors))


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
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite another sweep's files in --out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compute a grid of settings on tuning seeds, and its best cell on report seeds."""
    with quick_imports():
        from app.evidence.sweep import SweepWishes, sweep_spec

    wishes = SweepWishes(source, grid, seeds, report_seeds, out, processes, force, as_json)
    _gather(lambda: sweep_spec(wishes, console, errors))


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
    with quick_imports():
        from app.evidence.reproduce import ReproduceWishes, reproduce_protocol

    wishes = ReproduceWishes(
        name, scale, out, as_json, processes or available_cores(), device, retune
    )
    _gather(lambda: reproduce_protocol(wishes, console, errors))


def scale(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Write scale.json, scale.md and a chart here.")
    ] = Path("results"),
    device: Annotated[str, typer.Option(help="Where tensors live: cpu, cuda, mps.")] = "cpu",
    quick: Annotated[
        bool, typer.Option("--quick", help="A few small sizes, to see that it runs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure how the cost of a curvature grows with the network, the outputs and the batch."""
    with quick_imports():
        from app.evidence.scale import ScaleWishes, measure_scale

    wishes = ScaleWishes(out, device, quick, as_json)
    _gather(lambda: measure_scale(wishes, console, errors))


def _gather(command: Callable[[], tuple[str, int] | None]) -> None:
    """Runs a command that gathers evidence, and ends as it ended."""
    from app.results import OutputError
    from app.specs import SpecError

    try:
        ending = command()
    except (SpecError, OutputError) as error:
        stop(str(error), BAD_INPUT)
    except OSError as error:  # problems with the user's own files are reported above
        if error.filename is None:  # of the output
            raise
        stop(f"cells cannot be kept: {error.filename}: {error.strerror}", FAILED)
    if ending is not None:
        stop(*ending)


EVIDENCE = (tune, sweep, reproduce, scale)
"""In the order in which they are used."""
