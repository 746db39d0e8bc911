"""How a batch's gradients are: vanishing, exploding, heavy-tailed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

VANISHING = 1e-6
"""Norm of a sample's output gradient below which nothing is learned from it."""
EXPLODING = 10.0
"""Norm above which one sample outweighs a batch: a mean cross-entropy's own is of order 1."""


@dataclass(frozen=True)
class GradientHealth:
    """What can be said of N per-sample gradient norms.

    Attributes:
        vanishing: share in [0, 1] below the lower threshold, zeros included.
        exploding: share above the upper threshold.
        non_finite: share that is NaN or infinite.
        median: of the finite norms, NaN if there are none; likewise the others.
        q90: 90 % quantile.
        q99: 99 % quantile.
        largest: the largest finite norm.
        tail: largest over median: of order 1 to 10 for a light tail; thousands mean that one sample
            rules the batch.
    """

    vanishing: float
    exploding: float
    non_finite: float
    median: float
    q90: float
    q99: float
    largest: float
    tail: float


def gradient_health(
    norms: Float[Tensor, " N"], vanishing: float = VANISHING, exploding: float = EXPLODING
) -> GradientHealth:
    """Shares beyond two thresholds, and the tail of the distribution.

    Args:
        norms: norm of each sample's output gradient, N >= 1.
        vanishing: norms below it have vanished.
        exploding: norms above it explode.

    Raises:
        ValueError: there is no norm, or the thresholds are in the wrong order.
    """
    if len(norms) == 0:
        raise ValueError("there is no gradient to judge")
    if not 0 <= vanishing < exploding:
        raise ValueError(f"thresholds must ascend, got {vanishing} and {exploding}")
    norms = norms.detach().double().cpu()
    is_finite = torch.isfinite(norms)
    finite = norms[is_finite] if is_finite.any() else norms.new_tensor([torch.nan])
    levels = norms.new_tensor([0.5, 0.9, 0.99, 1.0])
    median, q90, q99, largest = torch.quantile(finite, levels).tolist()
    return GradientHealth(
        vanishing=(finite < vanishing).sum().item() / len(norms),
        exploding=(finite > exploding).sum().item() / len(norms),
        non_finite=(~is_finite).double().mean().item(),
        median=median,
        q90=q90,
        q99=q99,
        largest=largest,
        tail=largest / median if median > 0 else torch.nan,
    )


def histogram_shares(
    log10_edges: Sequence[float],
    counts: Sequence[int],
    zero: int,
    non_finite: int,
    vanishing: float = VANISHING,
    exploding: float = EXPLODING,
) -> tuple[float, float, float]:
    """(vanishing, exploding, non-finite) shares from the histogram of a ``curvature`` event.

    A bin that a threshold cuts is shared out as if its norms were even on the log axis; on a bin
    edge, such as the defaults, the shares are exact. Zeros have vanished. All 0 for no samples.

    Args:
        log10_edges: E + 1 ascending edges, log10 of the norm; the outer bins take what lies beyond.
        counts: E counts.
        zero: how many norms are exactly zero.
        non_finite: how many are NaN or infinite.
        vanishing: norms below it have vanished.
        exploding: norms above it explode.
    """
    edges = torch.tensor(log10_edges, dtype=torch.float64)
    heights = torch.tensor(counts, dtype=torch.float64)
    total = heights.sum().item() + zero + non_finite
    if total == 0:
        return 0.0, 0.0, 0.0
    width = edges.diff()
    low, high = torch.tensor([vanishing, exploding], dtype=torch.float64).log10()
    below = (((low - edges[:-1]) / width).clamp(0, 1) * heights).sum().item() + zero
    above = (((edges[1:] - high) / width).clamp(0, 1) * heights).sum().item()
    return below / total, above / total, non_finite / total
