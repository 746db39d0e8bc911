"""Which data sets this machine has, for people who wonder why a run does not start."""

from collections.abc import Iterator
from dataclasses import dataclass

from newton_core.data.base import DatasetError
from newton_core.data.digits import load_digits
from newton_core.data.mnist import FILES, find_file, mnist_dir
from newton_core.data.table import read_rows
from newton_core.data.terrain import terrain_dir
from newton_core.data.warcraft import PUBLISHED, missing_files, warcraft_dir
from newton_core.folders import own_data_dir


@dataclass(frozen=True)
class DatasetStatus:
    """A data set by name, whether it is there, and where it is or what is wrong."""

    name: str
    found: bool
    detail: str


def describe_datasets() -> list[DatasetStatus]:
    """The data sets that come with the lab and those that this machine has; reads few images."""
    return [_digits(), _mnist(), _terrain(), _warcraft(), *_own()]


def _digits() -> DatasetStatus:
    digits = load_digits()
    return DatasetStatus(
        "digits",
        True,
        f"{len(digits.train):,} to train on and {len(digits.test):,} to test, from scikit-learn",
    )


def _mnist() -> DatasetStatus:
    folder = mnist_dir()
    missing = [file.name for file in FILES if find_file(folder, file) is None]
    if missing:
        return DatasetStatus("mnist", False, f"no {', '.join(missing)} in {folder}")
    return DatasetStatus("mnist", True, str(folder))


def _terrain() -> DatasetStatus:
    cached = len(list(terrain_dir().glob("*.npz")))
    return DatasetStatus(
        "terrain", True, f"made here from a seed, {cached} sets cached in {terrain_dir()}"
    )


def _warcraft() -> DatasetStatus:
    folder = warcraft_dir()
    missing = missing_files(folder)
    if missing:
        detail = f"no {', '.join(missing)} in {folder}; published at {PUBLISHED}"
        return DatasetStatus("warcraft", False, detail)
    return DatasetStatus("warcraft", True, str(folder))


def _own() -> Iterator[DatasetStatus]:
    root = own_data_dir()
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    for folder in folders:
        name = f"own/{folder.name}"
        try:
            _, rows = read_rows(folder)
        except DatasetError as error:
            yield DatasetStatus(name, False, str(error))
        else:
            yield DatasetStatus(name, True, f"{len(rows):,} images in {folder}")
    if not folders:
        yield DatasetStatus("own", False, f"no folders of own images in {root}")
