"""Angle and sizes of two steps as one compiled loop (numba; imported on first use).

Every logged step measures it, on a few hundred numbers: two dozen calls of a library take longer
than all that is computed.
"""

import math
from typing import no_type_check

import numpy as np

from newton_core.algorithms.compiled import compiled


@compiled(*(f"float64({f}[::1])" for f in ("float32", "float64")))
@no_type_check
def _largest(vector):
    """The largest absolute entry; infinite if one is not a finite number."""
    found = 0.0
    for i in range(len(vector)):
        size = abs(np.float64(vector[i]))
        if not size < np.inf:
            return np.inf
        found = max(found, size)
    return found


@compiled(*(f"float64({f}[::1], float64)" for f in ("float32", "float64")))
@no_type_check
def _length(vector, largest):
    """The Euclidean norm of the vector over its largest absolute entry: no square overflows."""
    total = 0.0
    for i in range(len(vector)):
        entry = vector[i] / largest
        total += entry * entry
    return math.sqrt(total)


@compiled(*(f"float64({f}[::1], {g}[::1])" for f in ("float32", "float64")
            for g in ("float32", "float64")))  # fmt: skip
@no_type_check
def angle(first, second):
    """2 atan2(|u - v|, |u + v|) in radians, of the unit vectors u and v along two vectors.

    NaN where a vector is zero, or has an entry that is not a finite number.
    """
    largest, other_largest = _largest(first), _largest(second)
    if not (0.0 < largest < np.inf and 0.0 < other_largest < np.inf):
        return np.nan
    length, other_length = _length(first, largest), _length(second, other_largest)
    apart = together = 0.0
    for i in range(len(first)):
        u, v = first[i] / largest / length, second[i] / other_largest / other_length
        apart += (u - v) * (u - v)
        together += (u + v) * (u + v)
    return 2.0 * math.atan2(math.sqrt(apart), math.sqrt(together))


@compiled(*(f"UniTuple(float64, 5)({f}[:, ::1], {g}[:, ::1])" for f in ("float32", "float64")
            for g in ("float32", "float64")))  # fmt: skip
@no_type_check
def sizes(first, second):
    """Mean norms of the rows of both, the second's mean square norm, cosine and :func:`angle`."""
    mean = other_mean = square = other_square = product = 0.0
    for i in range(len(first)):
        own = other = 0.0
        for j in range(first.shape[1]):
            u, v = np.float64(first[i, j]), np.float64(second[i, j])
            own += u * u
            other += v * v
            product += u * v
        mean += math.sqrt(own)
        other_mean += math.sqrt(other)
        square += own
        other_square += other
    count = len(first)
    cosine = product / (math.sqrt(square) * math.sqrt(other_square))
    if abs(cosine) > 1.0:  # by rounding
        cosine = math.copysign(1.0, cosine)
    turned = angle(first.reshape(first.size), second.reshape(second.size))
    return mean / count, other_mean / count, other_square / count, cosine, turned
