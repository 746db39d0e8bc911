"""Each oracle against all answers that there are, on small instances."""

import itertools
from typing import Literal

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from newton_core.algorithms.oracles import (
    ORACLES,
    Oracle,
    OracleError,
    SpanningTree,
    build_oracle,
    register_oracle,
)
from newton_core.registry import DuplicateNameError, UnknownNameError
from tests.newton_core.algorithms.grid_references import all_paths
from tests.newton_core.algorithms.oracle_cases import CASES, OracleCase


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_are_the_best_of_all(case: OracleCase) -> None:
    costs = case.draw(300, torch.Generator().manual_seed(1))
    oracle, every = case.oracle(), case.answers().flatten(1)
    found = oracle.answer(costs.clone()).double().flatten(1)
    assert oracle.feasible(case.answers()).all()
    totals = costs.flatten(1) @ every.T
    torch.testing.assert_close((found * costs.flatten(1)).sum(dim=1), totals.min(dim=1).values)
    assert torch.equal(found, every[totals.argmin(dim=1)])
    assert len(found.unique(dim=0)) > 1


def test_counts_of_what_is_enumerated() -> None:
    counts = {case.name: len(case.answers().unique(dim=0)) for case in CASES}
    assert counts["shortest_path"] == len(all_paths(2, 3))
    assert counts["assignment"] == counts["ranking"] == 24
    assert counts["top_k"] == 10


def test_equal_edges_and_extreme_costs_still_make_trees() -> None:
    oracle = SpanningTree()
    for costs in (
        torch.zeros(2, 4, 5),
        torch.full((2, 4, 5), 1.7e308, dtype=torch.float64),
        -torch.ones(1, 1, 7),
    ):
        assert (oracle.edges(costs.double()).sum(dim=1) == costs[0].numel() - 1).all()
        oracle.answer(costs.double())
    assert oracle.answer(torch.ones(3, 1, 1).double()).eq(0).all()


@pytest.mark.parametrize(
    ("name", "parameters", "shape", "words"),
    [
        ("spanning_tree", {}, (2, 5), r"shape \(N, h, w\)"),
        ("assignment", {}, (2, 3, 4), r"shape \(N, n, n\), got \(2, 3, 4\)"),
        ("top_k", {"k": 4}, (2, 3), "k = 4 of 3 items"),
        ("ranking", {}, (2, 3, 3), r"shape \(N, m\)"),
        ("knapsack", {"weights": [1, 2]}, (2, 3), "2 weights for 3 items"),
    ],
)
def test_refuses_shapes_without_an_answer(name, parameters, shape, words) -> None:
    with pytest.raises(ValueError, match=words):
        build_oracle(name, **parameters).check_shape(shape)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_refuses_costs_that_are_not_finite(bad: float) -> None:
    costs = torch.ones(3, 4)
    costs[2, 1] = bad
    oracle = build_oracle("ranking")
    with pytest.raises(ValueError, match=r"finite, but sample 2 has (nan|inf) at position \(1,\)"):
        oracle.check_costs(costs)
    assert oracle.defined_at(costs).tolist() == [True, True, False]
    oracle.check_costs(-torch.ones(3, 4))


class _Wrong(Oracle):
    name: Literal["wrong"] = "wrong"
    value: float = 2.0
    flat: bool = False

    def solve(self, costs: Tensor) -> Tensor:
        answer = torch.full_like(costs, self.value)
        return answer[:, 0] if self.flat else answer


def test_an_infeasible_answer_is_one_sentence() -> None:
    costs = torch.ones(2, 3).double()
    with pytest.raises(OracleError, match="'wrong' gave an answer outside its set for row 0: 2, 2"):
        _Wrong().answer(costs)
    with pytest.raises(OracleError, match=r"shape of the costs \(2, 3\), but gave \(2,\)"):
        _Wrong(flat=True).answer(costs)
    assert _Wrong(value=1.0).answer(costs).eq(1).all()


class _Impostor(Oracle):
    name: Literal["top_k"] = "top_k"

    def solve(self, costs: Tensor) -> Tensor:
        return costs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_knows_what_is_outside_its_set(case: OracleCase) -> None:
    answers = case.answers()
    assert not case.oracle().feasible(answers + 0.25).any()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_says_what_a_target_must_be(case: OracleCase) -> None:
    oracle, targets = case.oracle(), case.answers()
    oracle.check_target(targets)
    oracle.check_target(targets[:0])
    targets[1] = -1
    with pytest.raises(
        ValueError, match=f"sample 1 .*'{case.name}': it must be .*{oracle.wanted()}"
    ):
        oracle.check_target(targets)


def test_a_target_for_paths_joins_the_corners() -> None:
    every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=6))).view(-1, 2, 3)
    # Two rows: moves go from each column to the next, so that each needs a tile.
    joined = (every[:, 0, 0] == 1) & (every[:, 1, 2] == 1) & (every[:, :, 1].sum(dim=1) > 0)
    assert torch.equal(build_oracle("shortest_path").possible(every), joined)


def test_degrees_that_no_road_net_has() -> None:
    tree = SpanningTree()
    row = torch.tensor([[[0.5, 1.0, 1.0, 0.5]], [[1.0, 0.5, 0.5, 1.0]], [[0.5, 1.5, 0.5, 0.5]]])
    assert tree.feasible(row).tolist() == [True, False, False]
    # Nine edges' worth of degrees, and yet more ends on one colour of the board than on the other.
    board = tree.solve(torch.zeros(1, 3, 3).double())
    board[0, 1, 1], board[0, 0, 1] = board[0, 1, 1] - 0.5, board[0, 0, 1] + 0.5
    assert not tree.feasible(board).any()


def test_names_are_registered_once_and_unknown_ones_refused() -> None:
    assert set(ORACLES.names()) >= {case.name for case in CASES}
    with pytest.raises(UnknownNameError, match="did you mean 'knapsack'"):
        build_oracle("knapsak")
    with pytest.raises(ValidationError):
        build_oracle("top_k", k=0)
    with pytest.raises(
        DuplicateNameError, match="a linear oracle named 'top_k' is already registered"
    ):
        register_oracle(_Impostor)


def test_knapsack_takes_nothing_that_costs() -> None:
    costs = torch.tensor([[1.0, 2.0, 0.5]]).double()
    assert build_oracle("knapsack", capacity=3).answer(costs).sum() == 0
    for picked in itertools.combinations(range(3), 2):
        chosen = torch.ones(1, 3).double()
        chosen[0, list(picked)] = -1.0
        found = build_oracle("knapsack", capacity=2).answer(chosen)
        assert found.nonzero()[:, 1].tolist() == list(picked)
