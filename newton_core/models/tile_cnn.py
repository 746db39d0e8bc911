"""A small convolutional network that looks at one tile at a time: the interactive default."""

from typing import Literal

from torch import nn

from newton_core.models.map_model import MapModelParameters, TileCosts
from newton_core.settings import setting


class TileCnnParameters(MapModelParameters):
    """A network of a few thousand weights, the same for every tile."""

    title = "Convolutional, tile by tile"
    name: Literal["tile_cnn"] = "tile_cnn"
    channels: int = setting(
        16, "Features of each quarter of a tile; a whole tile has twice as many.",
        title="Channels", unit="channels", ge=1, le=256,
    )  # fmt: skip

    def build(self, height: int, width: int, tile: int) -> nn.Sequential:
        """Quarters of tiles, then tiles, then two layers on each tile's features.

        Tiles with an odd number of pixels are seen whole at once.
        """
        half = tile // 2 if tile % 2 == 0 else tile
        wide = 2 * self.channels
        return nn.Sequential(
            nn.Conv2d(3, self.channels, half, stride=half),
            nn.ReLU(),
            nn.Conv2d(self.channels, wide, tile // half, stride=tile // half),
            nn.ReLU(),
            nn.Conv2d(wide, wide, 1),
            nn.ReLU(),
            nn.Conv2d(wide, 1, 1),
            TileCosts(),
        )
