"""Shortest-path supervision: a map in, a cost per tile out, and only the cheapest path is known."""

import math
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms.shortest_path import order_tiles
from newton_core.data import AnyMaps, MapDataset, Maps, TerrainParameters
from newton_core.losses.base import TargetKind
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.models import AnyMapModel, TileCnnParameters, build_seeded
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import (
    Batch,
    Metric,
    SampleOutputs,
    Task,
    TaskParameters,
    json_record,
    register_task,
)
from newton_core.tasks.evaluation import outputs, share
from newton_core.tasks.images import rgb_png_data_url
from newton_core.tasks.path_judgement import judge_paths

EXAMPLE_MAPS = 4

Tile = tuple[int, int]
"""[row, column] from the top-left."""

OPTIMAL = share_of_test(
    "optimal",
    "Optimal paths",
    "test maps",
    description="Share of test maps on which the predicted path costs as little as the best.",
    sentence="finds a best path on {value} of the maps",
)
PERFECT_MATCH = share_of_test(
    "perfect_match",
    "Perfect match",
    "test maps",
    description="Share of test maps on which the predicted path is the labelled one.",
    sentence="finds the path of {value} of the maps",
)
COST_RATIO = MetricDescription(
    "cost_ratio",
    "Cost ratio",
    "predicted path's cost over the best",
    "True cost of the predicted path over the cost of the best one; 1 is best.",
    better="lower",
    bounds=(1.0, None),
    decimals=3,
    sampled=True,
    sentence="walks paths {value} times as costly as the best",
)


class ShortestPathParameters(TaskParameters):
    """Find the cheapest path across a map."""

    title = "Find the shortest path on a map"
    name: Literal["shortest_path"] = "shortest_path"
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


@json_record
class ShortestPathExample(TypedDict):
    """One test map and what the network makes of it.

    Paths are [row, column] of their tiles from the top-left to the bottom-right. ``costs`` are the
    network's, row by row, null where not finite; ``predicted_path`` is the cheapest path under
    them, null where a cost is not finite. ``optimal``: under the true costs it is as cheap as the
    true path. ``cost_ratio``: how many times as much it costs.
    """

    map: int
    image: str | None
    height: int
    width: int
    true_path: list[Tile]
    predicted_path: list[Tile] | None
    costs: list[list[float | None]]
    optimal: bool
    perfect_match: bool
    cost_ratio: float | None


@register_task
class ShortestPathTask(Task[ShortestPathParameters]):
    """Maps and their cheapest paths; the network's costs are judged by the path they lead to.

    A map can have several cheapest paths, of which the label is one: ``optimal`` counts any of
    them, ``perfect_match`` only the labelled one. Training maps are shuffled anew in each epoch,
    of training maps // batch size steps.
    """

    Parameters: ClassVar[type[TaskParameters]] = ShortestPathParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (OPTIMAL, PERFECT_MATCH, COST_RATIO)
    primary_metric: ClassVar[str] = OPTIMAL.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"path"})

    def __init__(
        self,
        parameters: ShortestPathParameters,
        *,
        target_kind: TargetKind,
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(parameters, target_kind=target_kind, seed=seed, device=device)
        self._use(parameters.data.load())

    def _use(self, dataset: MapDataset) -> None:
        self._dataset = dataset
        self._images = dataset.train.images.to(self.device)
        self._paths = dataset.train.paths.to(self.device)
        self._epoch: tuple[int, Int[Tensor, " M"]] | None = None

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self._dataset.with_validation(share)
        if dataset is not self._dataset:
            self._use(dataset)

    def build_model(self) -> nn.Module:
        """A network (N, 3, H, W) -> (N, h, w) of positive costs."""
        grid = self._dataset.train.grid
        tile = self._images.shape[2] // grid[0]
        return build_seeded(self.parameters.model, grid, tile, self.seed).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` normalised maps (size, 3, H, W) and their paths (size, h, w).

        Raises:
            ValueError: there are fewer training maps than that.
        """
        order = self._maps(step, size)
        images = self._dataset.normalise(self._images[order])
        return Batch(inputs=images, target=self._paths[order].float())

    def largest_batch(self) -> int:
        """All training maps: no batch shows a map twice."""
        return len(self._images)

    def sample(self, step: int, size: int, index: int) -> dict[str, Any]:
        """``image``, a PNG of the map, and ``true_path``, its tiles [row, column] in order."""
        chosen = self._maps(step, size)[index]
        return {
            "image": rgb_png_data_url(self._images[chosen]),
            "true_path": _tiles(self._paths[chosen].cpu()),
        }

    def _maps(self, step: int, size: int) -> Int[Tensor, " size"]:
        """Which training maps the batch of a step is made of."""
        per_epoch = len(self._images) // size
        if per_epoch == 0:
            raise ValueError(
                f"a batch of {size} needs at least {size} training maps, found {len(self._images)}"
            )
        epoch, position = divmod(step - 1, per_epoch)  # step 0, the probe's, has an epoch to itself
        return self._shuffled(epoch)[position * size : (position + 1) * size]

    def _shuffled(self, epoch: int) -> Int[Tensor, " M"]:
        if self._epoch is None or self._epoch[0] != epoch:
            order = torch.randperm(
                len(self._images), generator=generator(self.seed, "batch", epoch)
            )
            self._epoch = epoch, order.to(self.device)
        return self._epoch[1]

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``optimal``, ``perfect_match`` and ``cost_ratio`` on the test maps.

        A map for which the network's costs are no costs counts as missed, and its ratio is NaN.
        """
        return self._measure(model, self._dataset.test)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on the validation maps."""
        maps = self._dataset.validation
        return {} if maps is None else self._measure(model, maps)

    def _measure(self, model: nn.Module, maps: Maps) -> dict[str, Metric]:
        judged = judge_paths(self._costs(model, maps), maps)
        ratio, count = judged.ratio, len(maps)
        return {
            "optimal": share(judged.optimal),
            "perfect_match": share(judged.perfect),
            "cost_ratio": Metric(ratio.mean().item(), ratio.std().item() / math.sqrt(count)),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[ShortestPathExample]:
        """The first four test maps, each a :class:`ShortestPathExample`."""
        test = self._dataset.test
        shown = Maps(
            test.images[:EXAMPLE_MAPS], test.costs[:EXAMPLE_MAPS], test.paths[:EXAMPLE_MAPS]
        )
        costs = self._costs(model, shown)
        judged = judge_paths(costs, shown)
        height, width = shown.grid
        return [
            ShortestPathExample(
                map=i,
                image=rgb_png_data_url(shown.images[i]) if images else None,
                height=height,
                width=width,
                true_path=_tiles(shown.paths[i]),
                predicted_path=_tiles(judged.paths[i]) if judged.valid[i] else None,
                costs=[[_rounded(cost) for cost in row] for row in costs[i].tolist()],
                optimal=bool(judged.optimal[i]),
                perfect_match=bool(judged.perfect[i]),
                cost_ratio=finite(judged.ratio[i].item()),
            )
            for i in range(len(shown))
        ]

    def _costs(self, model: nn.Module, maps: Maps) -> Float[Tensor, "N h w"]:
        """The network's costs on the CPU."""
        return outputs(
            model,
            lambda part: self._dataset.normalise(maps.images[part].to(self.device)),
            samples=len(maps),
            pixels=maps.images[0].numel(),
        )


def _tiles(path: UInt8[Tensor, "h w"]) -> list[Tile]:
    return [(row, column) for row, column in order_tiles(path.numpy())]


def _rounded(cost: float) -> float | None:
    """Four digits are enough for a picture; null where the cost is not finite."""
    return float(f"{cost:.4g}") if math.isfinite(cost) else None
