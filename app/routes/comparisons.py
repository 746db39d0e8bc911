"""Seeds of one spec, compared: runs that were picked, or the best cell of a sweep.

As numbers, as a table, as a file.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, Field, ValidationError

from app.errors import validation_error
from app.evidence.comparison import COLUMNS, caption_of, rows_of, sentence_of, title_of
from app.evidence.exports import NothingToDrawError, content_of, undrawn
from app.lab import Lab
from app.results import OutputError
from app.routes.common import PICTURE, PICTURE_RESPONSES, Descriptions, TheLab, get_run, problem
from app.routes.sweeps import get_sweep
from app.sweeps.records import SweepReport, metric_of, reported_comparison
from newton_core.evidence.results import ArmResult, MetricRecord, arm_results, metric_record
from newton_core.experiment.comparison import Comparison, compare_runs
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.statistics import VerdictKind

router = APIRouter(tags=["runs"])

MOST_RUNS = 200
Format = Literal["csv", "md", "tex", "html", "svg", "pdf"]
_MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "tex": "application/x-tex; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
_GONE = "{} names something that is gone, as a plugin's loss: it cannot be compared"
_TEXT = {"schema": {"type": "string"}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}


class ComparisonAnswer(BaseModel):
    """Arms over seeds: what the numbers say, the numbers, and both as a table."""

    title: str
    sentence: str = Field(description="what it shows, in plain words")
    caption: str = Field(description="how to read the p-values")
    seeds: list[int]
    metric: MetricRecord
    arms: list[ArmResult] = Field(description="the first is the baseline")
    verdicts: list[VerdictKind | None] = Field(
        description="of each arm after Holm's correction; null where nothing is compared"
    )
    columns: list[str]
    rows: list[list[str]] = Field(description="a cell for each column, and last a note")
    undrawn: str = Field(description="why the server draws no SVG and PDF; empty where it does")


def _compared(
    lab: TheLab,
    runs: Annotated[
        str | None,
        Query(
            description="ids of finished runs that differ in their seeds alone, by commas",
            max_length=13 * MOST_RUNS,
        ),
    ] = None,
    sweep: Annotated[
        str | None, Query(description="id of a sweep: its best cell on report seeds")
    ] = None,
) -> tuple[Comparison, Sequence[int]]:
    """The comparison that the query names, and its seeds."""
    if runs is not None and sweep is None:
        return _of_runs(lab, runs)
    if sweep is not None and runs is None:
        return _of_sweep(lab, sweep)
    words = "name runs or a sweep, one of both"
    raise validation_error([(("query", "runs"), words, "one_of_both")])


def _of_sweep(lab: Lab, sweep_id: str) -> tuple[Comparison, Sequence[int]]:
    row = get_sweep(lab, sweep_id)
    found = [event.body for event in lab.sweeps.store.all(row.id) if event.type == "report"]
    if not found:
        raise HTTPException(409, "no cell of the sweep has been run on report seeds yet")
    report = SweepReport.model_validate_json(found[-1])
    if report.error is not None:
        raise HTTPException(409, f"the best cell could not be run: {report.error}")
    try:
        spec = stored_spec(json.dumps(json.loads(row.wish)["spec"]))
    except ValidationError as error:
        raise HTTPException(409, _GONE.format("the sweep")) from error
    return reported_comparison(report, metric_of(spec)), range(report.seeds)


def _of_runs(lab: Lab, runs: str) -> tuple[Comparison, Sequence[int]]:
    rows = [get_run(lab, run_id) for run_id in dict.fromkeys(runs.split(","))]
    try:
        specs = [stored_spec(row.spec) for row in rows]
    except ValidationError as error:
        raise HTTPException(409, _GONE.format("a run")) from error
    summaries = []
    for row in rows:
        if row.summary is None or row.status != "finished":
            raise HTTPException(409, f"run {row.id} has not finished: compare finished runs")
        summaries.append(Summary.model_validate_json(row.summary))
    if refused := _refusal(specs):
        raise HTTPException(409, refused)
    return compare_runs(specs[0], summaries), [spec.seed for spec in specs]


def _refusal(specs: Sequence[ExperimentSpec]) -> str:
    """Why runs are no seeds of one experiment; empty where they are."""
    if len(specs) < 2:
        return "a comparison over seeds needs at least two runs"
    if len({spec.seed for spec in specs}) < len(specs):
        return "two runs have the same seed: pick one run for each seed"
    first, *others = (spec.model_dump(mode="json", exclude={"seed"}) for spec in specs)
    for other in others:
        if different := [name for name in first if first[name] != other[name]]:
            return (
                f"the runs differ in {', '.join(different)}: a comparison over seeds needs runs"
                " that differ in their seeds alone"
            )
    return ""


Compared = Annotated[tuple[Comparison, Sequence[int]], Depends(_compared)]
_REFUSALS: Descriptions = {
    404: problem("There is no such run, or no such sweep."),
    409: problem(
        "The runs have not finished or differ in more than seeds, or the sweep's best cell has"
        " not been run on report seeds."
    ),
}


@router.get("/api/comparisons", responses=_REFUSALS)
def compare_seeds(compared: Compared) -> ComparisonAnswer:
    """Each arm against the first, paired over the seeds."""
    comparison, seeds = compared
    return ComparisonAnswer(
        title=title_of(comparison),
        sentence=sentence_of(comparison),
        caption=caption_of(comparison),
        seeds=list(seeds),
        metric=metric_record(comparison.metric),
        arms=arm_results(comparison, {}),
        verdicts=[arm.verdict and arm.verdict.kind for arm in comparison.arms],
        columns=list(COLUMNS),
        rows=rows_of(comparison),
        undrawn=undrawn(),
    )


@router.get(
    "/api/comparisons/export",
    response_class=Response,
    dependencies=[PICTURE],
    responses={
        **_REFUSALS,
        **PICTURE_RESPONSES,
        200: {
            "description": "The file, as an attachment.",
            "content": {
                kind.partition(";")[0]: _BYTES if kind.endswith("pdf") else _TEXT
                for kind in _MEDIA_TYPES.values()
            },
        },
        503: problem("Nothing here draws SVG or PDF."),
    },
)
def export_comparison(
    compared: Compared,
    format: Annotated[
        Format,
        Query(description="csv, md, tex: the table; html, svg, pdf: the forest plot"),
    ],
) -> Response:
    """The table or the forest plot as a file."""
    try:
        content = content_of(compared[0], f".{format}")
    except NothingToDrawError as error:
        raise HTTPException(409, str(error)) from error
    except OutputError as error:
        raise HTTPException(503, str(error)) from error
    name = f"newton-lab-comparison.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_MEDIA_TYPES[format], headers=headers)
