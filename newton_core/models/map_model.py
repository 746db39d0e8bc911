"""What the networks on maps share: from pictures to one positive cost a tile."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from newton_core.models.base import ModelParameters

SMALLEST_COST = 1e-3
"""Added to every cost: no network can make a tile free."""


class MapModelParameters(ModelParameters):
    """A network on maps: what shortest paths take."""

    @abstractmethod
    def build(self, height: int, width: int, tile: int) -> nn.Module:
        """A network (N, 3, height tile, width tile) -> (N, height, width) of positive costs.

        Args:
            height, width: tiles from top to bottom and from left to right.
            tile: pixels along each side of a tile.
        """


class TileCosts(nn.Module):
    """softplus(x) + SMALLEST_COST of a network's single channel: (N, 1, h, w) -> (N, h, w)."""

    def forward(self, x: Float[Tensor, "N 1 h w"]) -> Float[Tensor, "N h w"]:
        """Positive costs; about 0.7 where the network says nothing."""
        return nn.functional.softplus(x[:, 0]) + SMALLEST_COST
