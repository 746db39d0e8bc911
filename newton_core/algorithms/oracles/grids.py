"""Oracles on grids of tiles, (N, h, w): the cheapest path and the cheapest tree."""

import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from newton_core.algorithms.oracles.base import Oracle, register_oracle
from newton_core.algorithms.shortest_path import are_costs, check_costs, solve_grids

SMALLEST_COST = 1e-6
"""Perturbed costs of a path are clamped here: no cheapest path is defined for negative ones."""


class _OnGrids(Oracle):
    """An oracle whose costs are those of the tiles of a grid."""

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """See :class:`Oracle`."""
        if len(shape) != 3 or 0 in shape[1:]:
            raise ValueError(f"costs have shape (N, h, w), got {tuple(shape)}")


@register_oracle
class ShortestPathOracle(_OnGrids):
    """The cheapest path from corner to corner, over the 8 neighbours: w marks its tiles.

    Costs are positive; with noise on them they are clamped to be.
    """

    title = "Shortest path"
    name: Literal["shortest_path"] = "shortest_path"

    def solve(self, costs: Float64[Tensor, "B h w"]) -> Tensor:
        """See :class:`Oracle`."""
        paths, _ = solve_grids(costs)
        return paths

    def defined_at(self, costs: Tensor) -> Bool[Tensor, " N"]:
        """Where all costs are positive and finite."""
        return are_costs(costs).flatten(1).all(dim=1)

    def check_costs(self, costs: Tensor) -> None:
        """See :class:`Oracle`; a cost that is not positive is refused too."""
        check_costs(costs)

    def admit(self, perturbed: Float64[Tensor, "B h w"]) -> Float64[Tensor, "B h w"]:
        """See :class:`Oracle`."""
        return perturbed.clamp_(min=SMALLEST_COST)

    def possible(self, targets: Tensor) -> Bool[Tensor, " B"]:
        """Ones that join the corners, none of them apart; a detour is a path too.

        The cheapest path past dear zeros takes none of those, and all of the ones where there is no
        detour. Only what is left needs a closer look.
        """
        tiles = math.prod(targets.shape[1:])
        marked = (targets == 1).cpu()
        _, totals = solve_grids(torch.where(marked, 1.0, tiles + 1.0).double().contiguous())
        joined = totals == marked.flatten(1).sum(dim=1)
        rest = ~joined & (totals <= tiles)
        if rest.any():
            joined[rest] = _in_one_piece(marked[rest])
        return super().feasible(targets) & joined.to(targets.device)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return (
            "1 on tiles that join the first one to the last by moves to neighbours, with no tile"
            " apart, 0 elsewhere"
        )


def _in_one_piece(marked: Bool[Tensor, "B h w"]) -> Bool[Tensor, " B"]:
    """Whether all marked tiles are reached from the first one by moves to marked neighbours."""
    reached = torch.zeros_like(marked)
    reached[:, 0, 0] = marked[:, 0, 0]
    while True:
        around = torch.nn.functional.max_pool2d(reached[:, None].float(), 3, stride=1, padding=1)
        grown = marked & around[:, 0].bool()
        if torch.equal(grown, reached):
            return (reached == marked).flatten(1).all(dim=1)
        reached = grown


@register_oracle
class SpanningTree(_OnGrids):
    """The cheapest tree that joins all tiles by moves to the 4 neighbours.

    An edge costs the mean of its two tiles, so that the tree costs <y, w> where w is half of each
    tile's degree. Costs may have any sign.
    """

    title = "Spanning tree"
    name: Literal["spanning_tree"] = "spanning_tree"

    def solve(self, costs: Float64[Tensor, "B h w"]) -> Tensor:
        """Half degrees, (B, h, w), in float64."""
        count, height, width = costs.shape
        chosen = self.edges(costs)
        ends = torch.from_numpy(grid_edges(height, width))
        half = torch.zeros((count, height * width), dtype=torch.float64)
        for end in ends:
            half.index_add_(1, end, chosen, alpha=0.5)
        return half.view(costs.shape)

    def edges(self, costs: Float64[Tensor, "B h w"]) -> Float64[Tensor, "B e"]:
        """Which edges of :func:`grid_edges` are of the cheapest tree: 1 or 0.

        Only the order of the edges' costs matters, so that Kruskal's algorithm gets their places;
        of edges that cost the same, the first is taken. All grids are one graph: its forest is
        found in one call.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import minimum_spanning_tree

        count, height, width = costs.shape
        tiles = height * width
        a, b = grid_edges(height, width)
        flat = costs.reshape(count, tiles).numpy() / 2
        price = (flat[:, a] + flat[:, b]).reshape(-1)
        place = np.empty(price.size)
        place[np.argsort(price, kind="stable")] = np.arange(1, price.size + 1)
        first = (np.arange(count) * tiles)[:, None]
        ends = ((first + a).reshape(-1), (first + b).reshape(-1))
        graph = csr_array((place, ends), shape=(count * tiles, count * tiles))
        kept = np.zeros(price.size + 1)
        kept[minimum_spanning_tree(graph).data.astype(np.int64)] = 1.0
        return torch.from_numpy(kept[place.astype(np.int64)].reshape(count, a.size))

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """Whether half degrees can be those of a tree.

        Each is at least 1/2 and at most half of the tile's neighbours. An edge joins a tile where
        row + column is even to one where it is odd: either half of the tiles holds half the edges.
        Not all that passes is a tree's.
        """
        halves = answers.double()
        height, width = halves.shape[1:]
        row, column = torch.arange(height)[:, None], torch.arange(width)
        around = (row > 0).int() + (row < height - 1).int() + (column > 0) + (column < width - 1)
        most = (around / 2).to(halves)
        doubled = 2 * halves
        whole = (doubled == doubled.round()) & (halves >= most.clamp(max=0.5)) & (halves <= most)
        edges = height * width - 1
        even = ((row + column) % 2 == 0).to(halves)
        sides = torch.stack([(doubled * side).sum(dim=(1, 2)) for side in (even, 1 - even)])
        return whole.flatten(1).all(dim=1) & (sides == edges).all(dim=0)

    def wanted(self) -> str:
        """See :class:`Oracle`."""
        return "half of each tile's degree in a tree that joins all tiles by moves to neighbours"


def grid_edges(height: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(2, e) both ends of each edge between neighbours in a row or a column, in raster order."""
    number = np.arange(height * width).reshape(height, width)
    a = np.concatenate([number[:, :-1].reshape(-1), number[:-1].reshape(-1)])
    b = np.concatenate([number[:, 1:].reshape(-1), number[1:].reshape(-1)])
    return np.stack([a, b]).astype(np.int64)
