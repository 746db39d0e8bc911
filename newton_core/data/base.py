"""The parts that all data sets share: an error, records of images, and parameters."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from newton_core.folders import is_folder
from newton_core.seeding import generator
from newton_core.settings import Named


class DatasetError(ValueError):
    """The data cannot be used; the message says what was expected and what was found."""


@dataclass(frozen=True)
class LabelledImages:
    """Grey images, each with an integer label. Users share them: never change them in place.

    Attributes:
        pixels: (M, h, w) uint8, 0 is black.
        labels: (M,) int64 class indices from 0.
        independent: how many independent images say as much as these, which overlap; None: as many
            as they are.
    """

    pixels: UInt8[Tensor, "M h w"]
    labels: Int[Tensor, " M"]
    independent: float | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageDataset:
    """Labelled images in parts that share no image.

    Attributes:
        train: images to train on.
        test: images to measure metrics on.
        white: the pixel value of full white.
        classes: number of classes; labels lie in [0, classes).
        values: (classes,) ascending values that the classes stand for, or None if a class stands
            for its own index.
        names: what the classes are called, in their order; None if by their index or value.
        validation: a third part, by which settings are chosen and runs stopped; None where the
            data come without one.
        warnings: what may be wrong with the data though they can be used, each a sentence.
    """

    train: LabelledImages
    test: LabelledImages
    white: int = 255
    classes: int = 10
    values: Float[Tensor, " classes"] | None = None
    validation: LabelledImages | None = None
    names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()

    def with_validation(self, share: float) -> "ImageDataset":
        """The data with a validation part: their own, or a share of the training part.

        The share is taken from each class, at least one image of those that have two, and is the
        same for every seed. Classes of one image count as one class together.
        """
        if self.validation is not None or share == 0:
            return self
        counts = self.train.labels.bincount(minlength=self.classes)
        groups = torch.where(counts[self.train.labels] > 1, self.train.labels, -1)
        chosen = torch.zeros(len(self.train), dtype=torch.bool)
        for group in sorted(set(groups.tolist())):
            members = (groups == group).nonzero().squeeze(1)
            order = torch.randperm(len(members), generator=generator(0, "validation", group))
            count = (
                round(share * len(members)) if group < 0 else max(1, round(share * len(members)))
            )
            chosen[members[order[:count]]] = True
        train, validation = (
            LabelledImages(self.train.pixels[part], self.train.labels[part])
            for part in (~chosen, chosen)
        )
        return replace(self, train=train, validation=validation)

    @cached_property
    def _statistics(self) -> tuple[float, float]:
        """Mean and standard deviation of the training pixels, exact from their histogram."""
        counts = torch.zeros(self.white + 1, dtype=torch.float64)
        # bincount makes a copy that is eight times larger, so it gets a few images at a time.
        for images in torch.split(self.train.pixels, 4096):
            counts += images.flatten().bincount(minlength=self.white + 1)
        shares = counts / counts.sum()
        levels = torch.arange(self.white + 1)
        mean = float((shares * levels).sum())
        return mean, float((shares * (levels - mean).square()).sum().sqrt())

    def normalise(self, pixels: UInt8[Tensor, "M h w"]) -> Float32[Tensor, "M h w"]:
        """Float32 pixels, scaled so that the training pixels have mean 0 and deviation 1."""
        mean, deviation = self._statistics
        # Without any contrast the deviation is 0; the pixels then stay 0.
        return pixels.float().sub_(mean).div_(deviation or 1.0)


@dataclass(frozen=True)
class DatasetStatus:
    """A data set by name, whether it is there, and where it is or what is wrong."""

    name: str
    found: bool
    detail: str


class DataParameters(Named):
    """Which data set, and how it is prepared.

    A data set derives from the class of its kind (:class:`ImageDataParameters`,
    :class:`NumberDataParameters` or :class:`~newton_core.data.maps.MapDataParameters`), fixes
    ``name`` to a ``Literal`` and adds its own parameters.

    Attributes:
        own_files: whether its files are the user's own; servers read nothing outside their folder
            of own data.
    """

    own_files: ClassVar[bool] = False

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """What this machine has of the data set, for ``newton-lab doctor``; reads few files."""
        name: str = cls.model_fields["name"].default
        return [DatasetStatus(name, True, f"loaded by {cls.__module__}")]

    def folder(self) -> Path | None:
        """The folder in which its files are expected; None if it comes without files."""
        return None

    def check_files(self) -> None:
        """Refuses files that cannot be used, as far as a short look tells; a run reads them all.

        For servers, which say so before a run waits. Data sets of the user's own files override it.

        Raises:
            DatasetError: see ``load``.
        """

    def files(self) -> dict[str, Path]:
        """The files on which numbers depend, by their names in the folder: all that are there.

        Overridden by data sets whose files follow from their parameters alone.
        """
        folder = self.folder()
        if folder is None or not is_folder(folder):
            return {}
        return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}


class ImageDataParameters(DataParameters, ABC):
    """A data set of single images and their classes: what classification takes."""

    @abstractmethod
    def load(self) -> ImageDataset:
        """The data set.

        Raises:
            DatasetError: it is missing or damaged; the message names the file.
        """

    def parts(self) -> int:
        """Number of images side by side that show one number."""
        return 1

    def chosen_size(self) -> tuple[int, int] | None:
        """Height and width that the parameters give every image, which then may be large.

        None where images come in a size of their own. Loads nothing.
        """
        return None

    def known_classes(self) -> int | None:
        """How many classes the images have; None where only the files can say. Loads nothing."""
        return None


class NumberDataParameters(ImageDataParameters):
    """A data set of images that show numbers: what ranking takes."""
