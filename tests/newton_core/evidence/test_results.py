"""What a row says of the paper's numbers."""

import math

import pytest
from scipy import stats

from newton_core.evidence.markdown import markdown
from newton_core.evidence.protocols import Published
from newton_core.evidence.results import (
    Interval,
    Result,
    RowResult,
    TuningRecord,
    arm_results,
    beside_paper,
    leaves_open,
    metric_record,
    tuning_minutes,
    verdict_in_words,
    verdict_of,
)
from newton_core.experiment.comparison import compare
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.tasks.ranking import EXACT_MATCH

VANILLA = [0.20, 0.24, 0.22, 0.26, 0.21, 0.25, 0.23, 0.22]
FISHER = [0.30, 0.33, 0.35, 0.31, 0.34, 0.36, 0.30, 0.35]


def summaries() -> list[Summary]:
    return [
        Summary(
            arms=[
                ArmSummary(
                    label=label, status="completed", step=1, seconds=1.0,
                    metrics={"exact_match": values[seed]},
                )
                for label, values in (("Vanilla", VANILLA), ("Fisher", FISHER))
            ],
            step=1, seconds=1.0, primary_metric="exact_match",
        )
        for seed in range(len(VANILLA))
    ]  # fmt: skip


def row(**fields: object) -> RowResult:
    paper = {"Vanilla": Published(0.2426), "Fisher": Published(0.3923, 0.05)}
    made = {
        "title": "NeuralSort",
        "metric": metric_record(EXACT_MATCH),
        "arms": arm_results(compare(summaries(), EXACT_MATCH), paper),
        "seeds": list(range(8)),
        "specs": [],
        "minutes": 2.0,
    }
    return RowResult(**{**made, **fields})


def tuning(key: str) -> TuningRecord:
    return TuningRecord(key=key, points=9, seeds=[10_000], steps=10, minutes=3.0)


@pytest.mark.parametrize(
    ("low", "high", "published", "verdict"),
    [
        (0.1, 0.3, 0.2, "reproduced"),
        (-0.1, 0.3, 0.2, "reproduced"),
        (0.1, 0.3, 0.5, "same direction"),
        (-0.3, -0.1, -0.5, "same direction"),
        (-0.1, 0.1, 0.5, "not shown"),
        (-0.3, -0.1, 0.2, "opposite"),
        (None, None, 0.2, None),
    ],
)
def test_a_gain_is_held_against_the_papers(low, high, published, verdict):
    mean = None if low is None else (low + high) / 2
    assert verdict_of(Interval(mean=mean, low=low, high=high), published) == verdict


def test_beside_a_spread_the_interval_is_welchs():
    found = beside_paper(FISHER, Published(0.3923, 0.05))
    mean, sd = stats.tmean(FISHER), stats.tstd(FISHER)
    wanted = stats.ttest_ind_from_stats(mean, sd, len(FISHER), 0.3923, 0.05, 10, equal_var=False)
    # scipy gives no interval from such numbers: it is where the test's p is 0.05.
    for end in (found.low, found.high):
        shifted = stats.ttest_ind_from_stats(
            mean - end, sd, len(FISHER), 0.3923, 0.05, 10, equal_var=False
        )
        assert shifted.pvalue == pytest.approx(0.05)
    assert found.mean == pytest.approx(mean - 0.3923)
    assert (wanted.pvalue < 0.05) == (not found.low <= 0 <= found.high)


def test_beside_a_lone_number_the_interval_is_ours():
    found = beside_paper(FISHER, Published(0.3923))
    wanted = stats.ttest_1samp(FISHER, 0.3923).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low - 0.3923, wanted.high - 0.3923))
    assert beside_paper([0.3], Published(0.2)) is None
    assert beside_paper([0.3, math.nan], Published(0.2)) is None


def test_arms_stand_beside_the_paper():
    vanilla, fisher = row().arms
    assert vanilla.gain is None
    assert vanilla.verdict is None
    assert fisher.gain.low < fisher.gain.mean < fisher.gain.high
    assert fisher.paper.mean == 0.3923
    assert fisher.verdict == "same direction"
    (sentence,) = [words for _, words in row().sentences]
    assert "+14.97" not in sentence  # shares are told in per cent with one digit
    assert "+15.0" in sentence


def test_a_gain_is_left_open_where_zero_lies_in_its_interval_too():
    found = row()
    vanilla, fisher = found.arms
    wide = fisher.model_copy(
        update={
            "verdict": "reproduced",
            "gain": fisher.gain.model_copy(update={"low": -0.1, "high": 0.3}),
        }
    )
    assert leaves_open(found, wide)
    assert verdict_in_words(found, wide).endswith("the paper's +15.0 lies in it, and so does zero.")
    assert not leaves_open(found, fisher)
    none = wide.model_copy(update={"paper": vanilla.paper})
    assert not leaves_open(found, none), "the paper has no gain here: zero is its number"


def test_a_tuning_that_rows_share_counts_once():
    rows = [row(tuning=tuning("a")), row(tuning=tuning("a")), row(tuning=tuning("b"))]
    assert tuning_minutes(rows) == 6.0


def test_the_page_says_what_does_not_reproduce_and_how_it_was_made():
    result = Result(
        name="table1-small", protocol="table1", scale="small", title="Ranking", source="Table 1",
        command="newton-lab reproduce table1 --scale small", versions={"torch": "2"},
        device="cpu", processes=2, date="2026-01-01T00:00:00+00:00", complete=False, minutes=2.0,
        tuning_minutes=3.0, rows=[row(tuning=tuning("a"))],
    )  # fmt: skip
    page = markdown(result)
    for words in (
        "## What does not reproduce here", "**33.0**", "| 24.3 |", "39.2 ± 5.0",
        "newton-lab reproduce table1 --scale small", "seeds from 10,000 on", "Not complete",
    ):  # fmt: skip
        assert words in page
    assert Result.model_validate_json(result.model_dump_json()) == result
