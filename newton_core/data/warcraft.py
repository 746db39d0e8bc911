"""The public Warcraft shortest-path maps, read from the published files.

They are from Vlastelica et al., "Differentiation of Blackbox Combinatorial Solvers" (2020): 10,000
maps to train on and 1,000 each to validate and to test, of 12 x 12 tiles (also 18, 24 and 30). A
tile has 8 x 8 pixels.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from newton_core.algorithms.shortest_path import solve_grids
from newton_core.data.base import DatasetError, DatasetStatus
from newton_core.data.maps import MapDataParameters, MapDataset, Maps
from newton_core.data.places import what_is_in
from newton_core.folders import data_dir, stamps
from newton_core.settings import setting

PUBLISHED = "Edmond (the Max Planck Society's data repository), doi:10.17617/3.YJCQ5S"
PARTS = ("train", "test")
VALIDATION = "val"
"""The third part of the archive, which may be left out: a run can keep training maps aside."""
SMALLEST = 12
_PATHS_OFF = 0.01  # share of the paths that may be off
_PATH_TOLERANCE = 0.01  # of a path's cost: half precision rounds weights by 0.0005
KINDS = ("maps", "shortest_paths", "vertex_weights")


class WarcraftParameters(MapDataParameters):
    """The public maps."""

    title = "Warcraft maps"
    name: Literal["warcraft"] = "warcraft"
    size: Literal[12, 18, 24, 30] | None = setting(
        None,
        "Tiles a side: read from the subfolder of that name, such as 18x18. Empty takes the files"
        " of the folder itself, or its smallest subfolder.",
        title="Map size", unit="tiles",
    )  # fmt: skip

    grid_parameters = ("size",)

    def folder(self) -> Path:
        """The folder of the .npy files."""
        return warcraft_dir(self.size)

    def grid(self) -> tuple[int, int]:
        """As the files say, of which only a header is read; without them as asked, or 12 x 12."""
        files = find_files(self.folder(), PARTS[0], "vertex_weights")
        side = self.size or SMALLEST
        return _grid_of(files[0]) or (side, side) if files else (side, side)

    def load(self) -> MapDataset:
        """The maps; see :func:`load_warcraft`."""
        return load_warcraft(self.folder())

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Where the files are, or which are missing and where they are published."""
        folder = warcraft_dir()
        missing = missing_files(folder)
        if missing:
            names = f"{', '.join(missing)} in {folder}{_found_instead(folder)}"
            return [DatasetStatus("warcraft", False, f"no {names}; published at {PUBLISHED}")]
        return [DatasetStatus("warcraft", True, str(folder))]


def warcraft_dir(size: int | None = None) -> Path:
    """The folder where the .npy files are, or where they must be.

    The published archive has a folder for each size in one of its own, as in
    ``warcraft_shortest_path_oneskin/12x12``. It may be unpacked in ``warcraft`` of the data folder
    or beside it, and sizes may be spelled ``12_by_12``.
    """
    root = data_dir() / "warcraft"
    archives = sorted(path for path in data_dir().glob("warcraft*") if path.is_dir())
    places = [root, *sorted(path for path in root.glob("*") if path.is_dir()), *archives]
    sizes: dict[int, Path] = {}
    for place in places:
        for path in (place, *sorted(place.glob("*"))):
            if (side := _size_of(path)) and path.is_dir():
                sizes.setdefault(side, path)
    if size is not None:
        return sizes.get(size, root / f"{size}x{size}")
    for place in places:
        if _size_of(place) is None and _has_files(place):
            return place
    return sizes[min(sizes)] if sizes else root


def _size_of(folder: Path) -> int | None:
    """The size of the maps in a folder, by its name."""
    named = re.fullmatch(r"(\d+)[ _-]?(?:x|by)[ _-]?\1", folder.name, re.IGNORECASE)
    return int(named[1]) if named else None


def _found_instead(folder: Path) -> str:
    """What is in a folder that has none of the files."""
    return "" if _has_files(folder) else f" ({what_is_in(folder)})"


def _has_files(folder: Path) -> bool:
    return any(find_files(folder, part, kind) for part in PARTS for kind in KINDS)


def find_files(folder: Path, part: str, kind: str) -> list[Path]:
    """The file of a part and kind, e.g. ``train_maps.npy``, or its shards in order.

    Shards are numbered: ``train_maps_part0.npy``, ``train_maps_1.npy`` and the like.
    """
    whole = folder / f"{part}_{kind}.npy"
    if whole.is_file():
        return [whole]
    shards = {}
    for path in folder.glob(f"{part}_{kind}*.npy"):
        number = re.fullmatch(rf"{part}_{kind}[_-]?(?:part|shard)?[_-]?(\d+)\.npy", path.name)
        if number:
            shards[int(number[1])] = path
    return [shards[number] for number in sorted(shards)]


def missing_files(folder: Path) -> list[str]:
    """Names of the files that are missing, both as one file and in shards.

    Of the validation part all files may be missing, but not some.
    """
    return [
        f"{part}_{kind}.npy"
        for part in _parts_in(folder)
        for kind in KINDS
        if not find_files(folder, part, kind)
    ]


def _parts_in(folder: Path) -> tuple[str, ...]:
    """The parts that a folder must have, and the validation part if it has a file of it."""
    with_validation = any(find_files(folder, VALIDATION, kind) for kind in KINDS)
    return (*PARTS, VALIDATION) if with_validation else PARTS


def load_warcraft(folder: Path) -> MapDataset:
    """The training, test and, where they are there, validation maps in ``folder``.

    They are loaded once, and again whenever a file has changed.

    Raises:
        DatasetError: a file is missing, damaged or of the wrong kind or shape, does not fit the
            others, or holds impossible values; the message names it.
    """
    missing = missing_files(folder)
    if missing:
        raise DatasetError(
            f"warcraft: {', '.join(missing)} not found in {folder}{_found_instead(folder)};"
            f" the maps are published at {PUBLISHED}: unpack them there"
        )
    return _load(folder, stamps(file for file in sorted(folder.glob("*.npy")) if file.is_file()))


@lru_cache(maxsize=1)
def _load(folder: Path, unchanged: tuple[object, ...]) -> MapDataset:
    """``unchanged`` only makes the cache notice changed files."""
    parts = {part: _read_part(folder, part) for part in _parts_in(folder)}
    grid = parts["train"].grid
    for part, maps in parts.items():
        if maps.grid != grid:
            raise DatasetError(
                f"{folder}: the train maps have {_times(grid)} tiles, the {part} maps"
                f" {_times(maps.grid)}; all need the same"
            )
    return MapDataset(parts["train"], parts["test"], parts.get(VALIDATION))


def _read_part(folder: Path, part: str) -> Maps:
    images, paths, weights = (_read(find_files(folder, part, kind)) for kind in KINDS)
    names = [f"{folder / f'{part}_{kind}.npy'}" for kind in KINDS]
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise DatasetError(
            f"{names[0]}: expected maps (N, H, W, 3) of uint8, found"
            f" {images.shape} of {images.dtype}"
        )
    for name, array in zip(names[1:], (paths, weights), strict=True):
        if array.ndim != 3 or len(array) != len(images):
            raise DatasetError(
                f"{name}: expected ({len(images)}, h, w), one grid for each map, found"
                f" {array.shape}"
            )
    if paths.shape != weights.shape:
        raise DatasetError(
            f"{names[1]}: expected {weights.shape} as in {names[2]}, found {paths.shape}"
        )
    (H, W), (h, w) = images.shape[1:3], weights.shape[1:]
    if len(images) == 0 or h == 0 or w == 0 or H % h or W % w or H // h != W // w:
        raise DatasetError(
            f"{names[0]}: expected whole square tiles, found {len(images)} maps of {H} x {W} pixels"
            f" for {h} x {w} tiles"
        )
    _check_values(names[2], weights, np.isfinite(weights) & (weights > 0), "positive and finite")
    _check_values(names[1], paths, (paths == 0) | (paths == 1), "0 or 1")
    for corner in ((0, 0), (h - 1, w - 1)):
        off = np.flatnonzero(paths[(slice(None), *corner)] != 1)
        if len(off):
            raise DatasetError(f"{names[1]}: the path of map {off[0]} misses the corner {corner}")
    _check_paths(names[1], paths, weights)
    return Maps(
        images=torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
        costs=torch.from_numpy(weights.astype(np.float32)),  # published in half precision
        paths=torch.from_numpy(paths.astype(np.uint8)),
    )


def _grid_of(weights: Path) -> tuple[int, int] | None:
    """(h, w) from the header of a file of weights, or None if it is not as it should be."""
    try:
        shape = np.load(weights, mmap_mode="r", allow_pickle=False).shape
    except (ValueError, EOFError, OSError):
        return None
    return (shape[1], shape[2]) if len(shape) == 3 else None


def _read(files: list[Path]) -> NDArray[np.number]:
    """The array of a file, or the concatenated arrays of its shards."""
    arrays: list[NDArray[np.number]] = []
    for file in files:
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DatasetError(f"{file}: expected an array in .npy format, {error}") from None
        if arrays and array.shape[1:] != arrays[0].shape[1:]:
            raise DatasetError(
                f"{file}: expected (N, {', '.join(map(str, arrays[0].shape[1:]))}) as in"
                f" {files[0].name}, found {array.shape}"
            )
        arrays.append(array)
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _check_values(
    name: str, values: NDArray[np.number], good: NDArray[np.bool_], expected: str
) -> None:
    """Raises DatasetError with the first value that is not as expected."""
    if good.all():
        return
    sample, row, column = (int(i) for i in np.argwhere(~good)[0])
    raise DatasetError(
        f"{name}: expected values that are {expected}, found {values[sample, row, column]} in map"
        f" {sample} at tile (row {row}, column {column})"
    )


def _check_paths(name: str, paths: NDArray[np.number], weights: NDArray[np.number]) -> None:
    """Raises DatasetError if the paths are not the cheapest ones of these weights.

    Then they belong to other maps, or to other weights. One path of a hundred may be off: a few
    odd maps do not make a data set useless.
    """
    costs = weights.astype(np.float64)
    _, totals = solve_grids(torch.from_numpy(costs))
    cheapest = totals.numpy()
    labelled = (costs * paths).sum(axis=(1, 2))
    off = np.flatnonzero(np.abs(labelled / cheapest - 1) > _PATH_TOLERANCE)
    if len(off) > _PATHS_OFF * len(paths):
        first = off[0]
        raise DatasetError(
            f"{name}: {len(off):,} of {len(paths):,} paths are not the cheapest of their maps, so"
            f" that they may belong to others: that of map {first} costs"
            f" {labelled[first]:.2f}, the cheapest {cheapest[first]:.2f}"
        )


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
