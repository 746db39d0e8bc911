"""Discrete algorithms, and the parts from which their relaxations are made."""

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.algorithms.shortest_path import ShortestPaths, shortest_path

__all__ = ["ShortestPaths", "permutation_matrix", "shortest_path"]
