"""Data sets: one file each. Loaded once per process, shared, and never changed in place."""

from newton_core.data.base import DataParameters, DatasetError, ImageDataset, LabelledImages
from newton_core.data.compose import NumberPool, NumberSets
from newton_core.data.digits import DigitImagesParameters, DigitsParameters, load_digits

__all__ = [
    "DataParameters",
    "DatasetError",
    "DigitImagesParameters",
    "DigitsParameters",
    "ImageDataset",
    "LabelledImages",
    "NumberPool",
    "NumberSets",
    "load_digits",
]
