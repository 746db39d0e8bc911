"""Exports of a run: numbers, log, spec, weights, and a page of its own."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.database import RunRow
from app.exports import arm_labels, csv_lines, file_name, json_lines, runnable_spec, weights
from app.lab import Lab
from app.landscapes.kept import (
    MOST_IN_A_REPORT,
    MOST_PICTURES,
    PANELS,
    kept_steps,
    landscape_pictures,
    step_pictures,
)
from app.report import report_html
from app.routes.common import (
    NO_SUCH_RUN,
    PICTURE_RESPONSES,
    TheLab,
    TheRun,
    picture_turn,
    problem,
)
from app.routes.runs import run_info
from app.runs.files import folder_of, without_paths
from app.runs.store import ENDED
from app.static import PageNotBuiltError
from app.visitors import ANYONE
from newton_core.experiment.events import Event
from newton_core.experiment.spec import stored_spec
from newton_core.training.snapshots import SnapshotError, latest_snapshot, list_snapshots

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


View = Annotated[
    str,
    Query(
        max_length=4000,
        description="of html: what the page shows, as the query of its address;"
        " ?panel=loss&step=40 makes a page of that panel alone",
    ),
]


async def _turn(lab: TheLab, request: Request, view: View = "") -> AsyncIterator[None]:
    """Pages with panels that ask the server need pictures; everything else is read."""
    is_page = request.query_params.get("format") == "html"
    if is_page and (_asking(view) or _shows_landscapes(view)):
        async with picture_turn(lab, request):
            yield
    else:
        yield


@router.get(
    "/api/runs/{run_id}/export",
    response_class=Response,
    dependencies=[Depends(_turn, scope="function")],
    responses={
        **NO_SUCH_RUN,
        **PICTURE_RESPONSES,
        200: {
            "model": list[Event],
            "description": "The file, as an attachment; the schema is that of `json`.",
            "content": {
                "text/csv": _TEXT,
                "text/html": _TEXT,
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        409: problem("The run has no snapshot yet, or one that cannot be read."),
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
    view: View = "",
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
            info = run_info(lab, run, ANYONE).model_dump(mode="json") | {"view": view}
            pictures = _pictures(lab, run, view) + _landscapes(lab, run, view)
            events = (event.body for event in log)
            try:
                return report_html(info, events, answers=pictures)
            except PageNotBuiltError as error:
                raise HTTPException(503, str(error)) from error


def _shown(view: str) -> list[str]:
    """The panels that a view names; none: it shows all."""
    named = dict(parse_qsl(view.removeprefix("?"))).get("panel", "")
    return [panel for panel in named.split(",") if panel]


def _asking(view: str) -> frozenset[str]:
    """The panels of a view that ask the server for each step; a whole report has but one."""
    return PANELS.intersection(_shown(view) or ["step"])


def _shows_landscapes(view: str) -> bool:
    shown = _shown(view)
    return not shown or "landscape" in shown


def _landscapes(lab: Lab, run: RunRow, view: str) -> list[dict[str, Any]]:
    """The landscapes of a run that has ended, in planes that hold its paths, where it has such."""
    folder = folder_of(lab.settings.snapshots_dir, run.id)
    whole = run.status in ENDED and len(list(list_snapshots(folder))) > 1
    if not (whole and _shows_landscapes(view)):
        return []
    try:
        return [landscape_pictures(stored_spec(run.spec), folder, run.id)]
    except ValueError:  # no plane, or a file or another package's part is gone: the log's own stay
        return []


def _pictures(lab: Lab, run: RunRow, view: str) -> list[dict[str, Any]]:
    """What such panels show at some of the run's snapshots; none where there is no snapshot."""
    panels, is_whole = _asking(view), not _shown(view)
    seen = dict(parse_qsl(view.removeprefix("?"))).get("step", "")
    folder = folder_of(lab.settings.snapshots_dir, run.id)
    found = list(list_snapshots(folder)) if panels else []
    if not found:
        return []
    try:
        spec = stored_spec(run.spec)
        at = int(seen) if seen.isdecimal() else run.steps
        most = MOST_IN_A_REPORT if is_whole else MOST_PICTURES
        steps = kept_steps(found, len(spec.arms), at, most)
        wanted = [(panel, step) for panel in panels for step in steps]
        return list(step_pictures(spec, folder, run.id, wanted))
    except ValueError as error:  # a part of another package, or a file, is gone
        if is_whole:  # the rest of it needs neither
            return []
        raise HTTPException(409, without_paths(str(error), lab.settings)) from error


def _weights(lab: Lab, run: RunRow) -> bytes:
    found = latest_snapshot(folder_of(lab.settings.snapshots_dir, run.id), run.steps)
    if found is None:
        raise HTTPException(409, f"run {run.id} has no snapshot, so there are no weights")
    try:
        return weights(found[1], run.spec)
    except SnapshotError as error:
        raise HTTPException(409, without_paths(str(error), lab.settings)) from error
