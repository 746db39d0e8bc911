"""Answers as Server-Sent Events."""

from collections.abc import AsyncIterator

from fastapi.sse import EventSourceResponse

CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}
"""OpenAPI's description of such an answer, whose parts it cannot describe."""


def event_stream(parts: AsyncIterator[bytes]) -> EventSourceResponse:
    """The parts as they come; no proxy keeps or holds them back.

    A route names ``response_class=Response`` beside this: FastAPI would expect a generator. Its
    own generator endpoints pass each event through two queues and log an error when a client
    leaves at the wrong moment; ready-made bytes need neither.
    """
    headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    return EventSourceResponse(parts, headers=headers)
