"""What all data sets share: their error, their records, their parameters."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from newton_core.settings import Settings


class DatasetError(ValueError):
    """Data that cannot be used; the message says what was expected and what was found."""


@dataclass(frozen=True)
class LabelledImages:
    """Grey images and one integer label each. Shared between users: never change them in place.

    Attributes:
        pixels: (M, h, w) uint8, 0 is black.
        labels: (M,) int64 class indices from 0.
    """

    pixels: UInt8[Tensor, "M h w"]
    labels: Int[Tensor, " M"]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageDataset:
    """Labelled images in parts that share no image.

    Attributes:
        train: what is trained on.
        test: what metrics are measured on.
        white: the pixel value of full white.
        classes: number of classes; labels lie in [0, classes).
        values: (classes,) ascending values that the classes stand for, or None if a class stands
            for its own index.
        validation: a third part, kept for choosing settings; no task reads it.
    """

    train: LabelledImages
    test: LabelledImages
    white: int = 255
    classes: int = 10
    values: Float[Tensor, " classes"] | None = None
    validation: LabelledImages | None = None

    def normalise(self, pixels: UInt8[Tensor, "M h w"]) -> Float[Tensor, "M h w"]:
        """Float32 pixels, scaled so that the training pixels have mean 0 and deviation 1."""
        levels = self.train.pixels.flatten().bincount(minlength=self.white + 1).double()
        grey = torch.arange(len(levels))
        share = levels / levels.sum()
        mean = (share * grey).sum()
        deviation = (share * (grey - mean).square()).sum().sqrt().clamp(min=1e-6 * self.white)
        return (pixels.float() - float(mean)) / float(deviation)


class DataParameters(Settings, ABC):
    """Which data set, and how it is prepared; subclasses fix ``name`` to a ``Literal``."""

    name: str

    @abstractmethod
    def load(self) -> ImageDataset:
        """The data set.

        Raises:
            DatasetError: it is missing or damaged; the message names the file.
        """

    def parts(self) -> int:
        """How many images stand side by side to show one number."""
        return 1
