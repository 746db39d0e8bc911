"""Who may enter, and what a visitor is told about themselves."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from app.gate import ENTER, code_page, own_address
from app.lab import Lab
from app.routes.common import TheLab, TheVisitor, address_of
from app.visitors import TooManyCodesError, WrongCodeError

router = APIRouter(tags=["server"])


class VisitorInfo(BaseModel):
    """What this lab makes of whoever asks."""

    is_admin: bool = Field(description="whether the admin's code was given")
    takes_codes: bool = Field(description="whether there is a code to give at enter")
    told_apart: bool = Field(description="whether a random cookie tells visitors apart")
    own_runs_only: bool = Field(description="whether only who started a run may change it")


@router.get("/api/visitor")
def get_visitor(lab: TheLab, visitor: TheVisitor) -> VisitorInfo:
    """What this visitor may do."""
    settings = lab.settings
    return VisitorInfo(
        is_admin=visitor.is_admin,
        takes_codes=lab.visitors.takes_codes,
        told_apart=settings.tells_visitors_apart,
        own_runs_only=settings.own_runs_only,
    )


@router.delete("/api/visitor", status_code=204)
def forget_visitor(lab: TheLab, request: Request, response: Response) -> None:
    """Has the browser forget its codes and which runs are its own."""
    lab.visitors.forget(response, request)


@router.get(ENTER, include_in_schema=False)
async def ask_for_code(
    lab: TheLab,
    request: Request,
    onward: Annotated[str, Query(alias="next", max_length=8000)] = "/",
) -> Response:
    """The page that asks for a code, where there is one to give."""
    _takes_codes(lab)
    return code_page(_root(request), own_address(onward), None, 200)


@router.post(ENTER, include_in_schema=False)
async def give_code(lab: TheLab, request: Request) -> Response:
    """Takes a code, as the page's form sends it, and goes on to where it was asked for."""
    _takes_codes(lab)
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    onward = own_address(form.get("next", ["/"])[0])
    try:
        role = lab.visitors.check(form.get("code", [""])[0], address_of(request))
    except WrongCodeError as error:
        return code_page(_root(request), onward, f"{error}: try again.".capitalize(), 403)
    except TooManyCodesError as error:
        return code_page(_root(request), onward, f"{error}.".capitalize(), 429)
    response = RedirectResponse(f"{_root(request)}{onward}", 303)
    lab.visitors.admit(response, request, role)
    return response


def _takes_codes(lab: Lab) -> None:
    if not lab.visitors.takes_codes:
        raise HTTPException(404, "this lab asks for no code")


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
