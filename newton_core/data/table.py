"""Reads the CSV file of a folder of images, which gives the value of each, and checks every row."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from newton_core.data.base import DatasetError

COLUMNS = ("file", "value")
LARGEST = 100_000  # images of a folder
_LISTED = 10  # bad rows that an error spells out


@dataclass(frozen=True)
class Row:
    """One image: the line of the table, its name there, its path, and the value it shows."""

    line: int
    name: str
    path: Path
    value: float


class Problems:
    """Collects the problems of a table's rows, to report all of them at once."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._found: list[str] = []

    def add(self, line: int, problem: str) -> None:
        """Adds a problem of a line; lines are counted from 1."""
        self._found.append(f"line {line}: {problem}")

    def raise_if_any(self) -> None:
        """Raises a :class:`DatasetError` that lists the first problems, if there are any."""
        if not self._found:
            return
        count = len(self._found)
        lines = self._found[:_LISTED]
        if count > _LISTED:
            lines.append(f"and {count - _LISTED} more")
        plural = "s" if count > 1 else ""
        raise DatasetError(
            f"{self._table}: {count} row{plural} cannot be used:\n  " + "\n  ".join(lines)
        )


def find_table(folder: Path) -> Path:
    """The one CSV file of a folder.

    Raises:
        DatasetError: there is no such folder, or not exactly one CSV file in it.
    """
    try:
        tables = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(
            f"{folder}: expected a folder with images and a CSV file ({reason})"
        ) from error
    if len(tables) != 1:
        found = ", ".join(path.name for path in tables) or "none"
        raise DatasetError(
            f"{folder}: expected exactly one CSV file with the columns file and value, found"
            f" {found}"
        )
    return tables[0]


def read_rows(folder: Path) -> tuple[Path, tuple[Row, ...]]:
    """The table of a folder and its rows: each names an existing file inside the folder.

    Columns other than ``file`` and ``value`` are ignored. Commas, semicolons or tabs separate them.

    Raises:
        DatasetError: no table, an unusable one, or bad rows, listed with their line numbers.
    """
    table = find_table(folder)
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return table, tuple(_parse(table, file.read()))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{table}: expected UTF-8 text ({error})") from error
    except csv.Error as error:
        raise DatasetError(f"{table}: is no CSV file ({error})") from error
    except OSError as error:
        raise DatasetError(f"{table}: cannot be read ({error.strerror})") from error


def _parse(table: Path, text: str) -> list[Row]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    if any(header.count(column) != 1 for column in COLUMNS):
        raise DatasetError(
            f"{table}: expected a first line with the columns file and value, found"
            f" {first.strip()!r}"
        )
    file_column, value_column = (header.index(column) for column in COLUMNS)
    root = table.parent.resolve()
    problems = Problems(table)
    rows: list[Row] = []
    lines: dict[Path, int] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = reader.line_num
        if len(cells) != len(header):
            problems.add(line, f"expected {len(header)} cells, found {len(cells)}")
            continue
        try:
            row = _row(root, line, cells[file_column].strip(), cells[value_column].strip())
        except (ValueError, OSError) as error:  # OSError: the name is not valid on this system
            problems.add(line, str(error))
            continue
        if row.path in lines:
            problems.add(line, f"{row.name} is already on line {lines[row.path]}")
            continue
        lines[row.path] = line
        rows.append(row)
    problems.raise_if_any()
    if len(rows) > LARGEST:
        raise DatasetError(f"{table}: expected at most {LARGEST:,} images, found {len(rows):,}")
    return rows


def _row(root: Path, line: int, name: str, value: str) -> Row:
    """A checked row; a ValueError says what is wrong with it."""
    if not name:
        raise ValueError("no file is named")
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"{name} lies outside the folder")
    if not path.is_file():
        raise ValueError(f"there is no file {name} in the folder")
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"expected a number as value, found {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number as value, found {value!r}")
    return Row(line, name, path, number)
