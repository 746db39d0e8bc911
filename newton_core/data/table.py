"""Reads the table of a folder of images, which gives the value of each, and checks every row.

What spreadsheets and other programs write is taken as it comes; ``docs/data.md`` lists it.
"""

import csv
import io
import math
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from newton_core.data.base import DatasetError
from newton_core.data.names import FilesOfFolder
from newton_core.data.text import GUESSED, decode

FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_name", "path", "filepath")
VALUE_COLUMNS = ("value", "label", "class", "target")
ENDINGS = (".csv", ".tsv")
IMAGE_ENDINGS = (  # of images that no table names
    *(".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
LARGEST = 100_000  # images of a folder
LARGEST_TABLE = 2**26  # bytes
_LISTED = 10  # bad rows that an error spells out
_DELIMITERS = ",;\t|"
_WANTED = "the columns file and value (or filename and label)"
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Row:
    """One image: the line of the table (0: none), its name there, its path, the value it shows.

    ``name`` is as in the table, or as on the disk where the table spells it otherwise. ``value`` is
    a number, or a text in tables of labels.
    """

    line: int
    name: str
    path: Path
    value: float | str


class Problems:
    """Collects the problems of a table's rows, to report all of them at once."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, problem: str) -> None:
        """Adds a problem of a line; lines are counted from 1, and 0 stands for none."""
        self._found.append((line, problem))

    def raise_if_any(self) -> None:
        """Raises a :class:`DatasetError` that lists the first problems, if there are any."""
        if not self._found:
            return
        count = len(self._found)
        lines = [
            f"line {line}: {problem}" if line else problem
            for line, problem in sorted(self._found)[:_LISTED]
        ]
        if count > _LISTED:
            lines.append(f"and {count - _LISTED} more")
        plural = "s" if count > 1 else ""
        raise DatasetError(
            f"{self._table}: {count} row{plural} cannot be used:\n  " + "\n  ".join(lines)
        )


def find_table(folder: Path, wanted: str = _WANTED) -> Path:
    """The one table of a folder, which holds what is ``wanted``.

    Hidden files, such as macOS leaves beside others, are none.

    A folder without a table is its own, where at least two subfolders sort its images.

    Raises:
        DatasetError: there is no such folder, or not exactly one table in it.
    """
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        tables = [path for path in files if path.suffix.lower() in ENDINGS and path.is_file()]
        if not tables and len(sorted_images(folder)) > 1:
            return folder
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(
            f"{folder}: expected a folder that holds a CSV file with {wanted} ({reason})"
        ) from error
    if len(tables) != 1:
        found = ", ".join(path.name for path in tables[:_LISTED]) or "none"
        if not tables and files:
            files.sort(key=lambda path: path.name.lower().endswith(IMAGE_ENDINGS))  # these last
            shown = ", ".join(path.name for path in files[:3])
            found += (
                f" among {len(files):,} files and folders ({shown}{', ...' * (len(files) > 3)})"
            )
        raise DatasetError(f"{folder}: expected exactly one CSV file with {wanted}, found {found}")
    if not tables[0].resolve().is_relative_to(folder.resolve()):
        raise DatasetError(f"{tables[0]}: expected a table in the folder, found a link out of it")
    return tables[0]


def sorted_images(folder: Path) -> dict[str, list[str]]:
    """The names of the images directly in each subfolder, which is named as their value."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            names = (f"{path.name}/{name}" for name in sorted(os.listdir(path)) if name[0] != ".")
            if images := [name for name in names if name.lower().endswith(IMAGE_ENDINGS)]:
                found[path.name] = images
    return found


def read_rows(folder: Path, *, labels: bool = False) -> tuple[Path, tuple[Row, ...]]:
    """The table of a folder and its rows: each names an existing file inside the folder.

    Other columns than those of the files and the values are ignored. Without a table, subfolders
    sort the images by their values.

    Args:
        folder: holds the table and, in it or in subfolders, the images.
        labels: whether values may be any texts. They are numbers nevertheless if all of them are.

    Raises:
        DatasetError: no table, an unusable one, or bad rows, listed with their line numbers.
    """
    table = find_table(folder)
    if table == folder:
        return folder, tuple(_Reading(folder, "", labels).rows())
    text, encoding = read_text(table)
    try:
        return table, tuple(_Reading(table, text, labels).rows())
    except csv.Error as error:
        raise DatasetError(f"{table}: is no CSV file ({error})") from error
    except DatasetError as error:
        if encoding != GUESSED:
            raise
        raise DatasetError(
            f"{table}: expected UTF-8 text: save it as CSV UTF-8. Read as {GUESSED}:\n{error}"
        ) from error


class _Reading:
    """One pass over the text of a table."""

    def __init__(self, table: Path, text: str, labels: bool) -> None:
        self._table = table
        self._labels = labels
        self._text = text
        self._sorted = table.is_dir()
        self._files = FilesOfFolder(table if self._sorted else table.parent)
        self._problems = Problems(table)

    def rows(self) -> list[Row]:
        """The checked rows; files named twice with one value are there once."""
        found: dict[Path, Row] = {}
        cells = self._sorted_cells() if self._sorted else self._cells()
        for count, (line, name, value) in enumerate(cells, start=1):
            self._check_count(count)  # now, because looking for files takes time
            try:
                if not name:
                    raise ValueError("no file is named")
                if self._labels and not value:
                    raise ValueError("no label is given")
                row = Row(line, *self._files.find(name), value)
            except ValueError as error:
                self._problems.add(line, str(error))
                continue
            first = found.setdefault(row.path, row)
            if first.value != value:
                self._problems.add(
                    line,
                    f"{row.name} is already on line {first.line}, with {first.value} in place of"
                    f" {value}",
                )
        rows = self._with_numbers(list(found.values()))
        self._problems.raise_if_any()
        return rows

    def _check_count(self, count: int) -> None:
        if count > LARGEST:
            raise DatasetError(
                f"{self._table}: expected at most {LARGEST:,} images, found {count:,} or more"
            )

    def _sorted_cells(self) -> Iterator[tuple[int, str, str]]:
        self._delimiter = ";"  # a folder's name may have a decimal comma
        images = sorted_images(self._table)
        self._check_count(sum(map(len, images.values())))
        for value, names in images.items():
            yield from ((0, name, value) for name in names)

    def _cells(self) -> Iterator[tuple[int, str, str]]:
        """Line, file and value of each row that has the right number of cells."""
        sheet = Sheet(self._text)
        self._delimiter = sheet.delimiter
        file, value = (
            self._column(sheet.names, kind, sheet.header) for kind in (FILE_COLUMNS, VALUE_COLUMNS)
        )
        for line, cells in sheet.rows(self._problems):
            yield line, cells[file].strip(), cells[value].strip()

    def _column(self, names: list[str], wanted: tuple[str, ...], header: str) -> int:
        """The position of the column; the plainest name counts where several would do."""
        fitting = [name for name in names if name in wanted]
        if wanted[0] in fitting:
            fitting = [name for name in fitting if name == wanted[0]]
        if len(fitting) != 1:
            several = f" (which of {', '.join(fitting)}?)" if fitting else ""
            raise DatasetError(
                f"{self._table}: expected a first line with {_WANTED}, found"
                f" {header.strip()[:200]!r}{several}"
            )
        return names.index(fitting[0])

    def _with_numbers(self, rows: list[Row]) -> list[Row]:
        """The rows with numbers for values, or with texts where those are labels."""
        numbers: list[Row] = []
        problems: list[tuple[int, str]] = []
        signs = DecimalSigns(self._delimiter)
        for row in rows:
            text = str(row.value)
            try:
                number = signs.number(text, row.line)
                numbers.append(Row(row.line, row.name, row.path, number))
            except ValueError as error:
                problems.append((row.line, str(error)))
        if problems and self._labels:
            return [
                Row(row.line, row.name, row.path, unicodedata.normalize("NFC", str(row.value)))
                for row in rows
            ]
        for line, problem in problems:
            self._problems.add(line, problem)
        return numbers


class Sheet:
    """The cells of a table's text: the names of its columns, in small letters, and its rows.

    A first line ``sep=;``, which Excel understands, says what separates the cells; else the header
    does.
    """

    def __init__(self, text: str) -> None:
        self._skipped = 0
        told = re.match(r"\"?sep=(.)\"?(?:\r\n|\r|\n|$)", text, re.IGNORECASE)
        if told:
            text, self._skipped = text[told.end() :], 1
        lines = re.split(r"[\r\n]", text, maxsplit=20)
        self.header = next((line for line in lines if line.strip()), "")
        self.delimiter = told[1] if told else max(_DELIMITERS, key=self.header.count)
        file = io.StringIO(text, newline="")
        self._reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        first: list[str] = next((row for row in self._reader if any(map(str.strip, row))), [])
        self.names = _without_empty_end([column_name(name) for name in first])

    def rows(self, problems: Problems, *, evenly: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of each row that has the right number of them, others as problems.

        Empty rows are left out, and so are empty cells after the last column.

        Args:
            problems: gets the rows of another length.
            evenly: rows stand for equal distances, so that an empty one between two is a problem.
        """
        empty: list[int] | None = None
        for cells in self._reader:
            line = self._reader.line_num + self._skipped
            if not any(cell.strip() for cell in cells):
                if empty is not None:
                    empty.append(line)
                continue
            for between in empty or ():
                if evenly:
                    problems.add(between, "there is no value, in an empty row: fill the gap")
            empty = []
            if len(cells) > len(self.names):  # commas after the last cell
                cells[len(self.names) :] = _without_empty_end(cells[len(self.names) :])
            if len(cells) != len(self.names):
                problems.add(line, f"expected {len(self.names)} cells, found {len(cells)}")
                continue
            yield line, cells


def column_name(text: str) -> str:
    """A column's name as it is compared: without spaces around it, small, accents in one part."""
    return unicodedata.normalize("NFC", text.strip().lower())


def read_text(table: Path) -> tuple[str, str]:
    """The text of a table and the name of its encoding.

    Raises:
        DatasetError: the file is too large, no text or unreadable.
    """
    try:
        size = table.stat().st_size
        if size > LARGEST_TABLE:
            raise DatasetError(
                f"{table}: expected a table of at most {LARGEST_TABLE / 1e6:.0f} MB, found"
                f" {size / 1e6:.0f} MB"
            )
        return decode(table.read_bytes())
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{table}: expected UTF-8 text: save it as CSV UTF-8 ({error})"
        ) from error
    except OSError as error:
        raise DatasetError(f"{table}: cannot be read ({error.strerror})") from error


class DecimalSigns:
    """Reads the numbers of a column, which has decimal points or decimal commas, and not both.

    Where both stand, one of them separates thousands.
    """

    def __init__(self, delimiter: str) -> None:
        """A column of a table whose cells are separated so."""
        self._delimiter = delimiter
        self._first: dict[str, tuple[int, str]] = {}

    def number(self, text: str, line: int) -> float:
        """The finite number that a text on a line means.

        Raises:
            ValueError: it means none, or has another decimal sign than a number before it.
        """
        number, sign = number_in(text, self._delimiter)
        if sign and sign not in self._first:
            self._first[sign] = line, text
            for other, (where, before) in self._first.items():
                if other != sign:
                    raise ValueError(
                        f"{text} beside {before} on line {where}: use a decimal point in all"
                        " values, or a decimal comma"
                    )
        return number


def number_in(text: str, delimiter: str) -> tuple[float, str]:
    """The finite number that a text means, and its decimal sign, if it has one.

    Raises:
        ValueError: it means none.
    """
    sign = "." if "." in text else ""
    if delimiter in ";\t|" and _DECIMAL_COMMA.fullmatch(text):
        text, sign = text.replace(",", "."), ","
    try:
        number = float(text.replace("_", " "))  # 1_000 is a number in Python alone
    except ValueError:
        raise ValueError(f"expected a number as value, found {text!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number as value, found {text!r}")
    return number, sign


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells
