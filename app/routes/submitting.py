"""How a spec becomes a run: checked, counted, queued, or answered with the run that is there."""

from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field

from app.database import RunRow
from app.errors import validation_error
from app.lab import Lab
from app.presets import UnknownPresetError
from app.routes.common import Descriptions, address_of, problem, too_many
from app.runs.limits import check_limits
from app.runs.store import QueueFullError
from app.runs.submission import new_run, nul_problem, preset_spec
from app.settings import Settings
from app.visitors import Visitor
from newton_core.experiment.spec import ExperimentSpec

RETRY_SECONDS = 10
Status = Literal["queued", "running", "finished", "failed", "cancelled"]


class Submitted(BaseModel):
    """The run that answers a spec."""

    id: str
    status: Status
    position: int | None = Field(description="place in the queue from 1; null once it runs")
    reused: bool = Field(description="whether it was there already")
    changeable: bool = Field(True, description="whether this visitor may stop it")


SUBMITTED: Descriptions = {
    200: {"model": Submitted, "description": "The run was there already."},
    429: problem("Too many runs wait, or this visitor or address started too many."),
}


def preset_or_422(name: str) -> ExperimentSpec:
    """The spec of a preset that a request's field ``preset`` names, or 422."""
    try:
        return preset_spec(name)
    except UnknownPresetError as error:
        raise validation_error([(("body", "preset"), str(error), "unknown_preset")]) from error


def check_spec(spec: ExperimentSpec, settings: Settings, *place: str) -> None:
    """Refuses, with 422, what this server does not compute or cannot store.

    Args:
        spec: of a request.
        settings: of the server.
        place: where the request has it.
    """
    problems = check_limits(spec, settings)
    if nul := nul_problem(spec):
        problems.append(nul)
    if problems:
        raise validation_error([((*place, *p.path), p.message, "limit") for p in problems])


def submit_run(
    lab: Lab,
    request: Request,
    response: Response,
    visitor: Visitor,
    spec: ExperimentSpec,
    *,
    preset: str | None = None,
    parent: RunRow | None = None,
) -> Submitted:
    """Queues the run of a spec, or finds it; the answer's status and ``Location`` say which.

    Raises:
        FieldError: the spec asks for more than this server gives (422).
        HTTPException: too many runs wait, or are this visitor's or this address's (429).
    """
    check_spec(spec, lab.settings, "body")
    new = new_run(spec, lab.settings, preset=preset, parent=parent, owner=visitor.mark)
    client = address_of(request)
    if not lab.throttle.allows(client) and lab.store.find_reusable(new) is None:
        raise too_many("this address started too many runs in the last minute", RETRY_SECONDS)
    try:
        run, reused = lab.queue.submit(new)
    except QueueFullError as error:
        raise too_many(str(error), RETRY_SECONDS) from error
    if reused:
        response.status_code = 200
    else:
        lab.throttle.count(client)
    response.headers["Location"] = str(request.url_for("get_run_info", run_id=run.id))
    return Submitted(
        id=run.id,
        status=run.status,
        position=lab.queue.position(run.id),
        reused=reused,
        changeable=visitor.may_change(run.owner),
    )
