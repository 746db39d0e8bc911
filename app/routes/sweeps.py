"""Sweeps: post, list, look at, follow, stop, remove."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, Field, PlainValidator, model_validator

from app.database import SweepRow
from app.errors import validation_error
from app.lab import Lab
from app.routes.common import (
    Descriptions,
    KnownEvent,
    TheLab,
    TheVisitor,
    address_of,
    check_owner,
    is_run_id,
    problem,
    too_many,
)
from app.routes.events import stream_log
from app.routes.streams import CONTENT
from app.routes.submitting import check_spec, preset_or_422
from app.runs.limits import check_limits
from app.runs.store import ENDED
from app.settings import Settings as ServerSettings
from app.sweeps import SweepWish, TooManySweepsError
from app.sweeps.records import (
    MOST_AXES,
    MOST_SEEDS,
    SweepReport,
    SweptAxis,
    SweptMetric,
    SweptRecord,
    metric_of,
)
from newton_core.evidence import FIRST_TUNING_SEED, Cell, GridError, expand
from newton_core.evidence.sweep import swept_arms
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.settings import Settings, setting

router = APIRouter(tags=["sweeps"])

RETRY_SECONDS = 10
Status = Literal["running", "finished", "failed", "cancelled"]


class SweepRequest(Settings):
    """A grid over a spec, or over a preset's."""

    spec: ExperimentSpec | None = setting(None, "What the grid varies.")
    preset: str | None = setting(None, "Name of the preset that it varies.", max_length=200)
    grid: tuple[SweptAxis, ...] = setting(
        ..., "What varies; the last one fastest.", min_length=1, max_length=MOST_AXES
    )
    seeds: int = setting(3, "Tuning seeds, from 10,000 on.", ge=1, le=MOST_SEEDS)
    report_seeds: int = setting(
        10, "Report seeds of the best combination, from 0; 0: none.", ge=0, le=MOST_SEEDS
    )

    @model_validator(mode="after")
    def _says_what_varies(self) -> Self:
        if (self.spec is None) == (self.preset is None):
            raise ValueError("give a spec or the name of a preset, one of both")
        return self


class SweepInfo(BaseModel):
    """A sweep in a list."""

    id: str
    status: Status
    title: str
    preset: str | None
    cells: int = Field(description="combinations of the grid")
    last_seq: int = Field(description="number of its newest event")
    created: datetime
    ended: datetime | None


class SubmittedSweep(SweepInfo):
    """The sweep that answers a request."""

    reused: bool = Field(description="whether it was there already; one that was stopped goes on")


class SweepDetail(SweepInfo):
    """A sweep with what is known of its cells."""

    # Taken as it was stored: that of an older version may no longer be valid.
    spec: Annotated[
        Any, PlainValidator(lambda spec: spec, json_schema_input_type=ExperimentSpec)
    ] = Field(description="the complete ExperimentSpec that the grid varies")
    grid: list[SweptAxis]
    seeds: list[int] = Field(description="of every combination: tuning seeds")
    report_seeds: int
    arms: list[str] = Field(description="labels; the first is the baseline")
    counted: list[int] = Field(description="arms whose means a combination is judged by")
    metric: SweptMetric
    done: list[SweptRecord] = Field(description="combinations that are there, by index")
    best: int | None = Field(description="index of the best of them")
    report: SweepReport | None = Field(description="the best one on seeds that chose nothing")
    error: str | None = Field(description="why it failed")


class SweepPage(BaseModel):
    """A part of the list of sweeps, the newest first."""

    items: list[SweepInfo]
    total: int
    limit: int
    offset: int


def get_sweep(
    lab: TheLab, sweep_id: Annotated[str, Path(description="id of the sweep")]
) -> SweepRow:
    """The sweep that the path names, or 404."""
    row = lab.sweeps.store.get(sweep_id) if is_run_id(sweep_id) else None
    if row is None:
        raise HTTPException(404, f"there is no sweep {sweep_id!r}")
    return row


TheSweep = Annotated[SweepRow, Depends(get_sweep)]
NO_SUCH_SWEEP: Descriptions = {404: problem("There is no such sweep.")}


@router.post(
    "/api/sweeps",
    status_code=201,
    responses={
        200: {"model": SubmittedSweep, "description": "The sweep was there already."},
        429: problem("Too many sweeps are going, or this address started too many runs."),
    },
)
def post_sweep(
    lab: TheLab,
    request: Request,
    response: Response,
    visitor: TheVisitor,
    body: Annotated[SweepRequest, Body()],
) -> SubmittedSweep:
    """Starts a sweep, or answers with the one of the same wish; one that was stopped goes on.

    Cells are computed while no run waits for a worker; those that were ever computed are not
    computed again.
    """
    spec = body.spec or preset_or_422(body.preset or "")
    wish = SweepWish(spec=spec, grid=body.grid, seeds=body.seeds, report_seeds=body.report_seeds)
    cells = _checked(wish, lab.settings)
    client = address_of(request)
    if not lab.throttle.allows(client):
        raise too_many("this address started too many runs in the last minute", RETRY_SECONDS)
    try:
        row, reused = lab.sweeps.submit(wish, len(cells), body.preset, visitor.mark)
    except TooManySweepsError as error:
        raise too_many(str(error), RETRY_SECONDS) from error
    if reused:
        response.status_code = 200
    else:
        lab.throttle.count(client)
    response.headers["Location"] = str(request.url_for("get_sweep_info", sweep_id=row.id))
    return SubmittedSweep(**_info(row), reused=reused)


def _checked(wish: SweepWish, settings: ServerSettings) -> Sequence[Cell]:
    """The combinations of a grid that this server computes; else a 422 that says why not."""
    count = math.prod(len(axis.values) for axis in wish.grid)
    if count * wish.seeds > settings.max_cells:
        words = (
            f"{count:,} combinations on {wish.seeds} seeds are {count * wish.seeds:,} runs; at most"
            f" {settings.max_cells:,} on this server"
        )
        raise validation_error([(("body", "grid"), words, "limit")])
    if wish.spec.seconds is not None:
        words = "a run that a clock ends gives other numbers each time; leave it empty in a sweep"
        raise validation_error([(("body", "spec", "seconds"), words, "limit")])
    if any("\0" in text for axis in wish.grid for text in (axis.path, *map(str, axis.values))):
        words = "the character NUL cannot be stored"
        raise validation_error([(("body", "grid"), words, "nul")])
    check_spec(wish.spec, settings, "body", "spec")
    try:
        cells = expand(wish.spec, wish.axes)
    except GridError as error:
        raise validation_error([(("body", "grid"), str(error), "grid")]) from error
    for cell in cells:
        if problems := check_limits(cell.spec, settings):
            words = f"{_words(cell.settings)}: {problems[0].message}"
            raise validation_error([(("body", "grid"), words, "limit")])
    return cells


def _words(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {json.dumps(value)}" for path, value in settings.items())


@router.get("/api/sweeps")
def list_sweeps(
    lab: TheLab,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> SweepPage:
    """The sweeps, the newest first."""
    rows, total = lab.sweeps.store.page(limit, offset)
    items = [SweepInfo(**_info(row)) for row in rows]
    return SweepPage(items=items, total=total, limit=limit, offset=offset)


@router.get("/api/sweeps/{sweep_id}", responses=NO_SUCH_SWEEP)
def get_sweep_info(lab: TheLab, sweep: TheSweep) -> SweepDetail:
    """One sweep, with all that is known of its cells."""
    events = list(lab.sweeps.store.all(sweep.id))
    wish = json.loads(sweep.wish)
    spec = stored_spec(json.dumps(wish["spec"]))
    axes = [SweptAxis.model_validate(axis) for axis in wish["grid"]]
    found: dict[int, SweptRecord] = {}
    report, error = None, None
    for event in events:
        if event.type == "cell":
            record = SweptRecord.model_validate_json(event.body)
            found[record.index] = record
        elif event.type == "report":
            report = SweepReport.model_validate_json(event.body)
        elif event.type == "failed":
            error = json.loads(event.body)["error"]
    metric = metric_of(spec)
    sign = -1 if metric.better == "lower" else 1
    known = [(sign * r.mean, -r.index) for r in found.values() if r.mean is not None]
    info = _info(sweep)
    return SweepDetail(
        **{**info, "last_seq": events[-1].seq if events else 0},
        spec=wish["spec"],
        grid=axes,
        seeds=[FIRST_TUNING_SEED + k for k in range(wish["seeds"])],
        report_seeds=wish["report_seeds"],
        arms=[arm.label for arm in spec.arms],
        counted=list(swept_arms([axis.as_axis() for axis in axes], len(spec.arms))),
        metric=SweptMetric(
            name=metric.name, title=metric.title, kind=metric.kind, better=metric.better,
            decimals=metric.decimals,
        ),
        done=[found[index] for index in sorted(found)],
        best=-max(known)[1] if known else None,
        report=report,
        error=error if sweep.status == "failed" else None,
    )  # fmt: skip


@router.get(
    "/api/sweeps/{sweep_id}/events",
    response_class=Response,
    responses={
        **NO_SUCH_SWEEP,
        200: {
            "description": "Server-Sent Events: `cell` with a `SweptRecord`, `report` with a"
            " `SweepReport`, and `finished`, `failed` or `cancelled` with a `SweepEnd`.",
            "content": CONTENT,
        },
    },
)
async def follow_sweep(
    lab: TheLab,
    sweep: TheSweep,
    known: KnownEvent,
) -> EventSourceResponse:
    """All events from the first (or after a given one), then each as it happens.

    The stream ends with the sweep. A later ``cell`` of the same index replaces the earlier one.
    """
    return stream_log(lab, lab.sweeps.store, sweep.id, known)


@router.delete("/api/sweeps/{sweep_id}", status_code=204, responses=NO_SUCH_SWEEP)
def remove_sweep(lab: TheLab, sweep: TheSweep, visitor: TheVisitor) -> None:
    """Removes a sweep and its log, ending it first; its cells are kept for other sweeps."""
    check_owner(visitor, sweep.owner, f"sweep {sweep.id}")
    lab.sweeps.remove(sweep.id)


@router.post(
    "/api/sweeps/{sweep_id}/stop",
    status_code=202,
    responses={**NO_SUCH_SWEEP, 409: problem("The sweep has ended already.")},
)
def stop_sweep(lab: TheLab, sweep: TheSweep, visitor: TheVisitor) -> SweepInfo:
    """Stops a sweep; its finished cells are kept, and the same request goes on from them."""
    check_owner(visitor, sweep.owner, f"sweep {sweep.id}")
    if sweep.status in ENDED or not lab.sweeps.stop(sweep.id):
        raise HTTPException(409, f"sweep {sweep.id} has ended already")
    return SweepInfo(**_info(_current(lab, sweep)))


def _current(lab: Lab, sweep: SweepRow) -> SweepRow:
    return lab.sweeps.store.get(sweep.id) or sweep


def _info(row: SweepRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "title": row.title,
        "preset": row.preset,
        "cells": row.cells,
        "last_seq": row.last_seq,
        "created": datetime.fromtimestamp(row.created, UTC),
        "ended": None if row.ended is None else datetime.fromtimestamp(row.ended, UTC),
    }
