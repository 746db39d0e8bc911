"""Data sets: one file each. Loaded once per process, shared, and never changed in place."""

from typing import Annotated

from pydantic import Field

from newton_core.data.base import DataParameters, DatasetError, ImageDataset, LabelledImages
from newton_core.data.compose import NumberPool, NumberSets
from newton_core.data.digits import DigitImagesParameters, DigitsParameters, load_digits
from newton_core.data.download import download_mnist
from newton_core.data.folder import FolderParameters, load_folder
from newton_core.data.maps import MapDataParameters, MapDataset, Maps
from newton_core.data.mnist import MnistImagesParameters, MnistParameters, load_mnist
from newton_core.data.status import DatasetStatus, describe_datasets
from newton_core.data.terrain import TerrainParameters, load_terrain
from newton_core.data.warcraft import WarcraftParameters, load_warcraft

AnyDigitImages = Annotated[
    DigitImagesParameters | MnistImagesParameters, Field(discriminator="name")
]
"""The parameters of any data set of single digits, told apart by ``name``."""

AnyNumbers = Annotated[
    DigitsParameters | MnistParameters | FolderParameters, Field(discriminator="name")
]
"""The parameters of any data set of images that show numbers, told apart by ``name``."""

AnyMaps = Annotated[TerrainParameters | WarcraftParameters, Field(discriminator="name")]
"""The parameters of any data set of terrain maps, told apart by ``name``."""

__all__ = [
    "AnyDigitImages",
    "AnyMaps",
    "AnyNumbers",
    "DataParameters",
    "DatasetError",
    "DatasetStatus",
    "DigitImagesParameters",
    "DigitsParameters",
    "FolderParameters",
    "ImageDataset",
    "LabelledImages",
    "MapDataParameters",
    "MapDataset",
    "Maps",
    "MnistImagesParameters",
    "MnistParameters",
    "NumberPool",
    "NumberSets",
    "TerrainParameters",
    "WarcraftParameters",
    "describe_datasets",
    "download_mnist",
    "load_digits",
    "load_folder",
    "load_mnist",
    "load_terrain",
    "load_warcraft",
]
