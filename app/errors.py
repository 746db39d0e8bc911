"""Errors as the page needs them: JSON, with the path of the field that each is about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from newton_core.experiment.errors import named_path

Loc = tuple[str | int, ...]
RETRY_SECONDS = 5
MOST_PROBLEMS = 100
MOST_CHARACTERS = 200
_UNREAD = "There was an error parsing the body"
"""What FastAPI says, whatever the reason."""
_BODY_TAGS = ("spec", "preset", "parameters", "outputs", "line", "step", "turn")


class FieldError(RequestValidationError):
    """A 422 made by hand: its paths are as in the JSON that was sent already."""


def validation_error(problems: Iterable[tuple[Loc, str, str]]) -> FieldError:
    """A 422 from (loc, message, type) of each problem."""
    return FieldError(
        [{"loc": list(loc), "msg": message, "type": kind} for loc, message, kind in problems]
    )


async def answer_validation_error(_request: Request, error: Exception) -> JSONResponse:
    """FastAPI's 422, with field paths as in the JSON that was sent.

    Union tags are left out of the paths, the spec's own checks get theirs from their message,
    and the input is not sent back: it may hold NaN, which JSON cannot. At most ``MOST_PROBLEMS``
    are told.
    """
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):
        words = "the body must be JSON, sent with the header Content-Type: application/json"
        error = validation_error([(("body",), words, "content_type")])
    found = error.errors()
    details = [dict(item) for item in found[:MOST_PROBLEMS]]
    if not isinstance(error, FieldError):
        details = _without_echoes([_detail(item, error.body) for item in details])
    for detail in details:
        detail["loc"] = [_shown(part, MOST_CHARACTERS) for part in detail["loc"]]
        detail["msg"] = _shown(detail["msg"], 10 * MOST_CHARACTERS)
    if len(found) > MOST_PROBLEMS:
        more = f"{len(found) - MOST_PROBLEMS} more problems are not listed"
        details.append({"loc": ["body"], "msg": more, "type": "too_many"})
    return JSONResponse({"detail": details}, status_code=422)


def _shown(text: str | int, most: int) -> str | int:
    """A part of an error, made short and printable, because strangers choose the names."""
    if isinstance(text, int):
        return text
    return text[:most].encode("utf-8", "replace").decode("utf-8")


def _detail(item: Mapping[str, Any], body: Any) -> dict[str, Any]:
    loc: Loc = tuple(item["loc"])
    message = str(item["msg"])
    if item["type"] == "json_invalid":
        message = f"the body is not JSON: {item['ctx']['error']}, at character {loc[-1]}"
    if loc[:1] == ("body",):
        loc = ("body", *_without_tags(loc[1:], body))
        message = message.removeprefix("Value error, ")
        named = named_path(message)
        if named is not None and _leads_somewhere(body, (*loc[1:], named[0][0])):
            loc, message = (*loc, *named[0]), named[1]
    return {"loc": list(loc), "msg": message, "type": item["type"]}


def _without_echoes(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drops Pydantic's "too short" about a list whose items it refused itself."""
    outer = {tuple(d["loc"][:depth]) for d in details for depth in range(1, len(d["loc"]))}
    return [d for d in details if not (d["type"] == "too_short" and tuple(d["loc"]) in outer)]


def _without_tags(loc: Sequence[str | int], body: Any) -> Loc:
    """The path without the names of union members, which Pydantic puts in between."""
    if loc and loc[0] in _BODY_TAGS and not _is_field(loc, body):
        loc = loc[1:]
    path: list[str | int] = []
    value = body
    for part in loc:
        if isinstance(value, Mapping) and part == value.get("name") and part not in value:
            continue
        path.append(part)
        value = _step(value, part)
    return tuple(path)


def _is_field(loc: Sequence[str | int], body: Any) -> bool:
    """Whether a path begins with a field of the body, and not with the name of what it is."""
    if not isinstance(body, Mapping) or loc[0] not in body:
        return False
    below = isinstance(body[loc[0]], Mapping | list) and loc[1:2] != loc[:1]
    return len(loc) == 1 or below


def _step(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _leads_somewhere(value: Any, path: Loc) -> bool:
    for part in path:
        value = _step(value, part)
    return value is not None


def http_detail(error: HTTPException) -> str:
    """What an HTTP error says; of a body that FastAPI could not read, also why."""
    if error.detail == _UNREAD:
        match error.__cause__:
            case RecursionError():
                return "the body is not read: its JSON is nested too deeply"
            case UnicodeDecodeError():
                return "the body is not JSON: it is not encoded as UTF-8"
            case ValueError() as cause:  # a number of thousands of digits
                return f"the body is not read: {cause}"
    return error.detail


async def answer_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """A 500 without details, which the log has."""
    return JSONResponse(
        {"detail": "the server met an unexpected error; its log says more"}, status_code=500
    )


async def answer_unavailable(_request: Request, error: Exception) -> JSONResponse:
    """A 503: the database, or a run that should have ended, needs a while."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return JSONResponse({"detail": str(error)}, status_code=503, headers=headers)
