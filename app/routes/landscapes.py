"""Landscapes of a run and pictures of its Newton steps, as a stream of their parts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, format_sse_event

from app.errors import validation_error
from app.lab import Lab
from app.landscapes import LandscapeFailure, LandscapeService
from app.landscapes.requests import AnyLandscapeRequest, LandscapeRequest, StepRequest, TurnRequest
from app.routes.common import (
    PICTURE_SECONDS,
    TheLab,
    address_of,
    is_run_id,
    problem,
    too_many,
)
from app.routes.streams import CONTENT, event_stream
from app.runs.files import folder_of, without_paths

router = APIRouter(tags=["landscapes"])


@router.post(
    "/api/landscapes",
    response_class=Response,
    responses={
        200: {
            "description": "Server-Sent Events, each of them a `LandscapeStreamEvent`.",
            "content": CONTENT,
        },
        429: problem("Too many landscapes are being computed."),
    },
)
async def landscapes(
    lab: TheLab, request: Request, body: Annotated[LandscapeRequest, Body()]
) -> EventSourceResponse:
    """A landscape at any past step of a run, from its nearest snapshot, as Server-Sent Events.

    Through the weights: ``start`` says which snapshot ``step`` answers, and lists ``pictures``
    with their arms and projected paths; each ``patch`` has all values of one on a finer grid.
    Through the outputs: one ``slice``. Between two arms' weights: one ``line`` (``t``, ``values``,
    ``barrier``). Of an arm's next Newton step: one ``step``. Of the angle that curvature turns a
    gradient by: one ``turn``. At the end ``done``, or ``problem`` with a ``message``. Closing the
    connection cancels the computation.
    """
    run = await run_in_threadpool(lab.store.get, body.run) if is_run_id(body.run) else None
    if run is None:
        raise validation_error([(("body", "run"), f"there is no run {body.run!r}", "run")])
    service = lab.steps if isinstance(body, StepRequest | TurnRequest) else lab.landscapes
    address = address_of(request)
    if service.is_busy_for(address):
        raise too_many("too many landscapes wait", PICTURE_SECONDS)
    folder = folder_of(lab.settings.snapshots_dir, run.id)
    return event_stream(_stream(lab, service, run.spec, folder, body, address))


async def _stream(
    lab: Lab,
    service: LandscapeService,
    spec: str,
    folder: Path,
    body: AnyLandscapeRequest,
    address: str,
) -> AsyncIterator[bytes]:
    try:
        async for kind, data in service.answer(spec, folder, body, address):
            yield format_sse_event(event=kind, data_str=data)
    except LandscapeFailure as failure:
        text = json.dumps({"message": without_paths(str(failure), lab.settings)})
        yield format_sse_event(event="problem", data_str=text)
    else:
        yield format_sse_event(event="done", data_str="{}")
