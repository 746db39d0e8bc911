"""What runs count as in comparisons over seeds."""

import math
from typing import Any

import pytest

from newton_core.experiment.comparison import Comparison, compare, compare_runs
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.metrics import MetricDescription, share_of_test
from tests.newton_core.training.specs import small_spec

SHARE = share_of_test("hit", "Hit", "tests", description="Hits.", sentence="hits {value}")
RATIO = MetricDescription("ratio", "Ratio", "times", "A ratio.", better="lower", bounds=(1.0, None))
TITLED = MetricDescription("hit", "Hit", "", "")


def arm(value: float | None, label: str = "A", **fields: Any) -> ArmSummary:
    metrics = {"hit": value, "ratio": value}
    record = {"label": label, "status": "completed", "step": 9, "metrics": metrics, "seconds": 1.0}
    return ArmSummary.model_validate({**record, **fields})


def compared(
    metric: MetricDescription, *seeds: tuple[ArmSummary, ...], start: float = 5.0
) -> Comparison:
    summaries = [
        Summary(
            arms=list(arms), step=9, seconds=1.0, primary_metric="hit",
            initial={"hit": start, "ratio": start},
        )
        for arms in seeds
    ]  # fmt: skip
    return compare(summaries, metric)


def test_an_arm_that_diverged_counts_as_the_worst_share() -> None:
    broken = arm(0.97, "B", status="diverged", step=220)
    found = compared(SHARE, *[(arm(0.9), broken)] * 3).arms[1]
    assert (found.values, found.mean, found.diverged) == ((0.0, 0.0, 0.0), 0.0, 3)
    assert found.note == "diverged in 3 of 3"
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(-0.9)
    assert found.difference.improved == 0.0


def test_without_a_worst_value_it_counts_as_the_initial_weights() -> None:
    found = compared(RATIO, (arm(1.1), arm(1.01, status="diverged")), start=4.5)
    assert found.arms[1].values == (4.5,)
    assert found.arms[1].difference is not None
    assert found.arms[1].difference.improved == 0.0


def test_a_value_that_is_not_finite_counts_the_same() -> None:
    assert compared(RATIO, (arm(1.1), arm(None)), start=4.5).arms[1].values == (4.5,)
    assert compared(SHARE, (arm(0.5), arm(None))).arms[1].values == (0.0,)
    assert compared(TITLED, (arm(0.5), arm(None)), start=0.1).arms[1].values == (0.1,)


def test_what_nobody_knows_is_not_compared() -> None:
    seed = Summary(arms=[arm(1.1), arm(None)], step=9, seconds=1.0, primary_metric="ratio")
    found = compare([seed], RATIO).arms[1]
    assert math.isnan(found.mean)
    assert found.difference is None


def test_lower_is_better_where_the_metric_says_so() -> None:
    seeds = [(arm(2.0), arm(1.5)), (arm(2.0), arm(2.5)), (arm(2.0), arm(1.0))]
    for metric, improved in ((RATIO, 2 / 3), (SHARE, 1 / 3)):
        found = compared(metric, *seeds).arms[1].difference
        assert found is not None
        assert found.improved == pytest.approx(improved)


def test_arms_are_told_apart_by_index() -> None:
    found = compared(SHARE, (arm(0.1, "A"), arm(0.2, "B"), arm(0.4, "B")))
    assert [entry.arm for entry in found.arms] == [0, 1, 2]
    assert [entry.mean for entry in found.arms] == [0.1, 0.2, 0.4]
    assert [entry.note for entry in found.arms] == ["", "", ""]


def test_with_a_target_steps_are_compared_and_those_that_never_arrive_are_counted() -> None:
    spec = small_spec(target=0.9, steps=300, arms=[{}, {"label": "B"}])
    early = arm(0.91, status="target", step=100)
    summaries = [
        Summary(arms=[early, other], step=300, seconds=1.0, primary_metric="hit")
        for other in (
            arm(0.95, "B", status="target", step=60),
            arm(0.89, "B", status="completed", step=300),
            arm(0.89, "B", status="diverged", step=200),
        )
    ]
    found = compare_runs(spec, summaries, SHARE)
    assert (found.metric.title, found.metric.better) == ("Steps to hit 90.0 %", "lower")
    assert [each.values for each in found.arms] == [(100.0,) * 3, (60.0, 300.0, 300.0)]
    assert found.arms[1].note == (
        "never arrived in 2 of 3, diverged in 1 of 3, median 60 steps, 1 s"
    )
    assert found.arms[1].difference is not None
    assert found.arms[1].difference.improved == pytest.approx(1 / 3)
    assert found.arms[0].note == "median 100 steps, 1 s"
    plain = compare_runs(small_spec(arms=[{}, {"label": "B"}]), summaries, SHARE)
    assert plain.metric is SHARE


@pytest.mark.parametrize("seeds", [[], [(arm(0.1),), (arm(0.1), arm(0.2))]])
def test_runs_of_different_arms_are_refused(seeds: list[tuple[ArmSummary, ...]]) -> None:
    with pytest.raises(ValueError, match="runs of the same arms"):
        compared(SHARE, *seeds)
