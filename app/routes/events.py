"""The log of a run as Server-Sent Events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.routes.common import LARGEST_SEQ, NO_SUCH_RUN, TheLab, TheRun
from app.runs.feed import QueuePosition, Silence

router = APIRouter(tags=["runs"])


@router.get("/api/runs/{run_id}/events", response_class=EventSourceResponse, responses=NO_SUCH_RUN)
async def follow_run(
    lab: TheLab,
    run: TheRun,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_SEQ, description="number of the last event that is known")
    ] = 0,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, le=LARGEST_SEQ, description="the same, as browsers send it on reconnecting"),
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """All events from the first (or after a given one), then each as it happens.

    ``id`` is the event's number, ``event`` its type, ``data`` the event as JSON. While the run
    waits, messages of type ``queue`` without an id say its place: {"position": 2}. The stream
    ends after the run's last event.
    """
    known = after if last_event_id is None else last_event_id
    patience = lab.settings.keepalive_seconds
    async for item in lab.feed.follow(lab.log, run.id, known, patience):
        if isinstance(item, Silence):
            yield ServerSentEvent(comment="still here")
        elif isinstance(item, QueuePosition):
            yield ServerSentEvent(event="queue", raw_data=f'{{"position":{item.position}}}')
        else:
            yield ServerSentEvent(event=item.type, id=str(item.seq), raw_data=item.body)
