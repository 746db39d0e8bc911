"""Linear oracles: each finds the w of a finite set that minimises <y, w>."""

from newton_core.algorithms.oracles.base import (
    ORACLES,
    AnyOracle,
    Oracle,
    OracleError,
    build_oracle,
    register_oracle,
)
from newton_core.algorithms.oracles.choices import Assignment, Knapsack, Ranking, TopK
from newton_core.algorithms.oracles.grids import ShortestPathOracle, SpanningTree

__all__ = [
    "ORACLES",
    "AnyOracle",
    "Assignment",
    "Knapsack",
    "Oracle",
    "OracleError",
    "Ranking",
    "ShortestPathOracle",
    "SpanningTree",
    "TopK",
    "build_oracle",
    "register_oracle",
]
