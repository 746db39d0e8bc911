"""Shortest paths on batches of grids: ours against scipy's csgraph and heaps in pure Python.

    python benchmarks/dijkstra.py [--grids 700] [--size 12] [--repeats 20]

700 grids of 12 x 12 are one training step of a smoothed loss: batch 70 and 10 noise samples. All
return the same path costs, which is checked. Times are the best of the repeats.
"""

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from newton_core.algorithms import shortest_path
from newton_core.algorithms.shortest_path import order_tiles

Costs = NDArray[np.float64]


def neighbours(row: int, column: int, height: int, width: int) -> list[tuple[int, int]]:
    """The up to 8 tiles around one."""
    return [
        (row + i, column + j)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i or j) and 0 <= row + i < height and 0 <= column + j < width
    ]


def heap_paths(costs: Costs) -> list[float]:
    """Pure Python with heapq on numpy arrays, one grid at a time: how the field writes it."""
    _, height, width = costs.shape
    totals = []
    for grid in costs:
        distances = np.full((height, width), np.inf)
        distances[0, 0] = grid[0, 0]
        done = np.zeros((height, width), bool)
        came_from: dict[tuple[int, int], tuple[int, int]] = {}
        queue = [(grid[0, 0], (0, 0))]
        while queue:
            distance, tile = heapq.heappop(queue)
            if done[tile]:
                continue
            done[tile] = True
            for other in neighbours(*tile, height, width):
                candidate = distance + grid[other]
                if not done[other] and candidate < distances[other]:
                    distances[other] = candidate
                    came_from[other] = tile
                    heapq.heappush(queue, (candidate, other))
        totals.append(_traced(distances, came_from))
    return totals


def tuned_heap_paths(costs: Costs) -> list[float]:
    """The same with lists in place of arrays and neighbours looked up: as fast as heapq goes."""
    _, height, width = costs.shape
    around = {(r, c): neighbours(r, c, height, width) for r in range(height) for c in range(width)}
    totals = []
    for grid in costs.tolist():
        distances = {(0, 0): grid[0][0]}
        came_from: dict[tuple[int, int], tuple[int, int]] = {}
        done = set()
        queue = [(grid[0][0], (0, 0))]
        while queue:
            distance, tile = heapq.heappop(queue)
            if tile in done:
                continue
            done.add(tile)
            for other in around[tile]:
                candidate = distance + grid[other[0]][other[1]]
                if candidate < distances.get(other, np.inf):
                    distances[other] = candidate
                    came_from[other] = tile
                    heapq.heappush(queue, (candidate, other))
        table = np.array([[distances[r, c] for c in range(width)] for r in range(height)])
        totals.append(_traced(table, came_from))
    return totals


def _traced(distances: Costs, came_from: dict[tuple[int, int], tuple[int, int]]) -> float:
    """Traces the path back into a 0/1 array, as all contestants do, and gives its cost."""
    path = np.zeros(distances.shape)
    tile = (distances.shape[0] - 1, distances.shape[1] - 1)
    total = float(distances[tile])
    while tile != (0, 0):
        path[tile] = 1
        tile = came_from[tile]
    return total


def scipy_paths(costs: Costs) -> list[float]:
    """One block-diagonal graph for the whole batch, its starts joined by a node of their own.

    The sparsity pattern is the same at every step, so building it is not timed, filling it in is.
    """
    count, height, width = costs.shape
    indptr, indices, root = _pattern(count, height, width)
    weights = costs.reshape(-1)[indices]
    graph = csr_array((weights, indices, indptr), shape=(root + 1, root + 1))
    distances, came_from = dijkstra(graph, indices=np.array([root]), return_predecessors=True)
    tiles = height * width
    paths = np.zeros(count * tiles)
    for end in range(tiles - 1, count * tiles, tiles):
        node = end
        while node != root:
            paths[node] = 1
            node = came_from[0, node]
    return [float(total) for total in distances[0, tiles - 1 : root : tiles]]


_PATTERNS: dict[tuple[int, int, int], tuple[NDArray[np.int32], NDArray[np.int32], int]] = {}


def _pattern(
    count: int, height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    key = (count, height, width)
    if key not in _PATTERNS:
        tiles = height * width
        rows = [
            [r * width + c for r, c in neighbours(*divmod(tile, width), height, width)]
            for tile in range(tiles)
        ]
        flat = np.array([other for row in rows for other in row], np.int32)
        lengths = np.array([len(row) for row in rows])
        starts = np.arange(count, dtype=np.int32) * tiles
        indices = np.concatenate([(flat[None] + starts[:, None]).reshape(-1), starts])
        counts = np.concatenate([np.tile(lengths, count), [count]])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        _PATTERNS[key] = (indptr, indices.astype(np.int32), count * tiles)
    return _PATTERNS[key]


def best_time(call: Callable[[], object], repeats: int) -> float:
    """The shortest of the repeats, in ms."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def first_call(cache: str) -> float:
    """Seconds of the first solve in a new process, imports of torch and numpy not counted."""
    script = (
        "import time, torch; from newton_core.algorithms import shortest_path;"
        "c = torch.ones(1, 12, 12); t = time.perf_counter(); shortest_path(c);"
        "print(time.perf_counter() - t)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", type=int, default=700)
    parser.add_argument("--size", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    shape = (options.grids, options.size, options.size)
    costs = np.random.default_rng(0).uniform(0.1, 2.0, shape)
    tensor = torch.from_numpy(costs)

    with tempfile.TemporaryDirectory() as cache:
        cold, warm = first_call(cache), first_call(cache)
    print(f"first call: {cold:.2f} s compiling, {warm:.2f} s from numba's cache on disk")

    found = shortest_path(tensor)
    ours = found.cost.numpy()
    np.testing.assert_allclose(ours, scipy_paths(costs), rtol=1e-12)
    np.testing.assert_allclose(ours, tuned_heap_paths(costs), rtol=1e-12)
    np.testing.assert_allclose(ours, heap_paths(costs), rtol=1e-12)
    for grid, path, cost in zip(costs, found.path.numpy(), ours, strict=True):
        np.testing.assert_allclose(sum(grid[t] for t in order_tiles(path)), cost, rtol=1e-12)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    single = best_time(lambda: shortest_path(tensor), options.repeats)
    torch.set_num_threads(threads)
    multi = best_time(lambda: shortest_path(tensor), options.repeats)
    block = best_time(lambda: scipy_paths(costs), max(3, options.repeats // 4))
    tuned = best_time(lambda: tuned_heap_paths(costs), 3)
    heap = best_time(lambda: heap_paths(costs), 3)
    rows = [
        ("newton_core, 1 thread", single),
        (f"newton_core, {threads} threads", multi),
        ("scipy csgraph, block diagonal", block),
        ("heapq on lists, tuned", tuned),
        ("heapq on arrays, the field's", heap),
    ]
    print(f"{options.grids} grids of {options.size} x {options.size}, paths and costs")
    for name, milliseconds in rows:
        ratio = milliseconds / single
        print(f"  {name:<30} {milliseconds:9.2f} ms   {ratio:7.1f} x ours on 1 thread")


if __name__ == "__main__":
    main()
