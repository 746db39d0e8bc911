"""A comparison as a file: CSV, Markdown, LaTeX; its forest plot as SVG, PDF or HTML."""

import csv
import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.evidence.comparison import COLUMNS, plain_rows, rows_of, sentence_of, title_of
from app.exports import harmless
from app.results import OutputError
from newton_core.experiment.comparison import Comparison

if TYPE_CHECKING:  # it takes a moment to import
    import plotly.graph_objects as go

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_INSTEAD = "or take .html, which any browser prints"


class NothingToDrawError(OutputError):
    """A forest plot of one arm, or of arms whose values are not known."""


def check_formats(table: Path | None, plot: Path | None) -> None:
    """Makes sure that the endings of files are known, and that what draws them is installed.

    Raises:
        OutputError: they are not.
    """
    for option, path, known in (("--table", table, TABLES), ("--forest", plot, PLOTS)):
        if path is not None and path.suffix.lower() not in known:
            ending = path.suffix or "no ending"
            raise OutputError(f"{option}: {path} has {ending}; it takes {', '.join(known)}")
    if plot is not None and plot.suffix.lower() in DRAWN and (problem := undrawn()):
        raise OutputError(f"--forest: {problem}")


def write(option: str, comparison: Comparison, path: Path) -> None:
    """Writes the table or the forest plot in the form that the file's ending names.

    Raises:
        OutputError: it cannot be written, or nothing here can draw it.
    """
    try:
        path.write_bytes(content_of(comparison, path.suffix.lower()))
    except OSError as error:
        raise OutputError(f"{option}: cannot write {path}: {error.strerror}") from error
    except OutputError as error:
        raise OutputError(f"{option}: {error}") from error


def content_of(comparison: Comparison, ending: str) -> bytes:
    """The table (.csv, .md, .tex) or the forest plot (.html, .svg, .pdf, .png).

    Raises:
        NothingToDrawError: no arm is compared with another.
        OutputError: nothing here can draw it.
    """
    if ending in TABLES:
        return TABLES[ending](comparison).encode()
    from app.figures.forest import forest

    if ending in DRAWN and (problem := undrawn()):
        raise OutputError(problem)
    try:
        figure = forest(comparison)
    except ValueError as error:
        raise NothingToDrawError(str(error)) from error
    return drawn(figure, ending)


def drawn(figure: "go.Figure", ending: str) -> bytes:
    """A figure as .html, .svg, .pdf or .png.

    Raises:
        OutputError: nothing here can draw it.
    """
    if ending not in DRAWN:
        return str(figure.to_html(include_plotlyjs=True)).encode()
    try:
        return bytes(figure.to_image(format=ending.removeprefix(".")))
    except Exception as error:  # kaleido has many ways to miss a browser
        reason = " ".join(str(error).split())[:200]
        raise OutputError(
            f"kaleido could not draw {ending}: {reason}; take .html instead"
        ) from error


def undrawn() -> str:
    """Why nothing here draws SVG, PDF or PNG; empty if something does."""
    if importlib.util.find_spec("kaleido") is None:
        return f"SVG, PDF and PNG need kaleido: install newton-lab[figures], {_INSTEAD}"
    from choreographer.browsers import Chromium  # what kaleido finds its browser by

    path = Chromium.find_browser(skip_local=False)
    if path is None or not Path(path).is_file():
        return f"SVG, PDF and PNG need a Chrome, and kaleido finds none: install one, {_INSTEAD}"
    return ""


def as_csv(comparison: Comparison) -> str:
    """One row for each arm, every number in full."""
    rows = plain_rows(comparison)
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "label": harmless(row["label"])} for row in rows)
    return text.getvalue()


def as_markdown(comparison: Comparison) -> str:
    """The table as people read it, with its title and its sentence."""
    lines = [f"**{title_of(comparison)}**", ""]
    lines.append("| " + " | ".join(COLUMNS) + " |")
    lines.append("|" + "|".join(["---", *["---:"] * (len(COLUMNS) - 2), "---"]) + "|")
    for row in _rows(comparison):
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |")
    return "\n".join([*lines, "", sentence_of(comparison), ""])


def as_latex(comparison: Comparison) -> str:
    """The table for a paper that loads booktabs."""
    columns = "l" + "r" * (len(COLUMNS) - 2) + "l"
    lines = [r"\begin{table}", r"\centering", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [" & ".join(map(_latex, COLUMNS)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(_latex, row)) + r" \\" for row in _rows(comparison)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    caption = f"{title_of(comparison)}. {sentence_of(comparison)}"
    lines += [rf"\caption{{{_latex(caption)}}}", r"\end{table}", ""]
    return "\n".join(lines)


def _rows(comparison: Comparison) -> list[list[str]]:
    """The table's rows; what must be known beside the numbers stands with the verdict."""
    return [
        [*row[:-2], ", ".join(word for word in row[-2:] if word)] for row in rows_of(comparison)
    ]


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


TABLES: dict[str, Callable[[Comparison], str]] = {
    ".csv": as_csv,
    ".md": as_markdown,
    ".tex": as_latex,
}
DRAWN = (".svg", ".pdf", ".png")
PLOTS = (*DRAWN, ".html")
