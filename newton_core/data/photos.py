"""Crops of scikit-learn's two photographs, a temple and a flower, which need no download."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from torch import Tensor

from newton_core.data.base import (
    DatasetError,
    DatasetStatus,
    ImageDataParameters,
    ImageDataset,
    LabelledImages,
)
from newton_core.seeding import generator
from newton_core.settings import setting

PHOTOS = ("china", "flower")
SHRUNK = 4
"""Times that the photographs are smaller than their files, of 640 x 427 pixels."""
PARTS = {"train": (0.0, 0.5), "validation": (0.5, 0.75), "test": (0.75, 1.0)}
"""Columns of each photograph, as shares of its width; no pixel is in two parts."""
CROPS = {"train": 1000, "validation": 250, "test": 250}
"""Crops of each photograph."""
LARGEST = 640 // SHRUNK // 4


class PhotosParameters(ImageDataParameters):
    """Square grey crops of two photographs."""

    title = "Crops of two photographs"
    name: Literal["photos"] = "photos"
    side: int = setting(
        36, f"Side of a crop; the photographs have {640 // SHRUNK} × {427 // SHRUNK} pixels.",
        title="Side", unit="pixels", ge=8, le=LARGEST,
    )  # fmt: skip

    def load(self) -> ImageDataset:
        """The crops; see :func:`load_photos`."""
        return load_photos(self.side)

    def chosen_size(self) -> tuple[int, int]:
        """As the parameter says."""
        return self.side, self.side

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Where the photographs are."""
        folder = _folder()
        if folder is None:
            return [DatasetStatus("photos", False, "scikit-learn's pictures are not installed")]
        return [DatasetStatus("photos", True, f"crops of {' and '.join(PHOTOS)}, from {folder}")]


@lru_cache(maxsize=4)
def load_photos(side: int) -> ImageDataset:
    """Crops at random places of both photographs, the same for all seeds; the label says of which.

    Training, validation and test crops are of disjoint parts: the left half, the quarter beside it,
    and the last quarter. Crops of one part overlap, so that they say less than as many pictures:
    the 500 test crops of side 36 as much as 5 that do not (``independent``).

    Raises:
        DatasetError: the photographs are not installed.
    """
    folder = _folder()
    if folder is None:
        raise DatasetError(
            "the data set photos needs scikit-learn's pictures china.jpg and flower.jpg, which this"
            " installation of scikit-learn is without; reinstall it"
        )
    found: dict[str, list[Tensor]] = {part: [] for part in PARTS}
    independent = dict.fromkeys(PARTS, 0.0)
    for name in PHOTOS:
        with Image.open(folder / f"{name}.jpg") as picture:
            grey = np.asarray(picture.convert("L").reduce(SHRUNK))
        pixels = torch.from_numpy(grey.copy())
        width = pixels.shape[1]
        for part, (first, last) in PARTS.items():
            columns = pixels[:, round(first * width) : round(last * width)]
            random = generator(0, "photos", name, part, side)
            corners = _corners(columns, side, CROPS[part], random)
            found[part].append(_crops(columns, side, corners))
            independent[part] += _independent(corners, side)
    images = {
        part: LabelledImages(
            torch.cat(crops),
            torch.arange(len(crops)).repeat_interleave(CROPS[part]),
            independent[part],
        )
        for part, crops in found.items()
    }
    return ImageDataset(
        train=images["train"],
        test=_mixed(images["test"]),
        classes=len(PHOTOS),
        validation=_mixed(images["validation"]),
        names=PHOTOS,
    )


def _corners(
    picture: UInt8[Tensor, "h w"], side: int, count: int, random: torch.Generator
) -> Int[Tensor, "M 2"]:
    """Rows and columns where squares at random places of a picture begin."""
    height, width = picture.shape
    rows = torch.randint(height - side + 1, (count,), generator=random)
    columns = torch.randint(width - side + 1, (count,), generator=random)
    return torch.stack((rows, columns), dim=1)


def _crops(
    picture: UInt8[Tensor, "h w"], side: int, corners: Int[Tensor, "M 2"]
) -> UInt8[Tensor, "M s s"]:
    return torch.stack([picture[r : r + side, c : c + side] for r, c in corners.tolist()])


def _independent(corners: Int[Tensor, "M 2"], side: int) -> float:
    """How many independent crops have a mean as certain as these (Kish's effective number).

    Two crops correlate by the share of their pixels that they have in common: so do the means of
    pixels that are independent.
    """
    apart = (corners[:, None] - corners).abs().double() / side
    shared = (1 - apart).clamp(min=0).prod(dim=2)
    return len(corners) ** 2 / shared.sum().item()


def _mixed(images: LabelledImages) -> LabelledImages:
    """The images in an order in which both photographs take turns: the first few show both."""
    order = torch.arange(len(images)).view(len(PHOTOS), -1).mT.flatten()
    return LabelledImages(images.pixels[order], images.labels[order], images.independent)


def _folder() -> Path | None:
    """scikit-learn's folder of pictures, found without importing it, which takes a second."""
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or ()) if package else ():
        pictures = Path(folder, "datasets", "images")
        if all((pictures / f"{name}.jpg").is_file() for name in PHOTOS):
            return pictures
    return None
