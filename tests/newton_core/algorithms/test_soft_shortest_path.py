import pytest
import torch

from newton_core.algorithms import shortest_path
from newton_core.algorithms.soft_shortest_path import default_moves, soft_shortest_path
from tests.newton_core.algorithms.algovision_path import algovision_path
from tests.newton_core.algorithms.grid_references import all_paths, neighbours

LOOPS = ["for", "while"]


def random_costs(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1


@pytest.fixture(scope="module")
def clear_grids():
    """Random 4 x 4 grids whose best path leads by at least 0.05 over every other path."""
    paths = all_paths(4, 4).flatten(1)
    costs = random_costs((400, 4, 4))
    totals = costs.flatten(1) @ paths.T
    best = totals.topk(2, dim=1, largest=False).values
    return costs[best[:, 1] - best[:, 0] >= 0.05]


@pytest.mark.parametrize("loop", LOOPS)
def test_tends_to_the_hard_path(clear_grids, loop):
    assert len(clear_grids) > 100
    hard = shortest_path(clear_grids).path
    errors = [
        (soft_shortest_path(clear_grids, beta, loop=loop) - hard).abs().sum(dim=(1, 2))
        for beta in (5.0, 20.0, 200.0)
    ]
    assert (errors[2] < 0.01).all()
    assert errors[0].mean() > 4 * errors[1].mean() > 16 * errors[2].mean()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (3, 6), (12, 12)])
def test_is_a_share_of_each_tile(size, loop):
    costs = random_costs((3, *size))
    path = soft_shortest_path(costs, 3.0, loop=loop)
    assert path.shape == costs.shape
    assert path.min() >= 0
    assert path.max() <= 1 + 1e-12
    if loop == "for":
        assert (path[:, 0, 0] > 0.5).all()
        torch.testing.assert_close(path[:, -1, -1], torch.ones(3).double())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("beta", [0.7, 5.0])
def test_equals_plain_loops_over_tiles(beta, loop):
    """The definition, one tile and one move at a time."""
    costs = random_costs((2, 3, 4))
    expected = torch.stack([slow_soft_path(grid, beta, loop) for grid in costs])
    torch.testing.assert_close(soft_shortest_path(costs, beta, loop=loop), expected)


def slow_soft_path(costs, beta, loop):
    height, width = costs.shape
    tiles = [(r, c) for r in range(height) for c in range(width)]
    distance = dict.fromkeys(tiles, torch.inf) | {(0, 0): 0.0}
    step = {}
    for _ in range(default_moves(height, width)):
        before = dict(distance)
        for tile in tiles[1:]:
            around = neighbours(tile, height, width)
            known = torch.tensor([before[other] for other in around], dtype=torch.float64)
            if known.isinf().all():
                continue
            weights = (-beta * known).softmax(dim=0)
            finite = known.where(weights > 0, 0.0)
            distance[tile] = (weights @ finite + costs[tile]).item()
            step[tile] = dict(zip(around, weights.tolist(), strict=True))
    position = dict.fromkeys(tiles, 0.0) | {tiles[-1]: 1.0}
    collected = torch.zeros(height, width, dtype=torch.float64)
    result = torch.zeros(height, width, dtype=torch.float64)
    going = 1.0
    for _ in range(default_moves(height, width) + 1):
        if loop == "while":
            going *= torch.sigmoid(beta * (1 - collected[0, 0])).item()
        now = collected.clone()
        for tile in tiles:
            now[tile] = collected[tile] + position[tile] - collected[tile] * position[tile]
        result += going * (now - collected)
        collected = now
        after = dict.fromkeys(tiles, 0.0) | {(0, 0): position[0, 0]}
        for tile in tiles[1:]:
            for other, weight in step[tile].items():
                after[other] += position[tile] * weight
        position = after
    return result


@pytest.mark.parametrize("loop", LOOPS)
def test_agrees_with_algovision(loop):
    """The same algorithm in AlgoVision's own language, with the start tile made absorbing."""
    costs = random_costs((5, 6, 5)).requires_grad_(True)
    beta = 7.0
    moves = default_moves(6, 5)
    peer = algovision_path(6, 5, beta, moves, loop)(costs)
    ours = soft_shortest_path(costs, beta, loop=loop)
    torch.testing.assert_close(ours, peer)
    weights = random_costs((5, 6, 5), seed=1)
    (expected,) = torch.autograd.grad((peer * weights).sum(), costs)
    (gradient,) = torch.autograd.grad((ours * weights).sum(), costs)
    torch.testing.assert_close(gradient, expected)


def test_moves_bound_the_path_that_can_be_found() -> None:
    costs = torch.full((1, 5, 5), 500.0, dtype=torch.float64)
    costs[0, 0, :] = costs[0, 2, 0] = costs[0, 4, :] = 1.0
    costs[0, 1, 4] = costs[0, 2, :] = costs[0, 3, 0] = 1.0
    hard = shortest_path(costs).path
    assert hard.sum() == 13  # twelve moves
    assert default_moves(5, 5) == 11
    assert (soft_shortest_path(costs, 50.0, moves=12) - hard).abs().sum() < 1e-6
    assert (soft_shortest_path(costs, 50.0, moves=11) - hard).abs().sum() > 1


@pytest.mark.parametrize(("size", "moves"), [((12, 12), 25), ((4, 4), 7), ((1, 9), 9), ((1, 1), 1)])
def test_default_moves(size, moves):
    assert default_moves(*size) == moves


def test_refuses_fewer_moves_than_the_diagonal_has() -> None:
    with pytest.raises(ValueError, match="a 3 x 7 grid needs at least 6 moves, got 5"):
        soft_shortest_path(torch.ones(1, 3, 7), 1.0, moves=5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_follows_the_dtype_and_any_layout(dtype):
    costs = random_costs((2, 5, 4)).to(dtype)
    path = soft_shortest_path(costs.transpose(1, 2), 2.0)
    assert path.dtype == dtype
    torch.testing.assert_close(path, soft_shortest_path(costs.mT.contiguous(), 2.0))
