"""A user's own series: one column of a CSV file, a row for each step of time, in their order."""

import csv
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch

from newton_core.data.base import DatasetError, DatasetStatus
from newton_core.data.series import Series, SeriesDataParameters
from newton_core.data.table import (
    ENDINGS,
    FILE_COLUMNS,
    DecimalSigns,
    Problems,
    Sheet,
    column_name,
    find_table,
    read_text,
)
from newton_core.folders import own_data_dir, own_data_folder
from newton_core.settings import setting

VALUE = "value"
MOST_STEPS = 1_000_000
QUICK_BYTES = 2**21
"""Size of a table that is read within a quarter of a second."""
WANTED = "a row for each step of time"


class OwnSeriesParameters(SeriesDataParameters):
    """A column of numbers of the user's own table."""

    title = "Your own series"
    name: Literal["table"] = "table"
    path: str = setting(
        ..., "Folder inside the folder 'own' of the data directory, with one CSV file: a row for"
        " each step of time, the oldest first.",
        title="Folder", min_length=1, max_length=1000,
    )  # fmt: skip
    column: str = setting(
        VALUE, "Name of the column that holds the series; a table of one column needs none.",
        title="Column", min_length=1, max_length=200,
    )  # fmt: skip
    test_share: float = setting(
        0.2, "Share of the series, at its end, that is kept for the test.", title="Test share",
        ge=0.05, le=0.5,
    )  # fmt: skip

    own_files = True

    def folder(self) -> Path:
        """The folder that ``path`` names; a relative path counts from the own data."""
        return own_data_folder(self.path)

    def load(self) -> Series:
        """The series; see :func:`read_series`."""
        table = find_table(self.folder(), WANTED)
        state = table.stat()
        stamp = (state.st_mtime_ns, state.st_size)
        return _load(table, self.column, self.test_share, stamp)

    def check_files(self) -> None:
        """Reads the series, unless its table is large."""
        if self.is_quick():
            self.load()

    def is_quick(self) -> bool:
        """Whether the table is small enough to be read while somebody waits.

        Raises:
            DatasetError: there is none.
        """
        return find_table(self.folder(), WANTED).stat().st_size <= QUICK_BYTES

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Every folder of own data whose table names no images."""
        root = own_data_dir()
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        return [
            DatasetStatus(f"own/{folder.name}", True, f"a table of series, in {folder}")
            for folder in folders
            if holds_series(folder)
        ]


def holds_series(folder: Path) -> bool:
    """Whether a folder holds a table that names no images, and nothing else."""
    try:
        table = find_table(folder)
        others = [file for file in folder.iterdir() if not file.name.startswith(".")]
        if table == folder or len(others) > 1:
            return False
        names = Sheet(read_text(table)[0]).names
    except (DatasetError, OSError, csv.Error):
        return False
    return bool(names) and not set(names) & set(FILE_COLUMNS)


@lru_cache(maxsize=4)
def _load(table: Path, column: str, test_share: float, stamp: tuple[int, int]) -> Series:
    """``stamp`` (time and size of the file) only makes the cache notice a changed one."""
    values = read_series(table, column)
    return Series(
        torch.tensor(values, dtype=torch.float64),
        max(1, round(test_share * len(values))),
        table.name,
    )


def read_series(table: Path, column: str = VALUE) -> list[float]:
    """The numbers of a column, in the order of their rows.

    Args:
        table: a file that ends in .csv or .tsv.
        column: its name in the first line; small and capital letters do not matter.

    Raises:
        DatasetError: the table is unreadable, has no such column, no numbers in it, or only one
            number over and over; the first bad rows are listed with line and reason.
    """
    if table.suffix.lower() not in ENDINGS:
        raise DatasetError(f"{table}: expected a CSV file with {WANTED}")
    text, _ = read_text(table)
    problems = Problems(table)
    values: list[float] = []
    try:
        sheet = Sheet(text)
        place = _column(table, sheet.names, column)
        signs = DecimalSigns(sheet.delimiter)
        for line, cells in sheet.rows(problems, evenly=True):
            if len(values) == MOST_STEPS:
                raise DatasetError(f"{table}: expected at most {MOST_STEPS:,} rows, found more")
            try:
                values.append(_value(cells[place].strip(), line, signs))
            except ValueError as error:
                problems.add(line, str(error))
    except csv.Error as error:
        raise DatasetError(f"{table}: is no CSV file ({error})") from error
    problems.raise_if_any()
    if not values:
        raise DatasetError(f"{table}: the series is empty: expected {WANTED}")
    if min(values) == max(values):
        raise DatasetError(
            f"{table}: every value is {values[0]:g}: there is nothing to forecast in a constant"
        )
    return values


def _column(table: Path, names: list[str], column: str) -> int:
    wanted = column_name(column)
    if names.count(wanted) == 1:
        return names.index(wanted)
    if len(names) == 1 and wanted == VALUE and not _is_number(names[0]):
        return 0
    found = ", ".join(names[:10]) or "nothing"
    raise DatasetError(
        f"{table}: expected one column called {column!r} in the first line, found {found}; the"
        " parameter column says which one holds the series"
    )


def _value(text: str, line: int, signs: DecimalSigns) -> float:
    if not text or text.lower() in ("nan", "na", "n/a", "null", "none"):
        raise ValueError(f"there is no value ({text!r}): fill the gap, or give a part without gaps")
    return signs.number(text, line)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
