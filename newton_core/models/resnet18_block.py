"""The first block of a ResNet-18, as the literature on Warcraft maps uses it."""

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from newton_core.models.map_model import SMALLEST_COST, MapModelParameters


class Resnet18BlockParameters(MapModelParameters):
    """The first block of a ResNet-18 (He et al. 2016), untrained, with 64 channels."""

    title = "First block of a ResNet-18"
    name: Literal["resnet18_block"] = "resnet18_block"
    couples_samples: ClassVar[bool] = True

    def build(self, height: int, width: int, tile: int) -> nn.Module:
        """The stem and the first stage of a ResNet-18, then one cost a tile."""
        return Resnet18Block(height, width)


class Resnet18Block(nn.Module):
    """Stem (7 x 7 convolution, pooling) and first stage, down to one number a tile.

    As in Vlastelica et al. (2020): the largest feature in each tile, then the mean over channels.
    The features are positive already, behind their ReLU; SMALLEST_COST keeps the costs from 0.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stage = nn.Sequential(_BasicBlock(64), _BasicBlock(64))
        self.tiles = nn.AdaptiveMaxPool2d((height, width))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N h w"]:
        """Positive costs of the tiles."""
        features: Tensor = self.tiles(self.stage(self.stem(images)))
        return features.mean(dim=1) + SMALLEST_COST


class _BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around which the input is carried on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Float[Tensor, "N c H W"]) -> Float[Tensor, "N c H W"]:
        return nn.functional.relu(x + self.layers(x))
