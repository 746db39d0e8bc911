"""What the commands that gather evidence share: progress, endings, and their records."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from app.settings import load_settings
from app.specs import SpecError
from app.terminal import FAILED, INTERRUPTED, Ending
from newton_core.evidence import CellError, CellsStoppedError, CellStore, GridError, SeedError
from newton_core.evidence.computing import Progress
from newton_core.records import finite

KEPT = "finished cells are kept: the same command goes on from them"


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Callable[[Progress], None]]:
    """Shows how many cells are there and about how long the rest takes."""
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
        TextColumn("{task.completed:,}/{task.total:,} cells{task.fields[left]}"),
    )  # fmt: skip
    with Bar(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task(title, total=None, left="")

        def show(news: Progress) -> None:
            left = news.seconds_left
            words = "" if left is None else f", about {_duration(left)} left"
            progress.update(bar, completed=news.done, total=news.total, left=words)

        yield show


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def cell_store() -> CellStore:
    """The cells of the data folder, of the size that the settings allow.

    Raises:
        SettingsError: a setting in the environment is wrong.
    """
    return CellStore(most_bytes=load_settings().cells_mb * 1_000_000)


@contextmanager
def as_spec_errors(source: str) -> Iterator[None]:
    """Turns what is wrong with a grid, with seeds or with a spec into one line."""
    try:
        yield
    except (GridError, SeedError) as error:
        raise SpecError(str(error)) from error
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{source}: {' '.join(str(error).split())}") from error


def ending_of(error: CellError | CellsStoppedError | KeyboardInterrupt) -> Ending:
    """How a command ends that could not compute all its cells."""
    if isinstance(error, CellError):
        return str(error), FAILED
    words = str(error) or "interrupted"
    return f"{words}; {KEPT}", INTERRUPTED


def setting_words(settings: Mapping[str, Any]) -> str:
    """Settings as people read them, e.g. "arms.1.tikhonov 0.1, steps 100"."""
    return ", ".join(
        f"{path} {value:g}" if isinstance(value, float) else f"{path} {value}"
        for path, value in settings.items()
    )


def numbers(values: tuple[float, ...]) -> list[float | None]:
    """Values for JSON, which has no NaN."""
    return [finite(value) for value in values]
