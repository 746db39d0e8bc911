"""What the tasks on terrain maps share: a cost for each tile, and what is built on them."""

import math
from abc import abstractmethod
from typing import ClassVar, Generic

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from typing_extensions import TypeVar

from newton_core.data import AnyMaps, MapDataset, Maps, TerrainParameters
from newton_core.losses.base import TargetKind
from newton_core.models import AnyMapModel, TileCnnParameters, build_seeded
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import Batch, Metric, SampleOutputs, Task, TaskParameters
from newton_core.tasks.evaluation import outputs

EXAMPLE_MAPS = 4

Tile = tuple[int, int]
"""[row, column] from the top-left."""


class MapTaskParameters(TaskParameters):
    """The maps and the network on them."""

    data: AnyMaps = setting(
        TerrainParameters(), "The maps, the costs of their tiles and their paths.", title="Data"
    )
    model: AnyMapModel = setting(
        TileCnnParameters(), "The network that gives each tile its cost.", title="Network"
    )

    def outputs_per_sample(self) -> SampleOutputs:
        """A cost for each tile of a map."""
        height, width = self.data.grid()
        return SampleOutputs(height * width, ("data", *self.data.grid_parameters))


P_co = TypeVar("P_co", bound=MapTaskParameters, covariant=True, default=MapTaskParameters)


class MapTask(Task[P_co], Generic[P_co]):
    """Maps with a label a tile; the network's costs are judged by what they lead to.

    Training maps are shuffled anew in each epoch, of training maps // batch size steps.
    """

    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"path"})

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        self._use(self.parameters.data.load())

    def _use(self, dataset: MapDataset) -> None:
        self.dataset = dataset
        self.images = dataset.train.images.to(self.device)
        self._labels = self.labels(dataset.train).to(self.device)
        self._epoch: tuple[int, Int[Tensor, " M"]] | None = None

    @abstractmethod
    def labels(self, maps: Maps) -> Float[Tensor, "M h w"] | UInt8[Tensor, "M h w"]:
        """What a loss compares the network's costs with."""

    @abstractmethod
    def measure(self, model: nn.Module, maps: Maps) -> dict[str, Metric]:
        """Each metric on these maps."""

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self.dataset.with_validation(share)
        if dataset is not self.dataset:
            self._use(dataset)

    def build_model(self) -> nn.Module:
        """A network (N, 3, H, W) -> (N, h, w) of positive costs."""
        grid = self.dataset.train.grid
        tile = self.images.shape[2] // grid[0]
        return build_seeded(self.parameters.model, grid, tile, self.seed).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` normalised maps (size, 3, H, W) and their labels (size, h, w).

        Raises:
            ValueError: there are fewer training maps than that.
        """
        order = self.maps_of(step, size)
        images = self.dataset.normalise(self.images[order])
        return Batch(inputs=images, target=self._labels[order].float())

    def largest_batch(self) -> int:
        """All training maps: no batch shows a map twice."""
        return len(self.images)

    def maps_of(self, step: int, size: int) -> Int[Tensor, " size"]:
        """Which training maps the batch of a step is made of."""
        per_epoch = len(self.images) // size
        if per_epoch == 0:
            raise ValueError(
                f"a batch of {size} needs at least {size} training maps, found {len(self.images)}"
            )
        epoch, position = divmod(step - 1, per_epoch)  # step 0, the probe's, has an epoch to itself
        return self._shuffled(epoch)[position * size : (position + 1) * size]

    def _shuffled(self, epoch: int) -> Int[Tensor, " M"]:
        if self._epoch is None or self._epoch[0] != epoch:
            order = torch.randperm(len(self.images), generator=generator(self.seed, "batch", epoch))
            self._epoch = epoch, order.to(self.device)
        return self._epoch[1]

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """Each metric on the test maps."""
        return self.measure(model, self.dataset.test)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on the validation maps."""
        maps = self.dataset.validation
        return {} if maps is None else self.measure(model, maps)

    def costs(self, model: nn.Module, maps: Maps) -> Float[Tensor, "N h w"]:
        """The network's costs on the CPU."""
        return outputs(
            model,
            lambda part: self.dataset.normalise(maps.images[part].to(self.device)),
            samples=len(maps),
            pixels=maps.images[0].numel(),
        )


def rounded(cost: float) -> float | None:
    """Four digits are enough for a picture; null where the cost is not finite."""
    return float(f"{cost:.4g}") if math.isfinite(cost) else None
