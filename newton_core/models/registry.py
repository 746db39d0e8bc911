"""The networks that specs can name, in one registry for each kind."""

from typing import TYPE_CHECKING, Annotated, TypeVar

from newton_core.entry_points import EntryPoints
from newton_core.models.base import ImageModelParameters, ModelParameters
from newton_core.models.map_model import MapModelParameters
from newton_core.registry import AnyOf, Registry, declared_name, require_subclass

ModelClass = TypeVar("ModelClass", bound=type[ModelParameters])


def register_network(cls: ModelClass) -> ModelClass:
    """Class decorator: enters a network under the name that its parameters declare.

    Raises:
        DuplicateNameError: the name is taken.
        TypeError: the class is of no kind or declares no name.
    """
    require_subclass("register_network", cls, ModelParameters)
    name = declared_name(cls)
    if issubclass(cls, ImageModelParameters):
        IMAGE_NETWORKS.register(name)(cls)
    elif issubclass(cls, MapModelParameters):
        MAP_NETWORKS.register(name)(cls)
    else:
        raise TypeError(
            f"{cls.__name__} must be a subclass of ImageModelParameters or MapModelParameters"
        )
    return cls


_entry_points = EntryPoints("newton_lab.networks", ModelParameters, register_network)

IMAGE_NETWORKS: Registry[type[ImageModelParameters]] = Registry(
    "network on images", discover=_entry_points.load
)
MAP_NETWORKS: Registry[type[MapModelParameters]] = Registry(
    "network on maps", discover=_entry_points.load
)

# What a task's field is declared as: any registered network of a kind.
if TYPE_CHECKING:
    AnyModel = ImageModelParameters
    AnyMapModel = MapModelParameters
else:
    AnyModel = Annotated[object, AnyOf(IMAGE_NETWORKS.values)]
    AnyMapModel = Annotated[object, AnyOf(MAP_NETWORKS.values)]
