"""What the routes share: the lab, the run that a path names, and errors."""

import re
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field

from app.database import RunRow
from app.lab import Lab

_RUN_ID = re.compile(r"[0-9a-f]{12}")
LARGEST_SEQ = 2**53 - 1


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="in words")


def problem(description: str) -> dict[str, Any]:
    """OpenAPI's description of an answer that refuses."""
    return {"model": Problem, "description": description}


def get_lab(request: Request) -> Lab:
    """The lab that this server serves."""
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(get_lab)]


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
NO_SUCH_RUN: dict[int | str, dict[str, Any]] = {404: problem("There is no such run.")}
