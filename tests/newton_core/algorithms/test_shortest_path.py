import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from newton_core.algorithms import shortest_path
from newton_core.algorithms.shortest_path import order_tiles
from tests.newton_core.algorithms.grid_references import all_paths, heap_path, path_cost

TERRAIN = torch.tensor([0.8, 1.2, 5.3, 7.7, 9.2])


def random_costs(shape, seed=0, *, ties=False):
    generator = torch.Generator().manual_seed(seed)
    if ties:
        return TERRAIN[torch.randint(5, shape, generator=generator)]
    return torch.rand(shape, generator=generator) + 0.01


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 7), (6, 1), (2, 2), (3, 3), (5, 9), (12, 12), (18, 18), (30, 24), (64, 64)]
)
def test_equals_the_heap_to_the_last_bit(size, ties):
    costs = random_costs((3, *size), ties=ties)
    found = shortest_path(costs)
    for i, grid in enumerate(costs):
        path, cost = heap_path(grid)
        assert torch.equal(found.path[i].double(), path)
        assert found.cost[i].item() == cost


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    values=st.lists(
        st.floats(1e-6, 1e6) | st.sampled_from([1.0, 2.0, 3.0]), min_size=81, max_size=81
    ),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_heap_on_any_costs(height, width, values):
    costs = torch.tensor(values[: height * width], dtype=torch.float64).view(1, height, width)
    found = shortest_path(costs)
    path, cost = heap_path(costs[0])
    assert found.cost.item() == cost
    assert torch.equal(found.path[0], path)


def test_is_the_best_of_all_paths() -> None:
    costs = random_costs((50, 3, 4)).double()
    paths = all_paths(3, 4)
    totals = torch.einsum("nhw,phw->np", costs, paths)
    found = shortest_path(costs)
    torch.testing.assert_close(found.cost, totals.min(dim=1).values)
    assert torch.equal(found.path, paths[totals.argmin(dim=1)])


def test_follows_a_winding_corridor() -> None:
    costs = torch.full((1, 21, 21), 1000.0)
    costs[0, ::2] = 1.0
    for turn, row in enumerate(range(1, 21, 2)):
        costs[0, row, -1 if turn % 2 == 0 else 0] = 1.0
    path, cost = heap_path(costs[0])
    found = shortest_path(costs)
    assert found.cost.item() == cost < 1000
    assert torch.equal(found.path[0].double(), path)


def test_constant_costs_take_the_diagonal() -> None:
    found = shortest_path(torch.full((1, 12, 12), 2.0))
    assert torch.equal(found.path[0], torch.eye(12))
    assert found.cost.item() == 24.0


@pytest.mark.parametrize("count", [1, 31, 33, 1500])
def test_a_batch_equals_its_grids_one_by_one(count):
    """Also across the blocks of the kernel and the threads that share a large batch."""
    costs = random_costs((count, 12, 12), ties=True)
    found = shortest_path(costs)
    assert torch.equal(found.path, shortest_path(costs).path)
    for i in range(0, count, max(1, count // 40)):
        alone = shortest_path(costs[i : i + 1])
        assert torch.equal(found.path[i], alone.path[0])
        assert found.cost[i] == alone.cost[0]


def test_an_empty_batch_has_no_paths() -> None:
    found = shortest_path(torch.ones(0, 4, 5))
    assert found.path.shape == (0, 4, 5)
    assert found.cost.shape == (0,)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_follows_the_dtype_and_any_layout(dtype):
    costs = random_costs((4, 6, 5), ties=True).to(dtype).transpose(1, 2)
    found = shortest_path(costs)
    assert found.path.dtype == dtype
    assert found.cost.dtype == torch.float64
    assert torch.equal(found.path, shortest_path(costs.contiguous()).path)
    totals = (found.path.double() * costs.double()).sum(dim=(1, 2))
    torch.testing.assert_close(found.cost, totals)


def test_costs_that_vanish_in_the_sum_still_give_a_path() -> None:
    """1e20 + 1e-6 is 1e20: distances alone no longer say where a path came from."""
    costs = torch.full((2, 7, 7), 1e-6, dtype=torch.float64)
    costs[:, 0, 0] = 1e20
    costs[1, 3, 1:6] = 1e5
    found = shortest_path(costs)
    for grid, path in zip(costs, found.path, strict=True):
        tiles = order_tiles(path.numpy())
        assert len(tiles) == path.sum()
        assert path_cost(grid, tiles) == pytest.approx(1e20, rel=1e-12)
    assert found.cost.tolist() == [1e20, 1e20]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("bad", [0.0, -0.2, float("nan"), float("inf"), -float("inf"), 1e301])
def test_refuses_bad_costs_by_sample_and_tile(bad, dtype):
    costs = random_costs((4, 3, 5)).to(dtype)
    bad = torch.tensor(bad, dtype=torch.float64).to(dtype)  # 1e301 is infinite in half precision
    costs[2, 1, 4] = bad
    with pytest.raises(ValueError, match=r"positive and finite.*sample 2 .*\(row 1, column 4\)$"):
        shortest_path(costs)
    costs[3] = bad
    with pytest.raises(ValueError, match=r"sample 2 .*; 15 more like it"):
        shortest_path(costs)


def test_refuses_grids_without_tiles() -> None:
    with pytest.raises(ValueError, match="at least one tile"):
        shortest_path(torch.ones(2, 0, 3))


def test_order_tiles_walks_the_path() -> None:
    path = shortest_path(random_costs((1, 9, 7))).path[0]
    tiles = order_tiles(path.numpy())
    assert tiles[0] == (0, 0)
    assert tiles[-1] == (8, 6)
    assert len(set(tiles)) == len(tiles) == path.sum()
    path_cost(torch.ones(9, 7), tiles)


@pytest.mark.parametrize("gap", [(0, 0), (2, 2), (4, 4)])
def test_order_tiles_refuses_gaps(gap):
    path = torch.eye(5)
    path[gap] = 0
    with pytest.raises(ValueError, match="do not join"):
        order_tiles(path.numpy())


def run_python(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


def test_works_where_no_cache_can_be_written() -> None:
    """As in a read-only container: numba then finds no place for what it compiles."""
    script = """
import numba.core.caching as caching
def refuse(self):
    raise OSError("Read-only file system")
caching._CacheLocator.ensure_cache_path = refuse
import torch
from newton_core.algorithms import shortest_path
print(shortest_path(torch.ones(1, 3, 3)).cost.item())
"""
    done = run_python(script)
    assert done.stdout.strip() == "3.0", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_works_in_a_forked_child_after_the_parent_used_threads() -> None:
    """Torch's own threads do not survive a fork either, hence the inner function and numpy."""
    script = """
import os, torch
from newton_core.algorithms.shortest_path import solve_grids
torch.set_num_threads(4)
costs = torch.ones(2000, 12, 12, dtype=torch.float64)
total = solve_grids(costs)[1].numpy().sum()
child = os.fork()
if child == 0:
    os._exit(0 if solve_grids(costs)[1].numpy().sum() == total == 24000 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = run_python(script)
    assert done.stdout.strip() == "0", done.stderr
