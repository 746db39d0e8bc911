"""Sums over rows in the order in which torch adds them on x86 processors with AVX2 or more.

torch sums the columns of a block row after row, in levels of some rows, and in columns that fill no
block every fourth row.
"""

from collections.abc import Callable
from typing import Any, no_type_check

import numpy as np
from numba.core.types import Type
from numba.extending import intrinsic

from newton_core.algorithms.compiled import compiled

BLOCK = 32
"""Columns that torch sums together."""

LEVEL = 16
"""Rows that torch sums before it adds them to those before."""


@intrinsic
def fused(_typing: object, a: Type, b: Type, c: Type) -> tuple[object, Callable[..., object]]:
    """a b + c, rounded once, as compilers have it of torch's product and sum in one operation."""

    def build(_context: object, builder: Any, _signature: object, values: Any) -> object:
        return builder.fma(*values)

    return a(a, b, c), build


@compiled("void(float32[:, ::1], float32[::1], float32[::1])")
@no_type_check
def add_rows(rows, part, total):
    """Fills ``total`` with the sum of up to 63 rows; ``part``, as long, is overwritten.

    More rows have a further level, and fewer than 8 columns another order.
    """
    count, columns = rows.shape
    main = columns // BLOCK * BLOCK
    for start in range(0, count, LEVEL):
        into = part if start else total
        into[:main] = 0
        for k in range(start, min(start + LEVEL, count)):
            row = rows[k]
            for c in range(main):
                into[c] += row[c]
        if start:
            for c in range(main):
                total[c] += part[c]
    fours = count // 4 * 4
    for c in range(main, columns):
        first = second = third = fourth = np.float32(0)
        for k in range(0, fours, 4):
            first += rows[k, c]
            second += rows[k + 1, c]
            third += rows[k + 2, c]
            fourth += rows[k + 3, c]
        for k in range(fours, count):
            first += rows[k, c]
        total[c] = ((first + second) + third) + fourth
