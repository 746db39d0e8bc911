"""Road nets: a map in, a cost a tile out, and only the cheapest net is known."""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms.oracles import SpanningTree
from newton_core.algorithms.oracles.grids import grid_edges
from newton_core.data import Maps
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.records import finite
from newton_core.tasks.base import Metric, TaskParameters, json_record, register_task
from newton_core.tasks.evaluation import average, share
from newton_core.tasks.images import rgb_png_data_url
from newton_core.tasks.map_task import EXAMPLE_MAPS, MapTask, MapTaskParameters, Tile, rounded

_TOLERANCE = 1e-6
"""Equal sums of single-precision costs differ by less than this, different ones by more."""

Edge = tuple[Tile, Tile]
"""Two neighbouring tiles."""

COST_RATIO = MetricDescription(
    "cost_ratio",
    "Cost ratio",
    "predicted net's cost over the best",
    "True cost of the predicted road net over the cost of the best one; 1 is best.",
    better="lower",
    bounds=(1.0, None),
    decimals=4,
    sampled=True,
    sentence="builds nets {value} times as costly as the best",
)
OPTIMAL = share_of_test(
    "optimal",
    "Optimal nets",
    "test maps",
    description="Share of test maps on which the predicted road net costs as little as the best.",
    sentence="builds a best net on {value} of the maps",
)


class SpanningTreeParameters(MapTaskParameters):
    """Build the cheapest road net that joins all tiles of a map."""

    title = "Build the cheapest road net on a map"
    name: Literal["spanning_tree"] = "spanning_tree"


@json_record
class SpanningTreeExample(TypedDict):
    """One test map and the road net that an arm builds on it.

    Nets are edges between neighbouring tiles, each [row, column] from the top-left.
    ``predicted_net`` is the cheapest under the network's ``costs`` (row by row, null where not
    finite), null where a cost is not finite. ``cost_ratio``: its true cost over the best net's.
    """

    map: int
    image: str | None
    height: int
    width: int
    true_net: list[Edge]
    predicted_net: list[Edge] | None
    costs: list[list[float | None]]
    optimal: bool
    cost_ratio: float | None


@register_task
class SpanningTreeTask(MapTask[SpanningTreeParameters]):
    """Maps and their cheapest road nets, which join all tiles by moves to the 4 neighbours.

    An edge costs the mean of its two tiles. A map can have several cheapest nets: all count as
    ``optimal``. Where a cost is not finite, the map counts as missed, and its ratio is NaN.
    """

    Parameters: ClassVar[type[TaskParameters]] = SpanningTreeParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (OPTIMAL, COST_RATIO)
    primary_metric: ClassVar[str] = OPTIMAL.name
    oracle: ClassVar[str | None] = "spanning_tree"

    def labels(self, maps: Maps) -> Float[Tensor, "M h w"]:
        """See :class:`MapTask`; half of each tile's degree in a cheapest net."""
        return SpanningTree().solve(maps.costs.double()).float()

    def sample(self, step: int, size: int, index: int) -> dict[str, object]:
        """``image``, a PNG of the map."""
        chosen = self.maps_of(step, size)[index]
        return {"image": rgb_png_data_url(self.images[chosen])}

    def measure(self, model: nn.Module, maps: Maps) -> dict[str, Metric]:
        """``optimal`` and ``cost_ratio``."""
        ratio = _judge(self.costs(model, maps), maps)
        return {
            "optimal": share(ratio <= 1 + _TOLERANCE),
            "cost_ratio": average(ratio),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[SpanningTreeExample]:
        """The first four test maps, each a :class:`SpanningTreeExample`."""
        test = self.dataset.test
        shown = Maps(
            test.images[:EXAMPLE_MAPS], test.costs[:EXAMPLE_MAPS], test.paths[:EXAMPLE_MAPS]
        )
        costs = self.costs(model, shown)
        ratio = _judge(costs, shown)
        true, predicted = _nets(shown.costs), _nets(costs)
        height, width = shown.grid
        return [
            SpanningTreeExample(
                map=i,
                image=rgb_png_data_url(shown.images[i]) if images else None,
                height=height,
                width=width,
                true_net=true[i],
                predicted_net=None if ratio[i].isnan() else predicted[i],
                costs=[[rounded(cost) for cost in row] for row in costs[i].tolist()],
                optimal=bool(ratio[i] <= 1 + _TOLERANCE),
                cost_ratio=finite(ratio[i].item()),
            )
            for i in range(len(shown))
        ]


def _finite(costs: Float[Tensor, "N h w"]) -> Float64[Tensor, "N h w"]:
    return torch.where(costs.isfinite(), costs.double(), 1.0)


def _judge(costs: Float[Tensor, "N h w"], maps: Maps) -> Float64[Tensor, " N"]:
    """True cost of each predicted net over that of the best; NaN where a cost is not finite."""
    oracle, true = SpanningTree(), maps.costs.double()
    nets = oracle.solve(_finite(costs)), oracle.solve(true)
    spent, best = ((net * true).sum(dim=(1, 2)) for net in nets)
    return torch.where(oracle.defined_at(costs), spent / best, torch.nan)


def _nets(costs: Float[Tensor, "N h w"]) -> list[list[Edge]]:
    """The edges of each cheapest net."""
    width = costs.shape[2]
    a, b = grid_edges(costs.shape[1], width).tolist()
    ends = [(divmod(i, width), divmod(j, width)) for i, j in zip(a, b, strict=True)]
    chosen = SpanningTree().edges(_finite(costs)).bool().tolist()
    return [[edge for edge, kept in zip(ends, row, strict=True) if kept] for row in chosen]
