"""Whether the server is there, and what it works with."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app import __version__
from app.lab import default_device
from app.routes.common import TheLab

router = APIRouter(tags=["server"])


class Health(BaseModel):
    """The server's state."""

    status: Literal["ok"]
    version: str
    device: str = Field(description="the best device for runs: cuda, mps or cpu")
    executor: str
    queue: int = Field(description="runs that wait")
    running: int = Field(description="runs that are being computed")


@router.get("/api/health")
async def health(lab: TheLab) -> Health:
    """Answers as soon as runs can be posted."""
    return Health(
        status="ok",
        version=__version__,
        device=default_device(),
        executor=lab.executor.name,
        queue=lab.queue.waiting,
        running=lab.queue.active,
    )
