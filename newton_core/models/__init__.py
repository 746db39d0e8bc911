"""Networks: one file each; any of them fits any image size."""

from typing import Annotated

from pydantic import Field

from newton_core.models.base import ItemScorer, ModelParameters, build_seeded
from newton_core.models.cnn import CnnParameters
from newton_core.models.mlp import MlpParameters

AnyModel = Annotated[MlpParameters | CnnParameters, Field(discriminator="name")]
"""The parameters of any network, told apart by ``name``."""

__all__ = [
    "AnyModel",
    "CnnParameters",
    "ItemScorer",
    "MlpParameters",
    "ModelParameters",
    "build_seeded",
]
