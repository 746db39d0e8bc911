"""Random sets of images with distinct values; indexing alone draws and composes them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from newton_core.data.base import DatasetError, ImageDataset, LabelledImages


@dataclass(frozen=True)
class NumberSets:
    """N sets of n numbers, stored as indices of the tiles that show them. On the CPU.

    Attributes:
        ids: (N, n) the numbers as positions in the ascending list of all values of the pool,
            distinct within a set; ranks are computed from them.
        tiles: (N, n, parts) rows of the pool's table of tiles.
    """

    ids: Int[Tensor, "N n"]
    tiles: Int[Tensor, "N n parts"]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: slice) -> "NumberSets":
        return NumberSets(self.ids[index], self.tiles[index])


class NumberPool:
    """The images of one part of a data set, from which sets of numbers are drawn.

    A number is shown by ``parts`` tiles side by side, its digits in base ``classes``. It takes
    ``classes ** parts`` values: 4 decimal digits give 0 to 9999; one part gives the classes.

    Args:
        dataset: gives the normalisation and the values of the classes.
        part: the images to draw from: ``dataset.train`` or ``dataset.test``.
        parts: tiles per number.
        device: where images are composed.
    """

    def __init__(
        self, dataset: ImageDataset, part: LabelledImages, parts: int, device: torch.device
    ) -> None:
        order = part.labels.argsort(stable=True)
        counts = part.labels.bincount(minlength=dataset.classes)
        self._present = counts.nonzero().squeeze(1)
        if parts > 1 and len(self._present) < dataset.classes:
            raise DatasetError(
                f"numbers of {parts} digits need images of all {dataset.classes} digits,"
                f" found {len(self._present)}"
            )
        self.parts = parts
        self._counts = counts[self._present]
        self._starts = self._counts.cumsum(0) - self._counts
        self._values = None if dataset.values is None else dataset.values[self._present]
        self._tile_height, self._tile_width = part.pixels.shape[1:]
        self._pixels, self._order = part.pixels, order
        # Gathering pixel rows puts the tiles side by side in one copy; gathering tiles needs two.
        self._rows = dataset.normalise(part.pixels[order]).flatten(0, 1).to(device)
        self._row_offsets = torch.arange(self._tile_height).unsqueeze(1)

    @property
    def size(self) -> int:
        """Number of different values that a number can take."""
        return int(len(self._present) ** self.parts)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of a number's image, in pixels."""
        return self._tile_height, self._tile_width * self.parts

    def draw(self, generator: torch.Generator, sets: int, n: int) -> NumberSets:
        """``sets`` random sets of ``n`` distinct values; all sets of values are equally likely.

        Raises:
            DatasetError: there are fewer than ``n`` different values.
        """
        if n > self.size:
            raise DatasetError(f"a set of {n} needs {n} different values, found {self.size}")
        ids = _distinct(generator, self.size, sets, n)
        powers = len(self._present) ** torch.arange(self.parts - 1, -1, -1)
        classes = ids.unsqueeze(-1) // powers % len(self._present)
        picks = torch.randint(2**40, classes.shape, generator=generator) % self._counts[classes]
        return NumberSets(ids, self._starts[classes] + picks)

    def images(self, sets: NumberSets) -> Float32[Tensor, "N n 1 h w"]:
        """The normalised images of the sets, on the pool's device."""
        N, n, _ = sets.tiles.shape
        rows = sets.tiles.unsqueeze(2) * self._tile_height + self._row_offsets
        gathered = self._rows.index_select(0, rows.flatten().to(self._rows.device))
        return gathered.view(N, n, 1, *self.image_size)

    def pixels(self, sets: NumberSets) -> UInt8[Tensor, "N n h w"]:
        """The images before normalisation, on the CPU."""
        N, n, _ = sets.tiles.shape
        tiles = self._pixels[self._order[sets.tiles]]  # (N, n, parts, tile height, tile width)
        return tiles.permute(0, 1, 3, 2, 4).reshape(N, n, *self.image_size)

    def values(self, sets: NumberSets) -> Float[Tensor, "N n"]:
        """The values that the numbers show, as float64."""
        return sets.ids.double() if self._values is None else self._values[sets.ids]


def _distinct(generator: torch.Generator, size: int, sets: int, n: int) -> Int[Tensor, "sets n"]:
    """``sets`` rows of ``n`` distinct integers below ``size``, uniform over all such rows.

    If ``size`` is small, all integers are shuffled. Otherwise an integer that repeats an earlier
    one of its row is drawn again, until none does. This favours no integer, because only its
    position decides what is drawn again.
    """
    if size <= 16 * n:  # drawing again would take many rounds
        return torch.rand(sets, size, generator=generator).argsort(dim=1)[:, :n]
    ids = torch.randint(size, (sets, n), generator=generator)
    while True:
        repeats = (ids.unsqueeze(2) == ids.unsqueeze(1)).tril(-1).any(2)
        count = int(repeats.sum())
        if count == 0:
            return ids
        ids[repeats] = torch.randint(size, (count,), generator=generator)
