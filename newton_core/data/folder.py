"""A user's own data: a folder of images with a table of their values, or of their labels.

A share of the images, chosen by a hash of their names, is kept for the test. Because of the hash,
adding images moves few of the others from one part to the other.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from newton_core.data.base import (
    DatasetError,
    DatasetStatus,
    ImageDataParameters,
    ImageDataset,
    LabelledImages,
    NumberDataParameters,
)
from newton_core.data.own_series import holds_series
from newton_core.data.pictures import read_greys
from newton_core.data.table import Problems, Row, read_rows
from newton_core.folders import own_data_dir, own_data_folder
from newton_core.settings import setting

MOST_CLASSES = 100  # of a classification: curvature matrices grow with their square

_LIKE_A_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+")


class FolderImagesParameters(ImageDataParameters):
    """The user's own images, whose classes are the labels of a table or of their subfolders."""

    title = "Your own images"
    name: Literal["folder"] = "folder"
    path: str = setting(
        ..., "Folder inside the folder 'own' of the data directory: images and one CSV file with"
        " the columns file and value (or filename and label), or a subfolder for each label.",
        title="Folder", min_length=1, max_length=1000,
    )  # fmt: skip
    height: int = setting(
        28, "Height that every image is resized to.", title="Image height", unit="pixels",
        ge=4, le=128,
    )  # fmt: skip
    width: int = setting(
        28, "Width that every image is resized to; its aspect ratio is not kept.",
        title="Image width", unit="pixels", ge=4, le=256,
    )  # fmt: skip
    test_share: float = setting(
        0.2, "Share of the images that is kept for the test.", title="Test share",
        ge=0.05, le=0.5,
    )  # fmt: skip

    own_files = True

    def folder(self) -> Path:
        """The folder that ``path`` names; a relative path counts from the own data."""
        return own_data_folder(self.path)

    def check_files(self) -> None:
        """Reads the table and looks for the images that it names; opens none of them."""
        read_classes(self.folder(), labels=True)

    def chosen_size(self) -> tuple[int, int]:
        """Every image is resized to it."""
        return self.height, self.width

    def load(self) -> ImageDataset:
        """The images and their classes; see :func:`load_folder`."""
        size = (self.height, self.width)
        return load_folder(self.folder(), *size, self.test_share, labels=True)

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Every folder of own images: how many it holds, or what is wrong with its table."""
        root = own_data_dir()
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        if not folders:
            return [DatasetStatus("own", False, f"no folders of own images in {root}")]
        return [_status_of(folder) for folder in folders if not holds_series(folder)]


class FolderParameters(FolderImagesParameters, NumberDataParameters):
    """The user's own images, ranked by the values in a CSV file."""

    def check_files(self) -> None:
        """See :class:`FolderImagesParameters`."""
        read_classes(self.folder())

    def load(self) -> ImageDataset:
        """The images and their values; see :func:`load_folder`."""
        return load_folder(self.folder(), self.height, self.width, self.test_share)


def _status_of(folder: Path) -> DatasetStatus:
    """A table of texts is one of labels; in a table that is mostly numbers they are mistakes."""
    name = f"own/{folder.name}"
    try:
        _, rows = read_rows(folder, labels=True)
        numbers = sum(bool(_LIKE_A_NUMBER.fullmatch(str(row.value))) for row in rows)
        texts = any(isinstance(row.value, str) for row in rows)
        if texts and numbers >= len(rows) / 2:
            read_rows(folder)
    except DatasetError as error:
        return DatasetStatus(name, False, str(error))
    use = "with labels, to classify" if texts else "with numbers, to rank or to classify"
    return DatasetStatus(name, True, f"{len(rows):,} images {use}, in {folder}")


def load_folder(
    folder: Path,
    height: int = 28,
    width: int = 28,
    test_share: float = 0.2,
    *,
    labels: bool = False,
) -> ImageDataset:
    """The images of a folder as a data set whose classes are the distinct values of the table.

    They are loaded once, and again whenever the table or an image has changed. Images of a single
    grey level are named in the data set's ``warnings``.

    Args:
        folder: holds the images, in it or in subfolders, and exactly one CSV file; or no table
            and a subfolder for each value.
        height: of every image after resizing, in pixels.
        width: of every image after resizing, in pixels.
        test_share: share of the images that go to the test part; at least one image does.
        labels: whether values are labels, which may be any texts: the classes then have names in
            place of values.

    Raises:
        DatasetError: the folder or its table is missing or unusable; the first bad rows are
            listed with line numbers and what is wrong with each.
    """
    table, rows = read_classes(folder, labels=labels)
    stamps = tuple((row.path.stat().st_mtime_ns, row.path.stat().st_size) for row in rows)
    return _load(table, rows, stamps, height, width, test_share, labels)


def read_classes(folder: Path, *, labels: bool = False) -> tuple[Path, tuple[Row, ...]]:
    """The table of a folder and its rows, as many as a data set needs; opens no image.

    Raises:
        DatasetError: see :func:`load_folder`.
    """
    table, rows = read_rows(folder, labels=labels)
    if len(rows) < 2:
        raise DatasetError(f"{table}: expected at least 2 images, found {len(rows)}")
    if labels and not 2 <= (classes := len({row.value for row in rows})) <= MOST_CLASSES:
        raise DatasetError(
            f"{table}: expected 2 to {MOST_CLASSES} different labels to classify by, found"
            f" {classes:,}"
        )
    return table, rows


@lru_cache(maxsize=4)
def _load(
    table: Path,
    rows: tuple[Row, ...],
    stamps: tuple[tuple[int, int], ...],
    height: int,
    width: int,
    test_share: float,
    named: bool,
) -> ImageDataset:
    """``stamps`` (time and size of each file) only make the cache notice changed files."""
    problems = Problems(table)
    images = read_greys(
        [row.path for row in rows],
        height,
        width,
        lambda i, problem: problems.add(rows[i].line, f"{rows[i].name} {problem}"),
    )
    problems.raise_if_any()
    pixels = torch.from_numpy(np.stack(images))

    values, classes = np.unique([row.value for row in rows], return_inverse=True)
    by_hash = sorted(
        range(len(rows)), key=lambda i: hashlib.blake2b(rows[i].name.encode()).digest()
    )
    count = min(max(1, round(test_share * len(rows))), len(rows) - 1)
    test, train = sorted(by_hash[:count]), sorted(by_hash[count:])
    labels = torch.from_numpy(classes)
    return ImageDataset(
        train=LabelledImages(pixels[train], labels[train]),
        test=LabelledImages(pixels[test], labels[test]),
        classes=len(values),
        values=None if named else torch.from_numpy(values),
        names=tuple(map(_name, values.tolist())) if named else None,
        warnings=tuple(_of_one_level(rows, pixels)),
    )


def _of_one_level(rows: tuple[Row, ...], pixels: torch.Tensor) -> Iterator[str]:
    """That some images show nothing, if any do."""
    flat = pixels.flatten(1)
    constant = (flat == flat[:, :1]).all(dim=1).nonzero().flatten().tolist()
    if constant:
        shown = ", ".join([rows[i].name for i in constant[:3]] + ["..."] * (len(constant) > 3))
        yield (
            f"{len(constant)} of {len(rows)} images are of one grey level, so that they show"
            f" nothing: {shown}"
        )


def _name(value: float | str) -> str:
    """What a class is called: its text, or its number without a needless decimal point."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value)
