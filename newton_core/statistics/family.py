"""Families of comparisons: who asks six questions is wrong more often than who asks one."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from newton_core.statistics.paired import PairedDifference

ALPHA = 0.05

VerdictKind = Literal["better", "worse", "not shown", "too few seeds"]


@dataclass(frozen=True)
class Verdict:
    """What a comparison shows, given all others of its table.

    Attributes:
        adjusted_p: the permutation test's p-value after Holm's correction (Holm 1979) over the
            family.
        kind: "not shown" never means that there is no difference, and "too few seeds" that no
            difference of any size could have been shown.
    """

    adjusted_p: float
    kind: VerdictKind


def p_in_words(p: float) -> str:
    """A p-value to three digits, never as 0.000: a permutation test's is at least 2^(1 - seeds)."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


@functools.lru_cache(maxsize=4096)
def _holm(p_values: tuple[float, ...]) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Which of a family Holm's method rejects, and the adjusted p-values.

    Each call of statsmodels collects garbage, 0.4 s in a server. Few seeds have few p-values, so
    that a thousand comparisons of a sweep share some calls.
    """
    from statsmodels.stats.multitest import multipletests

    rejected, adjusted, *_ = multipletests(p_values, ALPHA, method="holm")
    return tuple(map(bool, rejected)), tuple(map(float, adjusted))


def judge(
    differences: Sequence[PairedDifference],
    better: Literal["higher", "lower"] | None = "higher",
) -> tuple[Verdict, ...]:
    """The verdicts of a family: all arms of one table against its baseline.

    Args:
        differences: of the family, in any order.
        better: which values are better; None counts the higher ones.
    """
    if not differences:
        return ()
    rejected, adjusted = _holm(tuple(found.permutation_p for found in differences))
    sign = -1 if better == "lower" else 1
    verdicts = []
    for found, shown, p in zip(differences, rejected, adjusted, strict=True):
        kind: VerdictKind = "not shown"
        if shown:
            kind = "better" if sign * found.mean > 0 else "worse"
        elif found.smallest_p * len(differences) > ALPHA:
            kind = "too few seeds"
        verdicts.append(Verdict(p, kind))
    return tuple(verdicts)


def fewest_seeds(comparisons: int) -> int:
    """How many seeds a family needs at least before Holm can show anything: 7 for three arms."""
    return math.ceil(1 + math.log2(comparisons / ALPHA))
