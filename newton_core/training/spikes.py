"""Gradients that are far larger than those of the last steps."""

import statistics
from collections import deque

from newton_core.metrics import SPIKE_FACTOR

SPIKE_WINDOW = 101
"""Steps that the running median looks back on: long against noise, short against training."""
SPIKE_EXPERIENCE = 10
"""A spike needs this many earlier gradients that are not zero: fewer do not tell what is usual."""


def spike(largest: float, recent_norms: deque[float]) -> tuple[float, float] | None:
    """(largest norm, running median) if this batch, which counts from now on, is a spike.

    Args:
        largest: per-sample gradient norm of the batch.
        recent_norms: those of the last steps; this one is added.
    """
    past = list(recent_norms)
    recent_norms.append(largest)
    if largest <= SPIKE_FACTOR * min(past, default=0.0):  # the median is no less
        return None
    usual = [norm for norm in past if norm > 0]  # zeros tell no size
    if len(usual) < SPIKE_EXPERIENCE:
        return None
    median = statistics.median(usual)
    return (largest, median) if largest > SPIKE_FACTOR * median else None
