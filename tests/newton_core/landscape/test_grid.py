"""Grids: odd, symmetric, every point once, coarse to fine, stopped between chunks."""

import itertools

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from newton_core.landscape import Grid, GridValues, evaluate_coarse_to_fine, evaluate_grid


class Quadratic:
    """3 + a - 2 b + a b, noting what it was asked."""

    def __init__(self, chunk: int = 7) -> None:
        self.chunk = chunk
        self.asked: list[tuple[float, float]] = []

    def at(self, a: Tensor, b: Tensor) -> Tensor:
        assert len(a) <= self.chunk
        self.asked += list(zip(a.tolist(), b.tolist(), strict=True))
        return 3 + a - 2 * b + a * b

    def centre(self) -> float:
        return 3.0


def expected(patch: GridValues) -> Tensor:
    a, b = patch.a[None, :], patch.b[:, None]
    return 3 + a - 2 * b + a * b


@pytest.mark.parametrize("points", [3, 5, 9, 21, 41, 51, 101])
def test_axes_are_symmetric_around_an_exact_zero(points: int) -> None:
    a, b = Grid(points=points, span=0.3, second_span=7.0).axes()
    assert a[points // 2] == b[points // 2] == 0
    torch.testing.assert_close(a, -a.flip(0), rtol=0, atol=0)
    torch.testing.assert_close(a, torch.linspace(-0.3, 0.3, points, dtype=torch.float64))
    assert b[-1] == 7.0


@pytest.mark.parametrize("points", [2, 40, 103, 1, 0])
def test_even_or_extreme_grids_are_refused(points: int) -> None:
    with pytest.raises(ValidationError):
        Grid(points=points)


@pytest.mark.parametrize("points", [3, 5, 9, 21, 33, 41, 99, 101])
def test_every_level_is_complete_and_no_point_is_evaluated_twice(points: int) -> None:
    function = Quadratic()
    patches = list(evaluate_coarse_to_fine(function, Grid(points=points, second_span=2.0)))
    for patch in patches:
        torch.testing.assert_close(patch.values, expected(patch))
        assert patch.a[0] == -1
        assert patch.b[-1] == 2
        assert 0 in patch.a
    assert [patch.level for patch in patches] == list(range(patches[0].levels))
    for coarse, fine in itertools.pairwise(patches):
        assert set(coarse.a.tolist()) < set(fine.a.tolist())
    assert patches[-1].values.shape == (points, points)
    assert len(function.asked) == len(set(function.asked)) == points**2 - 1
    assert len(patches[0].a) <= 11


def test_all_at_once_equals_the_last_patch() -> None:
    grid = Grid(points=41)
    *_, last = evaluate_coarse_to_fine(Quadratic(), grid)
    torch.testing.assert_close(evaluate_grid(Quadratic(), grid).values, last.values, rtol=0, atol=0)


def test_stop_acts_between_chunks() -> None:
    function = Quadratic(chunk=10)
    patches = list(
        evaluate_coarse_to_fine(function, Grid(points=41), stop=lambda: len(function.asked) >= 50)
    )
    assert len(function.asked) <= 60
    assert patches
    assert patches[-1].level < patches[-1].levels - 1


def test_an_abandoned_stream_computes_nothing_more() -> None:
    function = Quadratic()
    stream = evaluate_coarse_to_fine(function, Grid(points=41))
    next(stream)
    asked = len(function.asked)
    del stream
    assert len(function.asked) == asked < 41**2 / 10
