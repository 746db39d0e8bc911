"""The queue as the admin of a shared lab sees it: who waits, stop, clear."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field

from app.database import RunRow
from app.lab import Lab
from app.routes.common import Descriptions, TheLab, TheVisitor, problem

router = APIRouter(prefix="/api/queue", tags=["server"])

_MARK_LETTERS = 4


def _admin_only(visitor: TheVisitor) -> None:
    if not visitor.is_admin:
        raise HTTPException(
            403,
            "only the admin sees the queue: open /enter and give the code that the server got in"
            " NEWTON_LAB_ADMIN_CODE",
        )


_ADMIN = [Depends(_admin_only)]
_ADMIN_ONLY: Descriptions = {403: problem("This visitor has not given the admin's code.")}


class QueuedRun(BaseModel):
    """A run that waits or is computed."""

    id: str
    title: str
    step: int
    steps: int
    created: datetime
    visitor: str | None = Field(
        description="letters that tell visitors apart and say nothing else of them"
    )


class QueueView(BaseModel):
    """What is computed, and what waits, in order."""

    running: list[QueuedRun]
    waiting: list[QueuedRun]


class Cleared(BaseModel):
    """What became of a queue."""

    stopped: int = Field(description="runs that were told to stop")


@router.get("", dependencies=_ADMIN, responses=_ADMIN_ONLY)
def get_queue(lab: TheLab) -> QueueView:
    """What is computed, and what waits, in order."""
    return QueueView(
        running=[_entry(run) for run in lab.store.with_status("running")],
        waiting=[_entry(run) for run in _waiting(lab)],
    )


@router.post("/clear", status_code=202, dependencies=_ADMIN, responses=_ADMIN_ONLY)
def clear_queue(
    lab: TheLab,
    running: Annotated[bool, Query(description="stop those too that are computed")] = False,
) -> Cleared:
    """Stops all runs that wait, the last one first, so that none begins meanwhile."""
    runs = list(reversed(_waiting(lab)))
    if running:
        runs += lab.store.with_status("running")
    return Cleared(stopped=sum(lab.queue.stop(run.id) for run in runs))


def _waiting(lab: Lab) -> list[RunRow]:
    return lab.store.with_status("queued")


def _entry(run: RunRow) -> QueuedRun:
    return QueuedRun(
        id=run.id,
        title=run.title,
        step=run.step,
        steps=run.steps,
        created=datetime.fromtimestamp(run.created, UTC),
        visitor=run.owner and run.owner[:_MARK_LETTERS],
    )
