"""MNIST: 70,000 handwritten digits of 28 x 28 pixels, from the four IDX files.

By LeCun, Cortes and Burges. The split is that of the literature on sorting supervision (Grover et
al. 2019): 55,000 images to train, 5,000 to validate and 10,000 to test.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from newton_core.data.base import (
    DatasetError,
    DatasetStatus,
    ImageDataParameters,
    ImageDataset,
    LabelledImages,
    NumberDataParameters,
)
from newton_core.data.idx import KINDS, read_idx, read_shape
from newton_core.data.places import what_is_in
from newton_core.folders import data_dir, stamps
from newton_core.settings import setting

SIDE = 28


@dataclass(frozen=True)
class MnistFile:
    """One of the four files: its name (``.gz`` may follow) and the md5 of its unpacked bytes."""

    name: str
    md5: str


TRAIN_IMAGES = MnistFile("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb")
TRAIN_LABELS = MnistFile("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624")
TEST_IMAGES = MnistFile("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea")
TEST_LABELS = MnistFile("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637")
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@dataclass(frozen=True)
class MnistSplit:
    """Number of images in each part; the training file holds the first two, in this order."""

    train: int = 55_000
    validation: int = 5_000
    test: int = 10_000


class MnistImagesParameters(ImageDataParameters):
    """Single MNIST digits."""

    title = "MNIST digits"
    name: Literal["mnist"] = "mnist"
    size: Literal[14, 28] = setting(
        28, "Side of each digit: 28 as published, or 14 by averaging 2 x 2 pixels, about four"
        " times as fast.",
        title="Image size", unit="pixels",
    )  # fmt: skip

    def folder(self) -> Path:
        """The folder of the four files."""
        return mnist_dir()

    def load(self) -> ImageDataset:
        """The digits; see :func:`load_mnist`."""
        return load_mnist(self.folder(), self.size)

    def known_classes(self) -> int:
        """The ten digits."""
        return 10

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Where the four files are, or which are missing."""
        folder = mnist_dir()
        if missing := missing_files(folder):
            detail = f"no {', '.join(missing)} in {folder} ({what_is_in(folder)})"
            return [DatasetStatus("mnist", False, detail)]
        try:
            if problem := swapped_files(folder):
                return [DatasetStatus("mnist", False, problem)]
        except DatasetError as error:
            return [DatasetStatus("mnist", False, str(error))]
        return [DatasetStatus("mnist", True, str(folder))]


class MnistParameters(MnistImagesParameters, NumberDataParameters):
    """Numbers composed of MNIST digits side by side."""

    digits: int = setting(
        4, "Digits side by side in each number, e.g. 4 for numbers from 0000 to 9999.",
        title="Digits per number", ge=1, le=6,
    )  # fmt: skip

    def parts(self) -> int:
        """One image per digit."""
        return self.digits


def mnist_dir() -> Path:
    """The folder where the four files must be: ``mnist`` in the data folder.

    torchvision calls it ``MNIST``, which counts where the files are there and not in ``mnist``.
    """
    ours, theirs = data_dir() / "mnist", data_dir() / "MNIST"
    return theirs if len(missing_files(theirs)) < len(missing_files(ours)) else ours


def find_file(folder: Path, file: MnistFile) -> Path | None:
    """The path of one of the four files, unpacked or gzipped, or None.

    It may be called ``train-images.idx3-ubyte`` as well, as other sites publish it, and it may be
    in ``raw`` or ``MNIST/raw``, as torchvision leaves it.
    """
    names = (file.name, file.name.replace("-idx", ".idx"))
    for place in (folder, folder / "raw", folder / "MNIST", folder / "MNIST" / "raw"):
        for name in names:
            for path in (place / name, place / f"{name}.gz"):
                if path.is_file():
                    return path
    return None


def missing_files(folder: Path) -> list[str]:
    """Names of those of the four files that are not in the folder."""
    return [file.name for file in FILES if find_file(folder, file) is None]


def swapped_files(folder: Path) -> str:
    """Which of the four files hold what another of them should; empty if they fit together.

    Only their headers are read. Labels have one dimension, images three; there is a label for
    each image, and there are more images to train on than for the test.

    Raises:
        DatasetError: a file has no header of the IDX format.
    """
    paths = {file: path for file in FILES if (path := find_file(folder, file)) is not None}
    shapes = {file: read_shape(path) for file, path in paths.items()}
    held = {file: KINDS.get(len(shape), "something else") for file, shape in shapes.items()}
    wrong = [file for file in paths if held[file] not in file.name]
    counts = {file: sum(shape[:1]) for file, shape in shapes.items()}
    if not wrong and len(counts) == len(FILES):
        train, train_labels, test, test_labels = counts.values()
        if train != train_labels or test != test_labels or train < test:
            wrong = list(FILES)
    found = [f"{paths[file].name} holds {counts[file]:,} {held[file]}" for file in wrong]
    return f"files in {folder} are swapped or of two sets: {', '.join(found)}" if found else ""


def where_to_put(folder: Path) -> str:
    """The part of an error message that says which files to put where by hand."""
    names = ", ".join(file.name for file in FILES)
    return f"put the files {names}, gzipped (.gz) or not, in {folder}"


def load_mnist(
    folder: Path, size: Literal[14, 28] = 28, split: MnistSplit = MnistSplit()
) -> ImageDataset:
    """The digits in ``folder``, at 28 x 28 pixels or averaged to 14 x 14 (whole grey levels).

    They are loaded once, and again whenever a file has changed.

    Raises:
        DatasetError: a file is missing, damaged, of the wrong kind or size, or does not fit the
            others; the message names it and says what was expected and what was found.
    """
    if missing := missing_files(folder):
        raise DatasetError(
            f"mnist: {', '.join(missing)} not found in {folder} ({what_is_in(folder)});"
            f" {where_to_put(folder)}, or run 'newton-lab download mnist' where there is internet"
        )
    found = {file: path for file in FILES if (path := find_file(folder, file)) is not None}
    return _load(folder, size, split, tuple(found.items()), stamps(found.values()))


# A run needs one of the two sizes, and few processes compare both.
@lru_cache(maxsize=2)
def _load(
    folder: Path,
    size: Literal[14, 28],
    split: MnistSplit,
    files: tuple[tuple[MnistFile, Path], ...],
    unchanged: tuple[object, ...],
) -> ImageDataset:
    """``unchanged`` only makes the cache notice changed files."""
    found = dict(files)
    first, second = split.train, split.validation
    try:
        train = _read_part(found[TRAIN_IMAGES], found[TRAIN_LABELS], first + second, size)
        test = _read_part(found[TEST_IMAGES], found[TEST_LABELS], split.test, size)
    except DatasetError as error:
        if swapped := swapped_files(folder):
            raise DatasetError(f"{error}; {swapped}") from error
        raise
    return ImageDataset(
        train=LabelledImages(train.pixels[:first], train.labels[:first]),
        validation=LabelledImages(train.pixels[first:], train.labels[first:]),
        test=test,
    )


def _read_part(images: Path, labels: Path, count: int, size: int) -> LabelledImages:
    pixels = _read(images, (count, SIDE, SIDE))
    classes = _read(labels, (count,))
    if classes.max() > 9:
        position = int(classes.argmax())
        raise DatasetError(
            f"{labels}: expected labels from 0 to 9, found {classes[position]} at position"
            f" {position}"
        )
    if size < SIDE:
        blocks = pixels.reshape(count, size, SIDE // size, size, SIDE // size)
        pixels = np.rint(blocks.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8)
    # The arrays are views of immutable bytes, which torch must not write to: copy them.
    return LabelledImages(torch.tensor(pixels), torch.tensor(classes, dtype=torch.int64))


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    array = read_idx(path, dimensions=len(shape))
    if array.shape != shape:
        raise DatasetError(
            f"{path}: expected {' x '.join(map(str, shape))}, found"
            f" {' x '.join(map(str, array.shape))}"
        )
    return array
