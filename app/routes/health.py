"""Whether the server is there, what it works with, and whether it can serve runs."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app import __version__
from app.errors import RETRY_SECONDS
from app.lab import Lab, default_device
from app.routes.common import TheLab

router = APIRouter(tags=["server"])


class Health(BaseModel):
    """The server's state."""

    status: Literal["ok", "unavailable"]
    version: str
    device: str = Field(description="the best device for runs: cuda, mps or cpu")
    executor: str
    role: Literal["owner", "viewer"] = Field(
        description="whether this server computes runs, or serves viewers beside the one that does"
    )
    queue: int = Field(description="runs that wait")
    running: int = Field(description="runs that are being computed")
    slots: int = Field(description="threads that take runs from the queue and follow them")
    lock: bool = Field(description="whether the database is this server's")
    free_mb: int = Field(description="room on the disk of the data folder, in megabytes")
    reasons: list[str] = Field(description="why runs cannot be served; empty if they can")
    detail: str | None = Field(None, description="the reasons as one text, where there are any")


class Starting(BaseModel):
    """The state of a server that is still being loaded (``app/front.py`` says this)."""

    status: Literal["unavailable"]
    version: str
    reasons: list[str]
    detail: str


@router.get(
    "/api/health",
    response_model_exclude_none=True,
    responses={503: {"model": Health | Starting, "description": "Runs cannot be served."}},
)
async def health(lab: TheLab, response: Response) -> Health:
    """Answers at once; 503 with the reasons while no runs can be served, or the lab starts."""
    state = _state(lab)
    if state.reasons:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return state


@router.head("/api/health", include_in_schema=False)
async def health_head(lab: TheLab) -> Response:
    """The status alone, as many monitors ask for it."""
    return Response(status_code=503 if lab.guardian.condition.reasons else 200)


def _state(lab: Lab) -> Health:
    condition = lab.guardian.condition
    return Health(
        status="unavailable" if condition.reasons else "ok",
        version=__version__,
        device=default_device(),
        executor=lab.executor.name,
        role="owner" if lab.role.is_owner else "viewer",
        queue=lab.queue.waiting,
        running=lab.queue.active,
        slots=condition.slots,
        lock=condition.lock,
        free_mb=condition.free_mb,
        reasons=list(condition.reasons),
        detail="; ".join(condition.reasons) or None,
    )
