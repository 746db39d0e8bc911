"""How a network is chosen and built: from its parameters, the image size and a seed."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from newton_core.seeding import derive_seed
from newton_core.settings import Named


class ModelParameters(Named, ABC):
    """The parameters of a network.

    A network derives from the class of its kind (:class:`ImageModelParameters` or
    :class:`~newton_core.models.map_model.MapModelParameters`), fixes ``name`` to a ``Literal`` and
    adds its own parameters.

    Attributes:
        couples_samples: whether an output in training depends on other samples of the batch, as
            behind batch norm.
    """

    couples_samples: ClassVar[bool] = False

    @abstractmethod
    def build(self, height: int, width: int, size: int, /) -> nn.Module:
        """A network for inputs of this size, initialised from torch's global RNG."""

    def least_weights(self) -> int:
        """Weights that it has whatever the size of its inputs is; 0 where nobody has counted."""
        return 0


class ImageModelParameters(ModelParameters):
    """A network that looks at single images: what classification and ranking take."""

    @abstractmethod
    def build(self, height: int, width: int, outputs: int) -> nn.Module:
        """A network (N, 1, height, width) -> (N, outputs), initialised from torch's global RNG."""


class ItemScorer(nn.Module):
    """Scores each image of a set by the same network, from its own pixels alone.

    (N, n, 1, h, w) -> (N, n), or (N, n, places) where an item has a score at each of several
    places.
    """

    def __init__(self, network: nn.Module, places: int | None = None) -> None:
        super().__init__()
        self.network = network
        self._each = () if places is None else (places,)

    def forward(self, images: Float[Tensor, "N n 1 h w"]) -> Float[Tensor, " N n *places"]:
        """The scores of all images."""
        scores: Tensor = self.network(images.flatten(0, 1))
        return scores.view(*images.shape[:2], *self._each)


def build_seeded(
    parameters: ModelParameters, height_and_width: tuple[int, int], size: int, seed: int
) -> nn.Module:
    """A network whose initial weights are a pure function of the seed, on the CPU.

    The global random numbers are left as they were.

    Args:
        parameters: of the network, whose ``build`` takes the next two.
        height_and_width: pixels of an image, or tiles of a map.
        size: outputs of a network on images; pixels along a tile for one on maps.
        seed: of the run.
    """
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it would reseed the accelerators too, which are not forked here.
        torch.default_generator.manual_seed(derive_seed(seed, "weights"))
        return parameters.build(*height_and_width, size)
