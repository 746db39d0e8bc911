"""Exports of a run: numbers, log, spec, weights, and a page of its own."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse

from app.database import RunRow
from app.exports import arm_labels, csv_lines, file_name, json_lines, runnable_spec, weights
from app.lab import Lab
from app.report import report_html
from app.routes.common import NO_SUCH_RUN, TheLab, TheRun, problem
from app.routes.runs import run_info
from app.runs.files import folder_of, without_paths
from app.static import PageNotBuiltError
from app.visitors import ANYONE
from newton_core.experiment.events import Event
from newton_core.training.snapshots import SnapshotError, latest_snapshot

router = APIRouter(tags=["runs"])

Format = Literal["csv", "json", "html", "spec", "weights"]
_KINDS: dict[str, tuple[str, str, str]] = {
    "csv": ("text/csv; charset=utf-8", "numbers", "csv"),
    "json": ("application/json", "events", "json"),
    "html": ("text/html; charset=utf-8", "report", "html"),
    "spec": ("application/json", "spec", "json"),
    "weights": ("application/octet-stream", "weights", "safetensors"),
}
"""Media type, what the file holds, and the ending of its name."""
_TEXT = {"schema": {"type": "string"}}


@router.get(
    "/api/runs/{run_id}/export",
    response_class=Response,
    responses={
        **NO_SUCH_RUN,
        200: {
            "model": list[Event],
            "description": "The file, as an attachment; the schema is that of `json`.",
            "content": {
                "text/csv": _TEXT,
                "text/html": _TEXT,
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        409: problem("The run has no snapshot, so there are no weights yet."),
        503: problem("The page is not built, so there is no report."),
    },
)
def export_run(
    lab: TheLab,
    run: TheRun,
    format: Annotated[
        Format,
        Query(
            description="csv: tidy numbers; json: the log; html: a page of its own;"
            " spec: to run it again; weights: safetensors of the last snapshot"
        ),
    ],
    view: Annotated[
        str,
        Query(
            max_length=4000,
            description="of html: what the page shows, as the query of its address;"
            " ?panel=loss&step=40 makes a page of that panel alone",
        ),
    ] = "",
) -> Response:
    """The run in another form, as far as it has come."""
    media_type, what, ending = _KINDS[format]
    content = _content(lab, run, format, view)
    name = file_name(run, what, ending)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if isinstance(content, bytes | str):
        return Response(content, media_type=media_type, headers=headers)
    return StreamingResponse(content, media_type=media_type, headers=headers)


def _content(lab: Lab, run: RunRow, format: Format, view: str) -> str | bytes | Iterable[str]:
    log = lab.log.all(run.id)
    match format:
        case "csv":
            return csv_lines(run.id, arm_labels(run.spec), log)
        case "json":
            return json_lines(log)
        case "spec":
            return runnable_spec(run.spec)
        case "weights":
            return _weights(lab, run)
        case "html":
            info = run_info(lab, run, ANYONE).model_dump(mode="json")
            try:
                return report_html(info | {"view": view}, (event.body for event in log))
            except PageNotBuiltError as error:
                raise HTTPException(503, str(error)) from error


def _weights(lab: Lab, run: RunRow) -> bytes:
    found = latest_snapshot(folder_of(lab.settings.snapshots_dir, run.id), run.steps)
    if found is None:
        raise HTTPException(409, f"run {run.id} has no snapshot, so there are no weights")
    try:
        return weights(found[1], run.spec)
    except SnapshotError as error:
        raise HTTPException(409, without_paths(str(error), lab.settings)) from error
