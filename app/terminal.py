"""What the command line writes, to terminals, pipes and files of any encoding."""

import codecs
import io
import os
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import Any, NoReturn

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

READ_COLUMNS = 80
"""Lines of prose are no longer, on wide terminals and in pipes too."""
PIPE_COLUMNS = 10_000
"""In a pipe no line is cut or broken: what reads it wants whole names."""
_SPELT_OUT = {
    "±": "+/-", "·": "-", "×": "x", "−": "-", "–": "-", "—": "-", "→": "->", "…": "...",
    "≤": "<=", "≥": ">=", "≈": "~", "‖": "||", "∇": "grad ", "λ": "lambda", "σ": "sigma",
    "μ": "mu", "τ": "tau", "η": "eta", "ρ": "rho", "“": '"', "”": '"', "‘": "'", "’": "'",
}  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_SPELLING = "newton-lab-spelling"


def spell_out(text: str, encoding: str) -> str:
    """``text`` in the characters of ``encoding``: others are written with several, or as ``?``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_spell(character, encoding) for character in text)
    return text


def _spell(character: str, encoding: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c.isascii())
    for spelling in (character, _SPELT_OUT.get(character, plain)):
        try:
            spelling.encode(encoding)
        except UnicodeEncodeError:
            continue
        if spelling:
            return spelling
    return "?"


def _spell_in_stream(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_spell(character, "ascii") for character in found), error.end


def harmless(text: str) -> str:
    """``text`` without control characters: a label of a stranger's spec may command no terminal."""
    return _CONTROLS.sub("?", text)


def prepare_streams() -> None:
    """Lets standard output and error take every text, whatever their encoding.

    Where one is closed (``>&-``), what goes there is discarded.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    codecs.register_error(_SPELLING, _spell_in_stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SPELLING)


class PlainConsole(Console):
    """A console that prints texts as they are, in the characters that its stream has."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        in_pipe = stream is None or not stream.isatty()
        width = PIPE_COLUMNS if in_pipe and not os.environ.get("COLUMNS") else None
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """See :class:`Console`; characters are spelt out before the width is measured."""
        return super().render_str(spell_out(harmless(text), self.encoding), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """See :class:`Console`; texts that were not strings hold no control characters either."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


console = PlainConsole()
errors = PlainConsole(stderr=True)


def read_columns() -> int:
    """How long a line of prose may be on standard output."""
    return min(console.width, READ_COLUMNS)


def indented(text: str, width: int) -> str:
    """Prose in lines of at most ``width`` characters; no word is cut."""
    spelt = spell_out(text, console.encoding)
    margin = " " * 4
    return textwrap.fill(
        spelt,
        max(width, 20),
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
Ending = tuple[str, int]
"""Last words and exit code of a command that did not do all that it was to do."""


def stop(message: str, code: int) -> NoReturn:
    """Ends a command with one line on standard error and an exit code."""
    errors.print(message, soft_wrap=True)
    raise typer.Exit(code)
