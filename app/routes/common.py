"""What the routes share: the lab, the run that a path names, and errors."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Path, Query, Request
from pydantic import BaseModel, Field

from app.admission import BusyError
from app.database import RunRow
from app.lab import Lab
from app.visitors import ANYONE, Visitor

_RUN_ID = re.compile(r"[0-9a-f]{12}")
LARGEST_SEQ = 2**53 - 1
PICTURE_SECONDS = 2


def _known_event(
    after: Annotated[
        int, Query(ge=0, le=LARGEST_SEQ, description="number of the last event that is known")
    ] = 0,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, le=LARGEST_SEQ, description="the same, as browsers send it on reconnecting"),
    ] = None,
) -> int:
    return after if last_event_id is None else last_event_id


KnownEvent = Annotated[int, Depends(_known_event)]
"""The last event that a viewer knows: its stream goes on after it."""


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="in words")


Description = dict[str, Any]
"""OpenAPI's description of one answer."""
Descriptions = dict[int | str, Description]
"""Answers by their status."""


def problem(description: str) -> Description:
    """OpenAPI's description of an answer that refuses."""
    return {"model": Problem, "description": description}


def get_lab(request: Request) -> Lab:
    """The lab that this server serves."""
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(get_lab)]


def address_of(request: Request) -> str:
    """The address that limits count: behind a proxy on this machine, that of the proxy's caller."""
    return request.client.host if request.client else ""


def get_visitor(request: Request) -> Visitor:
    """Who asks; in an open lab, anyone."""
    visitor: Visitor = getattr(request.state, "visitor", ANYONE)
    return visitor


TheVisitor = Annotated[Visitor, Depends(get_visitor)]


def too_many(detail: str, seconds: int) -> HTTPException:
    """A 429 that says when to come back."""
    headers = {"Retry-After": str(seconds)}
    return HTTPException(429, f"{detail}; try again in {seconds} s", headers)


@asynccontextmanager
async def picture_turn(lab: Lab, request: Request) -> AsyncIterator[None]:
    """A turn at the server's own threads, which lasts as long as the block.

    Raises:
        HTTPException: too many wait (429), or nobody waits for the answer (400).
    """
    try:
        async with lab.pictures.turn(address_of(request), request.is_disconnected):
            yield
    except BusyError as error:
        raise too_many(str(error), PICTURE_SECONDS) from error
    except ConnectionAbortedError as error:  # nobody reads this
        raise HTTPException(400, str(error)) from error


async def _picture_turn(lab: TheLab, request: Request) -> AsyncIterator[None]:
    async with picture_turn(lab, request):
        yield


PICTURE = Depends(_picture_turn, scope="function")
"""A turn at the server's own threads, for a route that computes a picture in them."""
PICTURE_RESPONSES: Descriptions = {429: problem("Too many pictures are being computed.")}


def is_run_id(text: str) -> bool:
    """Whether ``text`` could name a run."""
    return _RUN_ID.fullmatch(text) is not None


def get_run(lab: TheLab, run_id: Annotated[str, Path(description="id of the run")]) -> RunRow:
    """The run that the path names, or 404."""
    run = lab.store.get(run_id) if is_run_id(run_id) else None
    if run is None:
        raise HTTPException(404, f"there is no run {run_id!r}; it may have been removed")
    return run


TheRun = Annotated[RunRow, Depends(get_run)]


def _own_run(run: TheRun, visitor: TheVisitor) -> RunRow:
    check_owner(visitor, run.owner, f"run {run.id}")
    return run


def check_owner(visitor: Visitor, owner: str | None, what: str) -> None:
    """Refuses, with 403, to change what somebody else started."""
    if not visitor.may_change(owner):
        raise HTTPException(
            403, f"{what} was started by another visitor: only they and the admin may change it"
        )


OwnRun = Annotated[RunRow, Depends(_own_run)]
"""The run that the path names, if this visitor may change it; or 404 or 403."""
NO_SUCH_RUN: Descriptions = {404: problem("There is no such run.")}
