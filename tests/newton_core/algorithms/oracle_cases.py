"""Small instances of each oracle, with every answer that there is."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from newton_core.algorithms.oracles import Oracle, build_oracle
from newton_core.algorithms.oracles.grids import grid_edges
from tests.newton_core.algorithms.grid_references import all_paths

WEIGHTS, CAPACITY = (2, 3, 1, 4), 5


@dataclass(frozen=True)
class OracleCase:
    """An oracle, the shape of its costs, and a function that lists its answers (A, *S)."""

    name: str
    shape: tuple[int, ...]
    answers: Callable[[], Tensor]
    parameters: dict[str, object] = field(default_factory=dict)

    def oracle(self) -> Oracle:
        return build_oracle(self.name, **self.parameters)

    def record(self) -> dict[str, object]:
        return {"name": self.name, **self.parameters}

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Costs of any sign, but for paths."""
        costs = torch.randn((count, *self.shape), generator=generator, dtype=torch.float64)
        return costs.abs() + 0.1 if self.name == "shortest_path" else costs


def trees() -> Tensor:
    """Half degrees of all spanning trees of the 2 x 3 grid, found by joining tiles in turn."""
    a, b = grid_edges(2, 3)
    found = []
    for chosen in itertools.combinations(range(len(a)), 5):
        part = list(range(6))
        half = torch.zeros(6, dtype=torch.float64)
        for edge in chosen:
            i, j = int(a[edge]), int(b[edge])
            part = [part[i] if one == part[j] else one for one in part]
            half[i] += 0.5
            half[j] += 0.5
        if len(set(part)) == 1:
            found.append(half.view(2, 3))
    assert len(found) == 15  # as Kirchhoff's theorem says of this grid
    return torch.stack(found)


def binary(items: int, keep: Callable[[tuple[int, ...]], bool]) -> Tensor:
    rows = [row for row in itertools.product((0, 1), repeat=items) if keep(row)]
    return torch.tensor(rows, dtype=torch.float64)


def permutations(items: int) -> Tensor:
    return torch.tensor(list(itertools.permutations(range(items))), dtype=torch.float64)


def weight(row: tuple[int, ...]) -> int:
    return sum(w * x for w, x in zip(WEIGHTS, row, strict=True))


CASES = (
    OracleCase("shortest_path", (2, 3), lambda: all_paths(2, 3).double()),
    OracleCase("spanning_tree", (2, 3), trees),
    OracleCase(
        "assignment", (4, 4), lambda: torch.eye(4, dtype=torch.float64)[permutations(4).long()]
    ),
    OracleCase("top_k", (5,), lambda: binary(5, lambda row: sum(row) == 2), {"k": 2}),
    OracleCase("ranking", (4,), lambda: permutations(4)),
    OracleCase(
        "knapsack",
        (4,),
        lambda: binary(4, lambda row: weight(row) <= CAPACITY),
        {"weights": list(WEIGHTS), "capacity": CAPACITY},
    ),
)
