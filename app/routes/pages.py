"""The page's files; the page itself answers every path that nothing else does."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from app.errors import http_detail
from app.gate import own_path
from app.static import StaticFiles, page_answer

router = APIRouter(include_in_schema=False)


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
def asset(request: Request, name: str) -> Response:
    """A file with a hash in its name."""
    files: StaticFiles = request.app.state.files
    found = files.find(f"/assets/{name}")
    if found is None:
        raise HTTPException(404, f"there is no file {name!r}: reload the page")
    return found


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Errors as JSON; a path that nothing answers is one of the page's own, unless under /api."""
    assert isinstance(error, StarletteHTTPException)
    path = own_path(request.scope)
    ours = path == "/api" or path.startswith(("/api/", "/assets/"))
    if error.status_code == 404 and request.method in ("GET", "HEAD") and not ours:
        files: StaticFiles = request.app.state.files
        return page_answer(files, path, request.scope.get("root_path", ""))
    return JSONResponse(
        {"detail": http_detail(error)}, status_code=error.status_code, headers=error.headers
    )
