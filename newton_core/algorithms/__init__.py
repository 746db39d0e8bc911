"""Hard algorithms and the machinery inside the relaxed ones."""

from newton_core.algorithms.permutations import permutation_matrix

__all__ = ["permutation_matrix"]
