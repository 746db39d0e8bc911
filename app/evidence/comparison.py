"""A comparison of arms over seeds as a table, as a sentence and as a record."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from app.evidence.formats import number, words
from newton_core.experiment.comparison import ComparedArm, Comparison
from newton_core.metrics import MetricDescription
from newton_core.records import finite
from newton_core.statistics import detectable_effect, p_in_words, seeds_needed
from newton_core.statistics.family import fewest_seeds

COLUMNS = ("arm", "mean", "difference", "95 % interval", "p", "wins", "verdict")


def title_of(comparison: Comparison) -> str:
    """What the table compares."""
    metric, baseline = comparison.metric, comparison.arms[0]
    unit = " in %" if metric.kind == "share" else ""
    seeds = "1 seed" if comparison.seeds == 1 else f"{comparison.seeds} seeds"
    text = f"{words(metric)}{unit}, {seeds}, paired with {baseline.label}"
    if metric.better == "lower":
        text += ", lower is better"
    if any(arm.missed for arm in comparison.arms) and metric.worst is not None:
        text += f"; who never arrives counts as {number(metric, metric.worst)}, the most there are"
    return text


def rows_of(comparison: Comparison) -> list[list[str]]:
    """The cells under :data:`COLUMNS`, and last a note, mostly empty."""
    return [_row(comparison, arm) for arm in comparison.arms]


def _row(comparison: Comparison, arm: ComparedArm) -> list[str]:
    metric, found = comparison.metric, arm.difference
    mean = number(metric, arm.mean) if math.isfinite(arm.mean) else "-"
    if arm is comparison.arms[0]:
        return [arm.label, mean, "", "", "", "", "", arm.note]
    if found is None or arm.verdict is None:
        return [arm.label, mean, "-", "-", "-", "-", "-", arm.note]
    interval = "-"
    if math.isfinite(found.low):
        interval = _span(metric, found.low, found.high)
    return [
        arm.label,
        mean,
        number(metric, found.mean, "+"),
        interval,
        p_in_words(arm.verdict.adjusted_p),
        f"{found.improved:.0%}",
        arm.verdict.kind,
        arm.note,
    ]


def table_of(comparison: Comparison) -> Table:
    """The comparison for a terminal of 80 columns."""
    table = Table(title=title_of(comparison), title_justify="left", caption_justify="left")
    for column in COLUMNS:
        words_only = column in ("arm", "verdict")
        table.add_column(
            column,
            justify="left" if words_only else "right",
            no_wrap=column == "95 % interval",
            overflow="fold" if column == "arm" else "ellipsis",
        )
    rows = rows_of(comparison)
    noted = any(row[-1] for row in rows)
    if noted:
        table.add_column("note", overflow="fold")
    for row in rows:
        table.add_row(*(row if noted else row[:-1]))
    if len(comparison.arms) > 1:
        table.caption = caption_of(comparison)
    return table


_INTERVAL = "95 % interval "


def caption_of(comparison: Comparison) -> str:
    """How to read the p-values, and what so many seeds can show."""
    text = (
        "wins: share of the seeds in which it is better; p: sign-flip permutation test, with"
        " Holm's correction over the table's arms."
    )
    if any(arm.verdict and arm.verdict.kind == "too few seeds" for arm in comparison.arms):
        needed = _needed(comparison)
        text += f" {needed[0].upper()}{needed[1:]}."
    return text


def number_of_difference(comparison: Comparison, arm: ComparedArm) -> str:
    """An arm's mean difference and its interval, e.g. "+3.1 (+0.2 to +6.0)"."""
    found = arm.difference
    if found is None:
        return "-"
    span = ""
    if math.isfinite(found.low):
        span = f" ({_span(comparison.metric, found.low, found.high)})"
    return number(comparison.metric, found.mean, "+") + span


def sentence_of(comparison: Comparison) -> str:
    """What the comparison shows, in plain words."""
    metric, baseline = comparison.metric, comparison.arms[0]
    if len(comparison.arms) == 1:
        return f"One arm alone has nothing to be compared with: {baseline.label}."
    parts = []
    few: list[tuple[str, str]] = []
    for arm in comparison.arms[1:]:
        found, verdict = arm.difference, arm.verdict
        if found is None or verdict is None:
            parts.append(f"{arm.label} has no value in some seeds")
            continue
        size = _amount(metric, abs(found.mean))
        span = ""
        if math.isfinite(found.low):
            span = f" ({_INTERVAL}{_span(metric, found.low, found.high)})"
        if verdict.kind == "too few seeds":
            few.append((arm.label, span))
        elif verdict.kind == "not shown":
            parts.append(f"no difference of {arm.label} is shown{span}")
        else:
            parts.append(f"{arm.label} is {verdict.kind} by {size}{span}")
    if few:
        parts.append(_too_few(few))
        if len(few) > 1:
            parts[-1] += f"; {_needed(comparison)}"
    seeds = "one seed" if comparison.seeds == 1 else f"{comparison.seeds} seeds"
    return f"Against {baseline.label}, over {seeds}: {'; '.join(parts)}."


def _too_few(arms: Sequence[tuple[str, str]]) -> str:
    """Said once, of each arm with its interval, however many they are."""
    if len(arms) == 1:
        label, span = arms[0]
        return f"these are too few seeds to tell {label} from it{span}"
    first, *others = [f"{label}{span}" for label, span in arms]
    named = [first, *(other.replace(_INTERVAL, "") for other in others)]
    return f"these are too few seeds to tell {', '.join(named[:-1])} or {named[-1]} from it"


def _needed(comparison: Comparison) -> str:
    """How many seeds so many comparisons need."""
    others = sum(arm.verdict is not None for arm in comparison.arms)
    family = "one comparison needs" if others == 1 else f"{others} comparisons need"
    return f"{family} {fewest_seeds(others)} seeds to show anything"


def _amount(metric: MetricDescription, value: float) -> str:
    """The size of a difference, with its unit."""
    return number(metric, value) + (" points" if metric.kind == "share" else "")


def _span(metric: MetricDescription, low: float, high: float) -> str:
    return f"{number(metric, low, '+')} to {number(metric, high, '+')}"


def record_of(comparison: Comparison) -> dict[str, Any]:
    """A comparison for machines; what is not finite travels as null."""
    family = sum(arm.difference is not None for arm in comparison.arms)
    return {
        "comparison": {
            "metric": comparison.metric.name,
            "better": comparison.metric.better,
            "seeds": comparison.seeds,
            "sentence": sentence_of(comparison),
            "detectable_effect": finite(
                detectable_effect(comparison.seeds, comparisons=max(1, family))
            ),
            "arms": [
                {
                    "arm": arm.arm,
                    "label": arm.label,
                    "mean": finite(arm.mean),
                    "values": list(map(finite, arm.values)),
                    "diverged": arm.diverged,
                    "missed": arm.missed,
                    "reached": arm.reached,
                    "target_steps": arm.target_steps,
                    "target_seconds": arm.target_seconds,
                    "note": arm.note,
                }
                for arm in comparison.arms
            ],
        },
        "paired_differences": {
            arm.label: _difference_record(arm, family) for arm in comparison.arms[1:]
        },
    }


def _difference_record(arm: ComparedArm, family: int) -> dict[str, Any] | None:
    found = arm.difference
    if found is None or arm.verdict is None:
        return None
    size = found.effect_size
    wanted = math.isfinite(size) and size != 0
    return {
        "arm": arm.arm,
        "diverged": arm.diverged,
        **{
            key: finite(value) if isinstance(value, float) else value
            for key, value in asdict(found).items()
        },
        "adjusted_p": arm.verdict.adjusted_p,
        "verdict": arm.verdict.kind,
        "seeds_needed": seeds_needed(size, comparisons=family) if wanted else None,
    }


def plain_rows(comparison: Comparison) -> Sequence[dict[str, Any]]:
    """One flat record for each arm, full precision, for CSV."""
    record = record_of(comparison)
    rows = []
    for arm in record["comparison"]["arms"]:
        found = record["paired_differences"].get(arm["label"]) or {}
        flat = {key: value for key, value in arm.items() if key != "values"}
        own = {f"difference_{key}": found[key] for key in found if key not in flat}
        own |= {"difference_mean": found["mean"]} if found else {}
        rows.append({"metric": comparison.metric.name, **flat, **own})
    return rows
