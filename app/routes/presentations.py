"""Presentations: a teacher's page says where it is, and pages that follow go there."""

import io
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Body, HTTPException, Path, Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict, Field

from app.hosts import own_host
from app.lab import Lab
from app.presentations import TooManyPresentationsError, WrongSecretError
from app.routes.common import Descriptions, TheLab, address_of, problem, too_many
from app.routes.streams import CONTENT, event_stream
from app.settings import is_loopback
from newton_core.settings import Settings

_BUSY_SECONDS = 60


router = APIRouter(prefix="/api/presentations", tags=["presentations"])
_Id = Annotated[str, Path(description="id of the presentation", pattern=r"^[0-9a-f]{12}$")]


class _View(Settings):
    model_config = ConfigDict(strict=True)

    address: str = Field(
        "",
        max_length=8000,
        pattern=r"^([\w.~-][\w./~-]*)?(\?[^#\s\x00]*)?$",
        description="Path and query of the page, relative to the lab, e.g. runs/3f2a?step=500.",
    )
    highlight: str | None = Field(
        None,
        max_length=100,
        pattern=r"^[^\x00-\x1f]+$",
        description="Name of the panel that is pointed at.",
    )


class PresentationStart(_View):
    """What a presentation begins with."""


class PresentationChange(_View):
    """Where it goes on."""

    secret: str = Field(max_length=200, description="What the POST answered with.")
    ended: bool = Field(False, description="Whether the presentation is over.")


class PresentationInfo(BaseModel):
    """A presentation as it is just now."""

    id: str
    address: str
    highlight: str | None
    number: int = Field(description="of the change that led here")
    followers: int = Field(description="pages that follow it")
    link: str = Field(description="the address that others open to follow it")


class StartedPresentation(PresentationInfo):
    """A new presentation, told to the one who began it."""

    secret: str = Field(description="Changes need it; it is told once.")


NO_SUCH_PRESENTATION: Descriptions = {404: problem("There is no such presentation.")}
TOO_MANY: Descriptions = {429: problem("Too many presentations are going on.")}


@router.post("", status_code=201, responses=TOO_MANY)
def begin_presentation(
    lab: TheLab, request: Request, body: Annotated[PresentationStart, Body()]
) -> StartedPresentation:
    """Begins a presentation: pages that open its link go where it goes."""
    client = address_of(request)
    if not lab.throttle.allows(client):
        raise too_many("this address began too many runs or presentations", _BUSY_SECONDS)
    try:
        name, secret = lab.presentations.begin(body.address, body.highlight)
    except TooManyPresentationsError as error:
        raise too_many(str(error), _BUSY_SECONDS) from error
    lab.throttle.count(client)
    return StartedPresentation(**_info(lab, request, name), secret=secret)


@router.put(
    "/{presentation_id}",
    responses={**TOO_MANY, 403: problem("The secret is that of another presentation.")},
)
def move_presentation(
    lab: TheLab,
    request: Request,
    presentation_id: _Id,
    body: Annotated[PresentationChange, Body()],
) -> PresentationInfo:
    """Shows something else. One that was forgotten is there again."""
    try:
        shown = lab.presentations.show(
            presentation_id, body.secret, body.address, body.highlight, ended=body.ended
        )
    except WrongSecretError as error:
        raise HTTPException(403, str(error)) from error
    except TooManyPresentationsError as error:
        raise too_many(str(error), _BUSY_SECONDS) from error
    if body.ended:
        return PresentationInfo(
            id=presentation_id, address=shown.address, highlight=shown.highlight,
            number=shown.number, followers=0, link=_link(lab, request, presentation_id),
        )  # fmt: skip
    return PresentationInfo(**_info(lab, request, presentation_id))


@router.get("/{presentation_id}", responses=NO_SUCH_PRESENTATION)
def get_presentation(lab: TheLab, request: Request, presentation_id: _Id) -> PresentationInfo:
    """What is shown just now."""
    return PresentationInfo(**_info(lab, request, presentation_id))


@router.get(
    "/{presentation_id}/events",
    response_class=Response,
    responses={
        **NO_SUCH_PRESENTATION,
        200: {
            "description": "Server-Sent Events: `place` with `address`, `highlight` and `number`;"
            " `ping` in silence; `ended`, the last.",
            "content": CONTENT,
        },
    },
)
def follow_presentation(lab: TheLab, presentation_id: _Id) -> EventSourceResponse:
    """Where the presentation is, then each place that it goes to. Nothing of this is kept."""
    if lab.presentations.get(presentation_id) is None:
        raise _missing(presentation_id)
    return event_stream(_stream(lab, presentation_id))


async def _stream(lab: Lab, name: str) -> AsyncIterator[bytes]:
    async for shown in lab.presentations.follow(name, lab.settings.keepalive_seconds):
        if shown is None:
            yield format_sse_event(event="ping", data_str="{}")
        elif shown.ended:
            yield format_sse_event(event="ended", data_str="{}")
        else:
            place = {
                "address": shown.address,
                "highlight": shown.highlight,
                "number": shown.number,
            }
            yield format_sse_event(event="place", data_str=json.dumps(place))


@router.get(
    "/{presentation_id}/qr.svg",
    response_class=Response,
    responses={**NO_SUCH_PRESENTATION, 200: {"content": {"image/svg+xml": {}}}},
)
def presentation_code(lab: TheLab, request: Request, presentation_id: _Id) -> Response:
    """The link as a QR code, black on white, for the cameras of phones."""
    if lab.presentations.get(presentation_id) is None:
        raise _missing(presentation_id)
    drawn = io.BytesIO()
    code = segno.make(_link(lab, request, presentation_id), micro=False)
    code.save(drawn, kind="svg", border=2, light="white", omitsize=True)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


def _info(lab: Lab, request: Request, name: str) -> dict[str, Any]:
    shown = lab.presentations.get(name)
    if shown is None:
        raise _missing(name)
    return {
        "id": name,
        "address": shown.address,
        "highlight": shown.highlight,
        "number": shown.number,
        "followers": lab.presentations.followers(name),
        "link": _link(lab, request, name),
    }


def _missing(name: str) -> HTTPException:
    return HTTPException(404, f"there is no presentation {name!r}; it may be over")


def _link(lab: Lab, request: Request, name: str) -> str:
    """The address for others: by this machine's own, where the caller's is good for it alone."""
    base = request.base_url
    if base.hostname is not None and is_loopback(base.hostname):
        host = own_host(lab.settings)
        if host is not None:
            base = base.replace(hostname=f"[{host}]" if ":" in host else host)
    return f"{str(base).rstrip('/')}/follow/{name}"
