"""The log of a run as Server-Sent Events."""

from collections.abc import AsyncIterator, Iterator, Sequence

from fastapi import APIRouter, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from app.lab import Lab
from app.routes.common import NO_SUCH_RUN, KnownEvent, TheLab, TheRun
from app.routes.streams import CONTENT, event_stream
from app.runs.feed import Log, QueuePosition, Silence
from app.runs.records import LoggedEvent

router = APIRouter(tags=["runs"])

CHUNK_BYTES = 64_000


@router.get(
    "/api/runs/{run_id}/events",
    response_class=Response,
    responses={
        **NO_SUCH_RUN,
        200: {
            "description": "Server-Sent Events, each with an `Event` as its data.",
            "content": CONTENT,
        },
    },
)
async def follow_run(
    lab: TheLab,
    run: TheRun,
    known: KnownEvent,
) -> EventSourceResponse:
    """All events from the first (or after a given one), then each as it happens.

    ``id`` is the event's number, ``event`` its type, ``data`` the event as JSON. While the run
    waits, messages of type ``queue`` without an id say its place: {"position": 2}. After some
    seconds without news comes a ``ping``, without an id too: a viewer that hears nothing at all
    has lost the connection. The stream ends after the run's last event.
    """
    return stream_log(lab, lab.log, run.id, known)


def stream_log(lab: Lab, log: Log, log_id: str, after: int) -> EventSourceResponse:
    """The log of a run or of a sweep, from after an event to its end."""
    return event_stream(_stream(lab, log, log_id, after))


async def _stream(lab: Lab, log: Log, log_id: str, after: int) -> AsyncIterator[bytes]:
    patience = lab.settings.keepalive_seconds
    async for item in lab.feed.follow(log, log_id, after, patience):
        if isinstance(item, Silence):
            yield format_sse_event(event="ping", data_str="{}")
        elif isinstance(item, QueuePosition):
            yield format_sse_event(event="queue", data_str=f'{{"position":{item.position}}}')
        else:
            for chunk in _chunks(item):
                yield chunk


def _chunks(events: Sequence[LoggedEvent]) -> Iterator[bytes]:
    """The events as few pieces, none so large that a slow viewer would fill the memory."""
    chunk = bytearray()
    for event in events:
        chunk += event.message
        if len(chunk) > CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)
