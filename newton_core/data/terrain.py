"""Terrain maps of any size, generated from a seed.

There are five kinds of ground, with the tile costs of the public Warcraft maps (Vlastelica et al.
2020). Maps on which the straight diagonal is a cheapest path are left out, because a network learns
nothing from them. A map may have several cheapest paths; the label is one of them.
"""

import logging
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import model_validator

from newton_core.algorithms.shortest_path import shortest_path, solve_grids
from newton_core.data.base import DatasetStatus
from newton_core.data.maps import MapDataParameters, MapDataset, Maps
from newton_core.data.terrain_drawing import TILE, draw_terrain
from newton_core.data.terrain_textures import FOREST, GRASS, ROCK, SAND, WATER
from newton_core.folders import data_dir
from newton_core.seeding import derive_seed
from newton_core.settings import setting

COSTS = (0.8, 1.2, 5.3, 7.7, 9.2)
"""Costs of a step on sand, grass, forest, water and rock."""

VERSION = 1
"""Version of the generator and the drawing: part of the cached files' names."""

_LARGEST = 2**31  # bytes of images in one data set
_CACHED_FILES = 6
_TILES_PER_CHUNK = 36_000

logger = logging.getLogger(__name__)


class TerrainParameters(MapDataParameters):
    """Generated maps."""

    title = "Generated terrain"
    name: Literal["terrain"] = "terrain"
    height: int = setting(
        12, "Tiles from top to bottom.", title="Height", unit="tiles", ge=3, le=64
    )
    width: int = setting(12, "Tiles from left to right.", title="Width", unit="tiles", ge=3, le=64)
    train_maps: int = setting(
        2000, "Maps to train on.", title="Training maps", unit="maps", scale="log",
        ge=10, le=20_000,
    )  # fmt: skip
    test_maps: int = setting(
        500, "Maps that metrics are measured on; the same for every seed of a run.",
        title="Test maps", unit="maps", scale="log", ge=10, le=20_000,
    )  # fmt: skip
    map_seed: int = setting(
        0, "Seeds the maps themselves, both parts; another number draws another world.",
        title="Map seed", ge=0, lt=2**31,
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits_memory(self) -> "TerrainParameters":
        maps = self.train_maps + self.test_maps
        if maps * self.height * self.width * 3 * TILE**2 > _LARGEST:
            most = _LARGEST // (self.height * self.width * 3 * TILE**2)
            raise ValueError(
                f"{maps} maps of {self.height} x {self.width} tiles take more than 2 GiB: use at"
                f" most {most} maps of this size in both parts together"
            )
        return self

    def folder(self) -> Path:
        """The folder of the maps that were made before; not the user's, and made anew."""
        return terrain_dir()

    def files(self) -> dict[str, Path]:
        """None that numbers depend on: the maps follow from their parameters."""
        return {}

    def grid(self) -> tuple[int, int]:
        """As asked for."""
        return self.height, self.width

    def load(self) -> MapDataset:
        """The maps from memory or from the cached file, or newly made."""
        return load_terrain(self)

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """How many generated sets are cached, and where."""
        folder = terrain_dir()
        cached = len(list(folder.glob("*.npz")))
        detail = f"made here from a seed, {cached} sets cached in {folder}"
        return [DatasetStatus("terrain", True, detail)]


@lru_cache(maxsize=2)
def load_terrain(parameters: TerrainParameters) -> MapDataset:
    """The maps that the parameters describe, a pure function of them.

    They are cached in ``terrain`` in the data folder, if that can be written.
    """
    counts = {"train": parameters.train_maps, "test": parameters.test_maps}
    size = (parameters.height, parameters.width)
    file = _cache_file(parameters)
    arrays = _read(file)
    if arrays is None:
        arrays = {}
        for part, count in counts.items():
            random = np.random.default_rng(derive_seed(parameters.map_seed, "terrain", part, *size))
            arrays[f"{part}_ground"] = make_terrain(count, *size, random)
            arrays[f"{part}_images"] = draw_terrain(arrays[f"{part}_ground"], random)
        _write(file, arrays)
    parts = [_maps(arrays[f"{part}_ground"], arrays[f"{part}_images"]) for part in counts]
    return MapDataset(*parts)


def make_terrain(
    count: int, height: int, width: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """(count, h, w) kinds of ground on which the straight path is not a cheapest one."""
    straight = shortest_path(torch.ones(1, height, width, dtype=torch.float64)).path
    kept: list[NDArray[np.uint8]] = []
    while sum(map(len, kept)) < count:
        ground = _ground(max(1, _TILES_PER_CHUNK // (height * width)), height, width, random)
        costs = torch.from_numpy(np.array(COSTS)[ground])
        _, cheapest = solve_grids(costs)
        beaten = (costs * straight).sum(dim=(1, 2)) > cheapest * (1 + 1e-9)
        kept.append(ground[beaten.numpy()])
    return np.concatenate(kept)[:count]


def _ground(count: int, height: int, width: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Elevation gives water, beaches and rock; elsewhere moisture gives sand, grass and forest."""
    size = (count, height, width)
    elevation = _smooth(size, 3.6, random) + 0.15 * _smooth(size, 1.2, random)
    moisture = _smooth(size, 3.2, random) + 0.15 * _smooth(size, 1.2, random)
    ground = np.full(size, GRASS, np.uint8)
    ground[moisture > 0.35] = FOREST
    ground[moisture < -0.75] = SAND
    ground[elevation < -0.55] = SAND
    ground[elevation < -0.8] = WATER
    ground[elevation > 0.85] = ROCK
    return ground


def _smooth(
    size: tuple[int, int, int], tiles: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Normal noise of deviation 1, correlated over about ``tiles``; opposite edges are not."""
    count, height, width = size
    padded = (height + 8, width + 8)
    squared = np.add.outer(np.fft.fftfreq(padded[0]) ** 2, np.fft.fftfreq(padded[1]) ** 2)
    spectrum = np.exp(-3 * tiles**2 * squared)
    white = random.standard_normal((count, *padded))
    noise = np.fft.ifft2(np.fft.fft2(white) * spectrum).real / np.sqrt((spectrum**2).mean())
    return np.asarray(noise[:, :height, :width])


def _maps(ground: NDArray[np.uint8], images: NDArray[np.uint8]) -> Maps:
    costs = torch.from_numpy(np.array(COSTS, np.float32)[ground])
    paths, _ = solve_grids(costs.double())
    return Maps(images=torch.from_numpy(images), costs=costs, paths=paths)


def terrain_dir() -> Path:
    """The folder in which maps are cached."""
    return data_dir() / "terrain"


def _cache_file(parameters: TerrainParameters) -> Path:
    p = parameters
    name = f"v{VERSION}-{p.height}x{p.width}-{p.train_maps}-{p.test_maps}-{p.map_seed}.npz"
    return terrain_dir() / name


def _read(file: Path) -> dict[str, NDArray[np.uint8]] | None:
    """The arrays of a cached file, or None if it is missing or damaged."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        os.utime(file)  # marks it as used: the least recently used files are removed
    except Exception as error:  # damaged archives raise many kinds of errors
        logger.warning("%s cannot be read and is made again: %s", file, error)
        return None
    return arrays


def _write(file: Path, arrays: dict[str, Any]) -> None:
    """Caches the arrays and removes the least recently used files."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            try:
                np.savez(part, **arrays)
            except BaseException:
                Path(part.name).unlink()
                raise
        os.replace(part.name, file)
        files = sorted(file.parent.glob("v*.npz"), key=lambda path: path.stat().st_mtime)
        for old in files[:-_CACHED_FILES]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("maps are not cached, %s cannot be written: %s", file, error)
