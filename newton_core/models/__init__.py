"""Networks: one file each; any of them fits any image size."""

from typing import Annotated

from pydantic import Field

from newton_core.models.base import ItemScorer, ModelParameters, build_seeded
from newton_core.models.cnn import CnnParameters
from newton_core.models.map_model import MapModelParameters, build_map_model
from newton_core.models.mlp import MlpParameters
from newton_core.models.resnet18_block import Resnet18BlockParameters
from newton_core.models.tile_cnn import TileCnnParameters

AnyModel = Annotated[MlpParameters | CnnParameters, Field(discriminator="name")]
"""The parameters of any network, told apart by ``name``."""

AnyMapModel = Annotated[TileCnnParameters | Resnet18BlockParameters, Field(discriminator="name")]
"""The parameters of any network on maps, told apart by ``name``."""

__all__ = [
    "AnyMapModel",
    "AnyModel",
    "CnnParameters",
    "ItemScorer",
    "MapModelParameters",
    "MlpParameters",
    "ModelParameters",
    "Resnet18BlockParameters",
    "TileCnnParameters",
    "build_map_model",
    "build_seeded",
]
