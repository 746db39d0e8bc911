"""Shortest-path supervision: a map in, a cost per tile out, and only the cheapest path is known."""

from typing import ClassVar, Literal

from jaxtyping import UInt8
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms.shortest_path import order_tiles
from newton_core.data import Maps
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.records import finite
from newton_core.tasks.base import Metric, TaskParameters, json_record, register_task
from newton_core.tasks.evaluation import average, share
from newton_core.tasks.images import rgb_png_data_url
from newton_core.tasks.map_task import EXAMPLE_MAPS, MapTask, MapTaskParameters, Tile, rounded
from newton_core.tasks.path_judgement import judge_paths

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
    sentence="finds the labelled path on {value} of the maps",
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
    sentence="chooses paths {value} times as costly as the best",
)


class ShortestPathParameters(MapTaskParameters):
    """Find the cheapest path across a map."""

    title = "Find the shortest path on a map"
    name: Literal["shortest_path"] = "shortest_path"


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
class ShortestPathTask(MapTask[ShortestPathParameters]):
    """Maps and their cheapest paths; the network's costs are judged by the path they lead to.

    A map can have several cheapest paths, of which the label is one: ``optimal`` counts any of
    them, ``perfect_match`` only the labelled one. A map for which the network's costs are no costs
    counts as missed, and its ratio is NaN.
    """

    Parameters: ClassVar[type[TaskParameters]] = ShortestPathParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (OPTIMAL, PERFECT_MATCH, COST_RATIO)
    primary_metric: ClassVar[str] = OPTIMAL.name
    oracle: ClassVar[str | None] = "shortest_path"

    def labels(self, maps: Maps) -> UInt8[Tensor, "M h w"]:
        """See :class:`MapTask`; the paths."""
        return maps.paths

    def sample(self, step: int, size: int, index: int) -> dict[str, object]:
        """``image``, a PNG of the map, and ``true_path``, its tiles [row, column] in order."""
        chosen = self.maps_of(step, size)[index]
        return {
            "image": rgb_png_data_url(self.images[chosen]),
            "true_path": _tiles(self._labels[chosen].cpu()),
        }

    def measure(self, model: nn.Module, maps: Maps) -> dict[str, Metric]:
        """Each metric on these maps."""
        judged = judge_paths(self.costs(model, maps), maps)
        return {
            "optimal": share(judged.optimal),
            "perfect_match": share(judged.perfect),
            "cost_ratio": average(judged.ratio),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[ShortestPathExample]:
        """The first four test maps, each a :class:`ShortestPathExample`."""
        test = self.dataset.test
        shown = Maps(
            test.images[:EXAMPLE_MAPS], test.costs[:EXAMPLE_MAPS], test.paths[:EXAMPLE_MAPS]
        )
        costs = self.costs(model, shown)
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
                costs=[[rounded(cost) for cost in row] for row in costs[i].tolist()],
                optimal=bool(judged.optimal[i]),
                perfect_match=bool(judged.perfect[i]),
                cost_ratio=finite(judged.ratio[i].item()),
            )
            for i in range(len(shown))
        ]


def _tiles(path: UInt8[Tensor, "h w"]) -> list[Tile]:
    return [(row, column) for row, column in order_tiles(path.numpy())]
