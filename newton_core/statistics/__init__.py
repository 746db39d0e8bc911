"""Comparisons over seeds: intervals, p-values, verdicts of a family, and seeds that are needed."""

from newton_core.statistics.family import Verdict, VerdictKind, judge, p_in_words
from newton_core.statistics.paired import PairedDifference, paired_difference
from newton_core.statistics.planning import detectable_effect, seeds_needed

__all__ = [
    "PairedDifference",
    "Verdict",
    "VerdictKind",
    "detectable_effect",
    "judge",
    "p_in_words",
    "paired_difference",
    "seeds_needed",
]
