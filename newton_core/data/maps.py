"""The parts that all data sets of terrain maps share: images, costs of tiles, cheapest paths."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import torch
from jaxtyping import Float32, Int, UInt8
from torch import Tensor

from newton_core.data.base import DataParameters
from newton_core.seeding import generator

_MAPS_PER_CHUNK = 256


@dataclass(frozen=True)
class Maps:
    """Images of maps with their labels. Users share them: never change them in place.

    Attributes:
        images: (M, 3, H, W) uint8 RGB; H and W are the same multiple of h and w.
        costs: (M, h, w) the cost of stepping on each tile, positive.
        paths: (M, h, w) 1 for the tiles on the labelled cheapest path from corner to corner.
    """

    images: UInt8[Tensor, "M 3 H W"]
    costs: Float32[Tensor, "M h w"]
    paths: UInt8[Tensor, "M h w"]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: Int[Tensor, " K"]) -> "Maps":
        """Some of the maps, by their places."""
        return Maps(self.images[chosen], self.costs[chosen], self.paths[chosen])

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w): tiles from top to bottom and from left to right."""
        return self.costs.shape[1], self.costs.shape[2]


@dataclass(frozen=True)
class MapDataset:
    """Maps to train on, to measure metrics on, and to stop by; no map is in two of them."""

    train: Maps
    test: Maps
    validation: Maps | None = None

    def with_validation(self, share: float) -> "MapDataset":
        """The data with a validation part: their own, or a share of the training maps.

        It is the same for every seed.
        """
        if self.validation is not None or share == 0:
            return self
        order = torch.randperm(len(self.train), generator=generator(0, "validation"))
        count = max(1, round(share * len(self.train)))
        return replace(
            self, train=self.train[order[count:].sort().values],
            validation=self.train[order[:count].sort().values],
        )  # fmt: skip

    @cached_property
    def channels(self) -> tuple[Float32[Tensor, "3 1 1"], Float32[Tensor, "3 1 1"]]:
        """Mean and standard deviation of each colour channel over the training maps."""
        total, squares = torch.zeros(3).double(), torch.zeros(3).double()
        for first in range(0, len(self.train), _MAPS_PER_CHUNK):
            values = self.train.images[first : first + _MAPS_PER_CHUNK].float()
            total += values.mean(dim=(0, 2, 3)).double() * len(values)
            squares += values.square().mean(dim=(0, 2, 3)).double() * len(values)
        mean = total / len(self.train)
        deviation = (squares / len(self.train) - mean.square()).clamp(min=1.0).sqrt()
        return mean.float().view(3, 1, 1), deviation.float().view(3, 1, 1)

    def normalise(self, images: UInt8[Tensor, "M 3 H W"]) -> Float32[Tensor, "M 3 H W"]:
        """Float32 images, scaled so that each channel has mean 0 and deviation 1 in training."""
        mean, deviation = (part.to(images.device) for part in self.channels)
        return images.float().sub_(mean).div_(deviation)


class MapDataParameters(DataParameters, ABC):
    """A data set of terrain maps: what shortest paths take.

    Attributes:
        grid_parameters: path of the parameter that decides how many tiles a map has; empty where
             several do, or none.
    """

    grid_parameters: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def load(self) -> MapDataset:
        """The maps.

        Raises:
            DatasetError: they are missing or damaged; the message names the file.
        """

    def grid(self) -> tuple[int, int]:
        """(h, w): tiles from top to bottom and from left to right; overridden to load nothing."""
        return self.load().train.grid
