"""Data sets, one file each. A process loads each set once and shares it: never change one."""

from newton_core.data.base import (
    DataParameters,
    DatasetError,
    DatasetStatus,
    ImageDataParameters,
    ImageDataset,
    LabelledImages,
    NumberDataParameters,
)
from newton_core.data.compose import NumberPool, NumberSets
from newton_core.data.digits import DigitImagesParameters, DigitsParameters, load_digits
from newton_core.data.download import download_mnist
from newton_core.data.events import EventsParameters
from newton_core.data.folder import FolderImagesParameters, FolderParameters, load_folder
from newton_core.data.maps import MapDataParameters, MapDataset, Maps
from newton_core.data.mnist import MnistImagesParameters, MnistParameters, load_mnist
from newton_core.data.own_series import OwnSeriesParameters
from newton_core.data.photos import PhotosParameters, load_photos
from newton_core.data.registry import (
    IMAGES,
    MAPS,
    NUMBERS,
    SERIES,
    AnyImages,
    AnyMaps,
    AnyNumbers,
    AnySeries,
    register_dataset,
)
from newton_core.data.series import Series, SeriesDataParameters
from newton_core.data.status import describe_datasets
from newton_core.data.terrain import TerrainParameters, load_terrain
from newton_core.data.warcraft import WarcraftParameters, load_warcraft

# Here, not where they are defined: forms offer them in this order.
for _ours in (
    DigitImagesParameters,
    MnistImagesParameters,
    DigitsParameters,
    MnistParameters,
    FolderImagesParameters,
    FolderParameters,
    TerrainParameters,
    WarcraftParameters,
    PhotosParameters,
    EventsParameters,
    OwnSeriesParameters,
):
    register_dataset(_ours)

__all__ = [
    "IMAGES",
    "MAPS",
    "NUMBERS",
    "SERIES",
    "AnyImages",
    "AnyMaps",
    "AnyNumbers",
    "AnySeries",
    "DataParameters",
    "DatasetError",
    "DatasetStatus",
    "DigitImagesParameters",
    "DigitsParameters",
    "EventsParameters",
    "FolderImagesParameters",
    "FolderParameters",
    "ImageDataParameters",
    "ImageDataset",
    "LabelledImages",
    "MapDataParameters",
    "MapDataset",
    "Maps",
    "MnistImagesParameters",
    "MnistParameters",
    "NumberDataParameters",
    "NumberPool",
    "NumberSets",
    "OwnSeriesParameters",
    "PhotosParameters",
    "Series",
    "SeriesDataParameters",
    "TerrainParameters",
    "WarcraftParameters",
    "describe_datasets",
    "download_mnist",
    "load_digits",
    "load_folder",
    "load_mnist",
    "load_photos",
    "load_terrain",
    "load_warcraft",
    "register_dataset",
]
