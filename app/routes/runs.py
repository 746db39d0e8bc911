"""Runs: post, list, look at, pin, stop, remove."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    field_validator,
    model_validator,
)

from app.database import RunRow
from app.errors import validation_error
from app.lab import Lab
from app.routes.common import (
    NO_SUCH_RUN,
    OwnRun,
    TheLab,
    TheRun,
    TheVisitor,
    is_run_id,
    problem,
)
from app.routes.submitting import SUBMITTED, Status, Submitted, preset_or_422, submit_run
from app.runs.store import BROKEN, ENDED
from app.visitors import Visitor
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.settings import Settings, setting

router = APIRouter(tags=["runs"])


class PresetRequest(Settings):
    """Asks for a preset's run."""

    preset: str = setting(..., "Name of the preset.", max_length=200)


def _kind(body: Any) -> str:
    return "preset" if isinstance(body, Mapping) and "preset" in body else "spec"


RunRequest = Annotated[
    Annotated[ExperimentSpec, Tag("spec")] | Annotated[PresetRequest, Tag("preset")],
    Discriminator(_kind),
]


class ArmLine(BaseModel):
    """One arm of a run in a list."""

    label: str
    curvature: str


class Blocker(BaseModel):
    """What a waiting run waits for."""

    id: str
    title: str
    seconds_left: float | None = Field(description="by its pace so far; null before its first")


class RunInfo(BaseModel):
    """A run in a list."""

    id: str
    status: Status
    title: str
    preset: str | None
    parent: str | None = Field(description="the run that it was forked from")
    task: str
    loss: str
    arms: list[ArmLine]
    seed: int
    device: str
    step: int = Field(description="how far its log goes")
    steps: int
    last_seq: int = Field(description="number of its newest event")
    position: int | None = Field(description="place in the queue from 1; null once it runs")
    created: datetime
    started: datetime | None
    ended: datetime | None
    summary: Summary | None = Field(description="how it ended, with each arm's last metrics")
    error: str | None = Field(description="why it failed")
    pinned: bool = Field(description="kept when old runs make room")
    changeable: bool = Field(description="whether this visitor may stop, name, pin and remove it")


class RunDetail(RunInfo):
    """A run with its spec."""

    waits_for: Blocker | None = Field(
        description="the run in progress that ends first, while this one waits"
    )
    # Taken as it was stored: that of an older version may no longer be valid.
    spec: Annotated[
        Any, PlainValidator(lambda spec: spec, json_schema_input_type=ExperimentSpec)
    ] = Field(description="the complete ExperimentSpec")


class RunPage(BaseModel):
    """A part of the list of runs, the newest first."""

    items: list[RunInfo]
    total: int
    limit: int
    offset: int


class RunPatch(Settings):
    """What can be changed about a run: never its numbers."""

    pinned: bool | None = setting(None, "Whether the run is kept when old ones make room.")
    title: str | None = setting(None, "What people call it.", min_length=1, max_length=200)

    @field_validator("title")
    @classmethod
    def _can_be_shown(cls, title: str | None) -> str | None:
        if title is None:
            return None
        if "\0" in title:
            raise ValueError("the character NUL cannot be stored")
        words = " ".join(title.split())
        if not words:
            raise ValueError("needs a letter or a digit at least")
        return words

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.pinned is None and self.title is None:
            raise ValueError("give pinned, title or both")
        return self


@router.post(
    "/api/runs",
    status_code=201,
    responses=SUBMITTED,
)
def post_run(
    lab: TheLab,
    request: Request,
    response: Response,
    visitor: TheVisitor,
    body: Annotated[RunRequest, Body()],
    parent: Annotated[
        str | None,
        Query(alias="from", description="run whose snapshots may be gone on from", max_length=100),
    ] = None,
) -> Submitted:
    """Queues a run, or answers with the queued, running or finished run of the same spec."""
    preset = body.preset if isinstance(body, PresetRequest) else None
    spec = preset_or_422(body.preset) if isinstance(body, PresetRequest) else body
    known_parent = lab.store.get(parent) if parent and is_run_id(parent) else None
    return submit_run(lab, request, response, visitor, spec, preset=preset, parent=known_parent)


@router.get("/api/runs")
def list_runs(
    lab: TheLab,
    visitor: TheVisitor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    status: Annotated[Status | None, Query(description="only runs with this status")] = None,
    search: Annotated[
        str, Query(description="only runs with these words in their title", max_length=200)
    ] = "",
) -> RunPage:
    """The runs, the newest first."""
    if "\0" in search:
        raise validation_error([(("query", "search"), "the character NUL is in no title", "nul")])
    rows, total = lab.store.page(limit, offset, status, search)
    items = [run_info(lab, row, visitor) for row in rows]
    return RunPage(items=items, total=total, limit=limit, offset=offset)


@router.get("/api/runs/{run_id}", responses=NO_SUCH_RUN)
def get_run_info(lab: TheLab, run: TheRun, visitor: TheVisitor) -> RunDetail:
    """One run, with its spec."""
    return _detail(lab, run, visitor)


@router.patch(
    "/api/runs/{run_id}",
    responses={**NO_SUCH_RUN, 409: problem("Pinned runs take half of the disk already.")},
)
def change_run(lab: TheLab, run: OwnRun, visitor: TheVisitor, patch: RunPatch) -> RunDetail:
    """Pins a run, so that it is kept when old runs make room, or unpins it; gives it a name."""
    if patch.pinned is not None:
        if not lab.queue.pin(run, patch.pinned):
            raise HTTPException(
                409, "pinned runs may take half of the disk's quota: unpin another one first"
            )
        run.pinned = patch.pinned
    if patch.title is not None:
        lab.store.set_title(run.id, patch.title)
        run.title = patch.title
    return _detail(lab, run, visitor)


@router.delete("/api/runs/{run_id}", status_code=204, responses=NO_SUCH_RUN)
def remove_run(lab: TheLab, run: OwnRun) -> None:
    """Removes a run, its log and its snapshots; a run in progress is ended first."""
    lab.queue.remove(run.id)


@router.post(
    "/api/runs/{run_id}/stop",
    status_code=202,
    responses={**NO_SUCH_RUN, 409: problem("The run has ended already.")},
)
def stop_run(
    lab: TheLab,
    run: OwnRun,
    ended_ok: Annotated[
        bool, Query(description="answer 202 too if it has ended: a stop may cross its last step")
    ] = False,
    discard: Annotated[
        bool, Query(description="remove it once it has ended: nobody wants to see it")
    ] = False,
) -> Submitted:
    """Stops a run: it ends with ``cancelled`` soon."""
    if discard:
        lab.queue.discard(run.id)
        return Submitted(id=run.id, status=run.status, position=None, reused=True)
    stopped = run.status not in ENDED and lab.queue.stop(run.id)
    if not stopped and not ended_ok:
        raise HTTPException(409, f"run {run.id} has ended already")
    current = lab.store.get(run.id) or run
    return Submitted(
        id=run.id,
        status=current.status,
        position=None,
        reused=True,
    )


@router.post(
    "/api/runs/{run_id}/resume",
    status_code=201,
    responses={**NO_SUCH_RUN, **SUBMITTED, 409: problem("The run was not interrupted.")},
)
def resume_run(
    lab: TheLab, request: Request, response: Response, visitor: TheVisitor, run: TheRun
) -> Submitted:
    """Goes on with a run that was stopped or failed, from its last snapshot, as a new run.

    Its numbers are those of a run that was never interrupted, bit for bit, on the same version and
    device; else it begins again.
    """
    if run.status not in BROKEN:
        raise HTTPException(409, f"run {run.id} is {run.status}: there is nothing to resume")
    return submit_run(lab, request, response, visitor, stored_spec(run.spec), preset=run.preset)


def _detail(lab: Lab, run: RunRow, visitor: Visitor) -> RunDetail:
    blocker = lab.queue.blocker(run.id)
    waits_for = blocker and Blocker(
        id=blocker[0].id, title=blocker[0].title, seconds_left=blocker[1]
    )
    return RunDetail(
        **dict(run_info(lab, run, visitor)), spec=json.loads(run.spec), waits_for=waits_for
    )


def run_info(lab: Lab, run: RunRow, visitor: Visitor) -> RunInfo:
    """A run as a list shows it to a visitor."""
    spec = json.loads(run.spec)
    return RunInfo(
        id=run.id,
        status=run.status,
        title=run.title,
        preset=run.preset,
        parent=run.parent,
        task=spec["task"]["name"],
        loss=spec["loss"]["name"],
        arms=[ArmLine(label=arm["label"], curvature=arm["curvature"]) for arm in spec["arms"]],
        seed=spec["seed"],
        device=run.device,
        step=run.step,
        steps=run.steps,
        last_seq=run.last_seq,
        position=lab.queue.position(run.id),
        created=datetime.fromtimestamp(run.created, UTC),
        started=_moment(run.started),
        ended=_moment(run.ended),
        summary=Summary.model_validate_json(run.summary) if run.summary else None,
        error=run.error,
        pinned=run.pinned,
        changeable=visitor.may_change(run.owner),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
