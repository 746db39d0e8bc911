"""Networks: one file each; any of them fits any image size."""

from newton_core.models.base import (
    ImageModelParameters,
    ItemScorer,
    ModelParameters,
    build_seeded,
)
from newton_core.models.cnn import CnnParameters
from newton_core.models.lenet5 import LeNet5Parameters
from newton_core.models.map_model import MapModelParameters
from newton_core.models.mlp import MlpParameters
from newton_core.models.registry import (
    IMAGE_NETWORKS,
    MAP_NETWORKS,
    AnyMapModel,
    AnyModel,
    register_network,
)
from newton_core.models.resnet18_block import Resnet18BlockParameters
from newton_core.models.tile_cnn import TileCnnParameters

# Here, not where they are defined: forms offer them in this order.
for _ours in (
    MlpParameters,
    CnnParameters,
    LeNet5Parameters,
    TileCnnParameters,
    Resnet18BlockParameters,
):
    register_network(_ours)

__all__ = [
    "IMAGE_NETWORKS",
    "MAP_NETWORKS",
    "AnyMapModel",
    "AnyModel",
    "CnnParameters",
    "ImageModelParameters",
    "ItemScorer",
    "LeNet5Parameters",
    "MapModelParameters",
    "MlpParameters",
    "ModelParameters",
    "Resnet18BlockParameters",
    "TileCnnParameters",
    "build_seeded",
    "register_network",
]
