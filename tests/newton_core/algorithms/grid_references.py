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
    """Every set of tiles that some simple path from corner to corner visits, (P, h, w) of 0/1."""
    tiles = height * width
    around = [
        [r * width + c for r, c in neighbours(divmod(tile, width), height, width)]
        for tile in range(tiles)
    ]
    found: set[int] = set()
    seen = {(0, 1)}  # (last tile, visited tiles as bits)
    stack = [(0, 1)]
    while stack:
        tile, visited = stack.pop()
        if tile == tiles - 1:
            found.add(visited)
            continue
        for other in around[tile]:
            state = (other, visited | 1 << other)
            if not visited >> other & 1 and state not in seen:
                seen.add(state)
                stack.append(state)
    bits = [[visited >> tile & 1 for tile in range(tiles)] for visited in sorted(found)]
    return torch.tensor(bits, dtype=torch.float64).view(-1, height, width)


def path_cost(costs: Tensor, tiles: list[tuple[int, int]]) -> float:
    """Sum of the costs along ordered tiles, after checking that each move goes to a neighbour."""
    for a, b in itertools.pairwise(tiles):
        assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1, (a, b)
    return sum(costs[tile].item() for tile in tiles)
