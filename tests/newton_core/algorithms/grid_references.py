"""Slow, obvious shortest paths that the fast ones are tested against."""

import heapq
import itertools

import torch
from torch import Tensor


def neighbours(tile: tuple[int, int], height: int, width: int) -> list[tuple[int, int]]:
    """The up to 8 neighbours of a tile, in raster order."""
    row, column = tile
    return [
        (row + i, column + j)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i or j) and 0 <= row + i < height and 0 <= column + j < width
    ]


def heap_distances(costs: list[list[float]]) -> dict[tuple[int, int], float]:
    """Dijkstra's algorithm with a heap, from the top-left tile to all tiles."""
    height, width = len(costs), len(costs[0])
    settled: dict[tuple[int, int], float] = {}
    queue = [(costs[0][0], (0, 0))]
    while queue:
        distance, tile = heapq.heappop(queue)
        if tile in settled:
            continue
        settled[tile] = distance
        for row, column in neighbours(tile, height, width):
            if (row, column) not in settled:
                heapq.heappush(queue, (distance + costs[row][column], (row, column)))
    return settled


def heap_path(costs: Tensor) -> tuple[Tensor, float]:
    """The path (h, w) and its cost, ties broken as the library documents it."""
    height, width = costs.shape
    distances = heap_distances(costs.double().tolist())
    path = torch.zeros(height, width, dtype=torch.float64)
    tile = (height - 1, width - 1)
    path[tile] = 1
    while tile != (0, 0):
        tile = min(neighbours(tile, height, width), key=lambda other: distances[other])
        path[tile] = 1
    return path, distances[height - 1, width - 1]


def all_paths(height: int, width: int) -> Tensor:
    """Every simple path from corner to corner as 0/1 tiles, (P, h, w); for small grids only."""
    found = []
    stack = [[(0, 0)]]
    while stack:
        path = stack.pop()
        if path[-1] == (height - 1, width - 1):
            found.append(path)
            continue
        stack += [[*path, t] for t in neighbours(path[-1], height, width) if t not in path]
    paths = torch.zeros(len(found), height, width, dtype=torch.float64)
    for i, path in enumerate(found):
        for tile in path:
            paths[i][tile] = 1
    return paths


def path_cost(costs: Tensor, tiles: list[tuple[int, int]]) -> float:
    """Sum of the costs along ordered tiles, after checking that each move goes to a neighbour."""
    for a, b in itertools.pairwise(tiles):
        assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1, (a, b)
    return sum(costs[tile].item() for tile in tiles)
