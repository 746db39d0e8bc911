"""The data sets that specs can name, in one registry for each kind."""

from typing import TYPE_CHECKING, Annotated, TypeVar

from newton_core.data.base import DataParameters, ImageDataParameters, NumberDataParameters
from newton_core.data.maps import MapDataParameters
from newton_core.data.series import SeriesDataParameters
from newton_core.entry_points import EntryPoints
from newton_core.registry import AnyOf, Registry, declared_name, require_subclass

DataClass = TypeVar("DataClass", bound=type[DataParameters])


def register_dataset(cls: DataClass) -> DataClass:
    """Class decorator: enters a data set under the name that it declares, among those of its kind.

    Data sets of two kinds may share a name: single MNIST digits and numbers of MNIST digits do.

    Raises:
        DuplicateNameError: the name is taken within the kind.
        TypeError: the class is of no kind or declares no name.
    """
    require_subclass("register_dataset", cls, DataParameters)
    name = declared_name(cls)
    if issubclass(cls, NumberDataParameters):
        NUMBERS.register(name)(cls)
    elif issubclass(cls, ImageDataParameters):
        IMAGES.register(name)(cls)
    elif issubclass(cls, MapDataParameters):
        MAPS.register(name)(cls)
    elif issubclass(cls, SeriesDataParameters):
        SERIES.register(name)(cls)
    else:
        raise TypeError(
            f"{cls.__name__} must be a subclass of ImageDataParameters, NumberDataParameters,"
            " MapDataParameters or SeriesDataParameters"
        )
    return cls


_entry_points = EntryPoints("newton_lab.datasets", DataParameters, register_dataset)

IMAGES: Registry[type[ImageDataParameters]] = Registry(
    "data set of images", discover=_entry_points.load
)
NUMBERS: Registry[type[NumberDataParameters]] = Registry(
    "data set of numbers", discover=_entry_points.load
)
MAPS: Registry[type[MapDataParameters]] = Registry("data set of maps", discover=_entry_points.load)
SERIES: Registry[type[SeriesDataParameters]] = Registry(
    "data set of a series", discover=_entry_points.load
)

# What a task's field is declared as: any registered data set of a kind.
if TYPE_CHECKING:
    AnyImages = ImageDataParameters
    AnyNumbers = NumberDataParameters
    AnyMaps = MapDataParameters
    AnySeries = SeriesDataParameters
else:
    AnyImages = Annotated[object, AnyOf(IMAGES.values)]
    AnyNumbers = Annotated[object, AnyOf(NUMBERS.values)]
    AnyMaps = Annotated[object, AnyOf(MAPS.values)]
    AnySeries = Annotated[object, AnyOf(SERIES.values)]
