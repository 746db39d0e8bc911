"""The forest plot and README's part of a table of components say what the table says."""

import re
from pathlib import Path

import pytest

from app.figures.components import components, ends
from newton_core.evidence.results import Result, RowResult, arm_results, metric_record
from newton_core.experiment.arms import ARM_LABELS
from newton_core.experiment.comparison import compare
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.metrics import MetricDescription
from newton_core.tasks.heat import HeatTask
from newton_core.tasks.ranking import EXACT_MATCH
from scripts.evidence import BEGIN, END, README, part, with_part

SEEDS = 10
KINDS = ("plain", "clip", "normalise", "hessian", "hessian_length", "hessian_direction",
         "fisher", "fisher_length", "fisher_direction")  # fmt: skip
ERROR = HeatTask.describe(HeatTask.primary_metric)


def row(title: str, metric: MetricDescription, gains: dict[str, float]) -> RowResult:
    """A row whose arms gain what ``gains`` says in each seed, and about nothing else."""

    def value(kind: str, seed: int) -> float:
        return 0.5 + gains.get(kind, (seed % 2 - 0.5) / 50) + seed / 999

    summaries = [
        Summary(
            arms=[
                ArmSummary(
                    label=ARM_LABELS[kind], status="completed", step=1, seconds=1.0,
                    metrics={metric.name: value(kind, seed)},
                )
                for kind in KINDS
            ],
            step=1, seconds=1.0, primary_metric=metric.name,
        )
        for seed in range(SEEDS)
    ]  # fmt: skip
    return RowResult(
        title=title, metric=metric_record(metric), arms=arm_results(compare(summaries, metric), {}),
        seeds=list(range(SEEDS)), specs=[], minutes=1.0,
    )  # fmt: skip


@pytest.fixture
def result() -> Result:
    return Result(
        name="components-small", protocol="components", scale="small", title="t", source="ours",
        command="newton-lab reproduce components --scale small", versions={}, device="cpu",
        processes=1, date="2026-01-01T00:00:00+00:00", complete=True, minutes=1.0,
        tuning_minutes=1.0,
        rows=[
            row("Turned", EXACT_MATCH, {"hessian": 0.2, "hessian_direction": 0.1}),
            row("Heat", ERROR, {"fisher": -0.25, "fisher_length": -0.1, "fisher_direction": -0.1}),
            row("Nothing", EXACT_MATCH, {}),
        ],
    )  # fmt: skip


def test_every_difference_is_drawn_right_where_it_is_better(result: Result) -> None:
    figure = components(result)
    assert len(figure.data) == len(KINDS) - 1
    whole = {trace.xaxis: trace for trace in figure.data if trace.name == "whole step"}
    hessian, fisher = whole["x2"], whole["x3"]
    assert list(hessian.y) == [-0.25, 0.75, 1.75]
    assert hessian.x[0] == pytest.approx(20.0, abs=1.1)
    assert fisher.x[1] == pytest.approx(100 * 0.25 / 0.5045, rel=0.1), "a lower error lies right"
    assert list(hessian.marker.symbol) == ["square", "square-open", "square-open"]
    arm = result.rows[1].arms[6]
    low, mean, high = ends(arm, result.rows[1])
    assert low <= mean <= high
    assert fisher.error_x.array[1] == pytest.approx(high - mean)


def test_a_table_of_other_arms_is_no_forest_of_components(result: Result) -> None:
    bare = result.rows[0].model_copy(update={"arms": result.rows[0].arms[:1]})
    with pytest.raises(ValueError, match="no row has such an arm"):
        components(result.model_copy(update={"rows": [bare]}))


def test_readme_says_which_half_of_the_step_helps(result: Result, tmp_path: Path) -> None:
    (tmp_path / "components-small.json").write_text(result.model_dump_json())
    text = part(tmp_path)
    assert "- Turned: the Hessian helps, and so does its direction alone.\n" in text
    assert "- Heat: the Fisher helps, and each half of it alone.\n" in text
    assert "- For the other 1 loss no whole Newton step is shown" in text
    (line,) = re.findall(r"^\| Turned \|.*$", text, re.M)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert [cell.startswith("**") for cell in cells[2:]] == [True, False, True, False, False, False]
    readme = with_part(f"a\n{BEGIN}\nold\n{END}\nb", tmp_path)
    assert readme == f"a\n{BEGIN}\n{text}\n{END}\nb"
    assert with_part(readme, tmp_path / "none") == f"a\n{BEGIN}\n{END}\nb"


def test_readmes_evidence_is_that_of_the_results() -> None:
    text = README.read_text("utf-8")
    assert with_part(text) == text, "run python -m scripts.evidence --write"
    with pytest.raises(ValueError, match="needs the lines"):
        with_part("nothing")
