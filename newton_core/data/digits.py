"""scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, which need no download."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from newton_core.data.base import (
    DatasetStatus,
    ImageDataParameters,
    ImageDataset,
    LabelledImages,
    NumberDataParameters,
)
from newton_core.seeding import generator
from newton_core.settings import setting

TEST_SHARE = 0.2
WHITE = 16  # the files' grey levels run from 0 to 16


class DigitImagesParameters(ImageDataParameters):
    """Single 8 x 8 digits."""

    title = "8 × 8 digits"
    name: Literal["digits"] = "digits"

    def load(self) -> ImageDataset:
        """The digits; see :func:`load_digits`."""
        return load_digits()

    def known_classes(self) -> int:
        """The ten digits."""
        return 10

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """How many there are."""
        digits = load_digits()
        count = f"{len(digits.train):,} to train on and {len(digits.test):,} to test"
        return [DatasetStatus("digits", True, f"{count}, from scikit-learn")]


class DigitsParameters(DigitImagesParameters, NumberDataParameters):
    """Numbers composed of 8 x 8 digits side by side."""

    digits: int = setting(
        4, "Digits side by side in each number, e.g. 4 for numbers from 0000 to 9999.",
        title="Digits per number", ge=1, le=6,
    )  # fmt: skip

    def parts(self) -> int:
        """One image per digit."""
        return self.digits


@lru_cache(maxsize=1)
def load_digits() -> ImageDataset:
    """The digits in a training part and a test part (20 % of each class), the same for all seeds.

    No image is in both parts. A writer may be in both, because the files do not name the writers.
    """
    table = _read_table()
    pixels = torch.from_numpy(table[:, :64].reshape(-1, 8, 8).astype(np.uint8))
    labels = torch.from_numpy(table[:, 64].astype(np.int64))
    test = []
    for digit in range(10):
        members = (labels == digit).nonzero().squeeze(1)
        order = torch.randperm(len(members), generator=generator(0, "digits", "split", digit))
        test.append(members[order[: round(TEST_SHARE * len(members))]])
    in_test = torch.zeros(len(labels), dtype=torch.bool)
    in_test[torch.cat(test)] = True
    return ImageDataset(
        train=LabelledImages(pixels[~in_test], labels[~in_test]),
        test=LabelledImages(pixels[in_test], labels[in_test]),
        white=WHITE,
    )


def _read_table() -> NDArray[np.float64]:
    """(1797, 65): the 64 grey levels and the label of every image.

    The file is read from scikit-learn's folder, because importing scikit-learn takes a second in
    every worker and every command. If the file is not there, scikit-learn's own loader is used.
    """
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            return np.loadtxt(file, delimiter=",", dtype=np.float64)
    from sklearn.datasets import load_digits as load_sklearn_digits

    bunch = load_sklearn_digits()
    return np.column_stack([bunch.data, bunch.target])
