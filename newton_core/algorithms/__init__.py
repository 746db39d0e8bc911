"""Hard algorithms and the machinery inside the relaxed ones."""

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.algorithms.shortest_path import ShortestPaths, shortest_path

__all__ = ["ShortestPaths", "permutation_matrix", "shortest_path"]
