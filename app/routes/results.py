"""The paper's tables as the lab has reproduced them: results that ship with it."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from app.routes.common import problem
from app.shipped import UnknownResultError, shipped_result, shipped_results
from newton_core.evidence.protocols import ScaleName
from newton_core.evidence.results import Result

router = APIRouter(tags=["catalog"])


class ResultInfo(BaseModel):
    """A result without its rows."""

    name: str = Field(description="by which it is asked for")
    protocol: str
    scale: ScaleName
    title: str
    source: str
    command: str = Field(description="computes it again")
    date: str
    complete: bool = Field(description="false while rows are missing")
    rows: int


class ResultAnswer(BaseModel):
    """A result, and what it says beside the paper's numbers, a sentence for each gain."""

    result: Result
    reproduced: list[str] = Field(description="gains whose interval holds the paper's")
    not_reproduced: list[str] = Field(description="gains of another size or sign, or not shown")


@router.get("/api/results")
def results() -> list[ResultInfo]:
    """What has been reproduced, without the numbers."""
    return [
        ResultInfo(
            rows=len(result.rows),
            **result.model_dump(include=set(ResultInfo.model_fields) - {"rows"}),
        )
        for result in shipped_results()
    ]


@router.get("/api/results/{name}", responses={404: problem("There is no such result.")})
def result(name: str) -> ResultAnswer:
    """One reproduced table or figure: ``table1-small``, or ``table1`` for its largest scale."""
    try:
        found = shipped_result(name)
    except UnknownResultError as error:
        raise HTTPException(404, str(error)) from error
    said = [pair for row in found.rows for pair in row.sentences]
    held = [words for arm, words in said if arm.verdict == "reproduced"]
    lost = [words for arm, words in said if arm.verdict != "reproduced"]
    return ResultAnswer(result=found, reproduced=held, not_reproduced=lost)
