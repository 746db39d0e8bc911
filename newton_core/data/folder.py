"""A user's own data: a folder of images with a CSV file (columns ``file`` and ``value``).

Every image is rotated as its EXIF data say, converted to grey (transparent parts become white) and
stretched to one common size. A share of the images, chosen by a hash of their names, is kept for
the test. Because of the hash, adding images moves few of the others from one part to the other.
"""

import hashlib
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from newton_core.data.base import (
    DatasetError,
    DatasetStatus,
    ImageDataset,
    LabelledImages,
    NumberDataParameters,
)
from newton_core.data.table import Problems, Row, read_rows
from newton_core.folders import own_data_dir, own_data_folder
from newton_core.settings import setting

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


class FolderParameters(NumberDataParameters):
    """The user's own images, ranked by the values in a CSV file."""

    title = "Your own images"
    name: Literal["folder"] = "folder"
    path: str = setting(
        ..., "Folder with the images and one CSV file with the columns file and value, inside"
        " the folder 'own' of the data directory.",
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

    def load(self) -> ImageDataset:
        """The images; see :func:`load_folder`."""
        return load_folder(self.folder(), self.height, self.width, self.test_share)

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Every folder of own images: how many it holds, or what is wrong with its table."""
        root = own_data_dir()
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        if not folders:
            return [DatasetStatus("own", False, f"no folders of own images in {root}")]
        return [_status_of(folder) for folder in folders]


def _status_of(folder: Path) -> DatasetStatus:
    name = f"own/{folder.name}"
    try:
        _, rows = read_rows(folder)
    except DatasetError as error:
        return DatasetStatus(name, False, str(error))
    return DatasetStatus(name, True, f"{len(rows):,} images in {folder}")


def load_folder(
    folder: Path, height: int = 28, width: int = 28, test_share: float = 0.2
) -> ImageDataset:
    """The images of a folder as a data set whose classes are the distinct values of the CSV file.

    They are loaded once, and again whenever the CSV file or an image has changed.

    Args:
        folder: holds the images, in it or in subfolders, and exactly one CSV file.
        height: of every image after resizing, in pixels.
        width: of every image after resizing, in pixels.
        test_share: share of the images that go to the test part; at least one image does.

    Raises:
        DatasetError: the folder or its table is missing or unusable; the first bad rows are
            listed with line numbers and what is wrong with each.
    """
    table, rows = read_rows(folder)
    if len(rows) < 2:
        raise DatasetError(f"{table}: expected at least 2 images, found {len(rows)}")
    stamps = tuple((row.path.stat().st_mtime_ns, row.path.stat().st_size) for row in rows)
    return _load(table, rows, stamps, height, width, test_share)


@lru_cache(maxsize=4)
def _load(
    table: Path,
    rows: tuple[Row, ...],
    stamps: tuple[tuple[int, int], ...],
    height: int,
    width: int,
    test_share: float,
) -> ImageDataset:
    """``stamps`` (time and size of each file) only make the cache notice changed files."""
    problems = Problems(table)
    images = []
    for row in rows:
        try:
            images.append(_read_image(row.path, height, width))
        except UnidentifiedImageError:
            problems.add(
                row.line, f"{row.name} is no image in one of the formats {', '.join(FORMATS)}"
            )
        except Exception as error:  # decoders of damaged files raise all kinds of errors
            problems.add(row.line, f"{row.name} is no image that can be read ({error})")
    problems.raise_if_any()

    values, labels = np.unique([row.value for row in rows], return_inverse=True)
    by_hash = sorted(
        range(len(rows)), key=lambda i: hashlib.blake2b(rows[i].name.encode()).digest()
    )
    count = min(max(1, round(test_share * len(rows))), len(rows) - 1)
    test, train = sorted(by_hash[:count]), sorted(by_hash[count:])
    pixels, classes = torch.from_numpy(np.stack(images)), torch.from_numpy(labels)
    return ImageDataset(
        train=LabelledImages(pixels[train], classes[train]),
        test=LabelledImages(pixels[test], classes[test]),
        classes=len(values),
        values=torch.from_numpy(values),
    )


def _read_image(path: Path, height: int, width: int) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            grey = _to_grey(ImageOps.exif_transpose(image))
    return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR))


def _to_grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits, which Pillow's own conversion would clip
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65_535:
            raise ValueError("expected grey levels of at most 16 bits")
        return Image.fromarray((levels // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("expected whole grey levels, found floating-point ones")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("L")
