"""A comparison as a sentence, a table, a record and a file."""

import csv
import importlib.util
import io
import json
from pathlib import Path

import pytest

from app.evidence.comparison import record_of, rows_of, sentence_of, title_of
from app.evidence.exports import as_csv, as_latex, as_markdown, write
from app.figures.forest import forest
from app.results import OutputError
from newton_core.experiment.comparison import Comparison, compare
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.tasks import TASKS
from tests.app.command import Lab
from tests.app.harness import tiny_spec

VALUES = {
    "Vanilla": [0.20, 0.21, 0.19, 0.22, 0.18, 0.20, 0.21, 0.19],
    "Fisher & friends": [0.31, 0.29, 0.30, 0.33, 0.27, 0.32, 0.30, 0.28],
    "=2+2": [0.20, 0.22, 0.18, 0.23, 0.17, 0.21, 0.20, 0.19],
}


def compared(seeds: int = 8, lost: int | None = None) -> Comparison:
    """Arms over seeds; the last one diverged in seed ``lost``."""
    summaries = [
        Summary(
            arms=[
                ArmSummary(
                    label=label,
                    status="diverged" if arm == 2 and seed == lost else "completed",
                    step=5,
                    metrics={"exact_match": values[seed]},
                    seconds=1.0,
                )
                for arm, (label, values) in enumerate(VALUES.items())
            ],
            step=5,
            seconds=1.0,
            primary_metric="exact_match",
        )
        for seed in range(seeds)
    ]
    return compare(summaries, TASKS.get("ranking").describe("exact_match"))


def test_the_sentence_says_what_is_shown_and_what_is_not() -> None:
    said = sentence_of(compared())
    assert "over 8 seeds" in said
    assert "Fisher & friends is better by 10.0 points (95 % interval +8.8 to +11.2)" in said
    assert "no difference of =2+2 is shown" in said
    few = sentence_of(compared(5))
    assert "too few seeds to tell Fisher & friends" in few
    assert "no difference" not in few
    assert few.count("too few seeds") == few.count("95 % interval") == 1
    assert "or =2+2 (" in few
    assert few.endswith("from it; 2 comparisons need 7 seeds to show anything.")


def test_the_record_holds_every_number() -> None:
    record = record_of(compared())
    found = record["paired_differences"]["Fisher & friends"]
    assert found["permutation_p"] == found["smallest_p"] == 2 / 2**8
    assert found["adjusted_p"] == 2 * found["permutation_p"]
    assert (found["verdict"], found["seeds_needed"]) == ("better", 3)
    assert record["comparison"]["detectable_effect"] > 1
    json.dumps(record, allow_nan=False)


def test_arms_that_diverged_are_named_in_the_table() -> None:
    assert rows_of(compared(lost=3))[2][-1] == "diverged in 1 of 8"
    assert "exact match in %, 8 seeds, paired with Vanilla" in title_of(compared())


def test_files_hold_the_table_in_their_own_language() -> None:
    comparison = compared()
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [row["label"] for row in rows] == ["Vanilla", "Fisher & friends", "'=2+2"]
    assert float(rows[1]["mean"]) == pytest.approx(0.3)
    assert float(rows[1]["difference_mean"]) == pytest.approx(0.1)
    markdown = as_markdown(comparison)
    assert "| Fisher & friends | 30.0 | +10.0 | +8.8 to +11.2 |" in markdown
    assert sentence_of(comparison) in markdown
    latex = as_latex(comparison)
    assert r"Fisher \& friends & 30.0 & +10.0" in latex
    assert r"exact match in \%" in latex
    assert latex.count("&") - latex.count(r"\&") == 6 * (1 + len(VALUES))


def test_the_forest_plot_has_a_row_for_each_arm_but_the_first() -> None:
    figure = forest(compared())
    means = [trace for trace in figure.data if trace.error_x.array is not None]
    assert [(trace.y[0], round(trace.x[0], 6)) for trace in means] == [
        ("Fisher & friends", 10.0),
        ("=2+2", 0.0),
    ]
    assert means[0].marker.symbol == "square"  # shown
    assert means[1].marker.symbol == "square-open"
    with pytest.raises(ValueError, match="second arm"):
        forest(Comparison(compared().metric, compared().arms[:1], 8))


def test_train_writes_table_and_plot(newton_lab: Lab, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(tiny_spec(steps=3)))
    table, plot = tmp_path / "t.md", tmp_path / "f.html"
    assert newton_lab("train", spec, "--seeds", "2", "--table", table, "--forest", plot) == 0
    assert "| Fisher |" in table.read_text()
    assert "plotly" in plot.read_text()
    assert "exists already" in newton_lab.refuses("train", spec, "--table", table)
    assert ".csv, .md, .tex" in newton_lab.refuses("train", spec, "--table", tmp_path / "t.doc")
    assert "are the same file" in newton_lab.refuses(
        "train", spec, "--table", tmp_path / "x.md", "--out", tmp_path / "x.md"
    )


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is not None, reason="kaleido is here")
def test_without_kaleido_a_drawn_plot_is_one_clear_line(newton_lab: Lab, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(tiny_spec(steps=3)))
    said = newton_lab.refuses("train", spec, "--forest", tmp_path / "f.svg")
    assert "newton-lab[figures]" in said


def test_a_plot_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write("--forest", compared(), tmp_path / "nowhere" / "f.html")
