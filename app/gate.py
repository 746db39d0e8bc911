"""Stands before a lab that is shared: asks for its code, and knows visitors again."""

import re
from html import escape
from string import Template
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings
from app.visitors import TooManyCodesError, Visitors, WrongCodeError

ENTER = "/enter"
"""Where codes are given: the access code, or the admin's."""
WAIT_SECONDS = 60
_OPEN = ("/api/health", ENTER)
_OWN_ADDRESS = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
_API_REFUSAL = (
    "this lab asks for an access code: open its page and enter it, or send it as"
    " Authorization: Bearer CODE"
)


def is_needed(settings: Settings) -> bool:
    """Whether any setting has the lab know who asks."""
    return bool(settings.access_code or settings.admin_code or settings.tells_visitors_apart)


class Gate:
    """Refuses whoever has no code, and notes for the routes who asks (``state.visitor``)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asking = HTTPConnection(scope)
        visitors: Visitors = scope["app"].state.lab.visitors
        path = own_path(scope)
        try:
            visitor = visitors.recognise(asking)
        except (WrongCodeError, TooManyCodesError) as error:
            await _refuse_code(error)(scope, receive, send)
            return
        if not visitor.may_enter and path not in _OPEN:
            await _closed(asking, path)(scope, receive, send)
            return
        scope.setdefault("state", {})["visitor"] = visitor
        if scope["method"] == "GET" and not path.startswith(("/api/", "/assets/")):
            send = _with_cookie(visitors, asking, send)
        await self._app(scope, receive, send)


def own_path(scope: Scope) -> str:
    """The path without the prefix that the lab is shown under, if it has it."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(root) or "/" if path == root or path.startswith(root + "/") else path


def own_address(given: str) -> str:
    """An address of this lab to go on to: what was given, or its first page if it leads away."""
    return given if _OWN_ADDRESS.fullmatch(given) else "/"


def code_page(root: str, onward: str, problem: str | None, status: int) -> Response:
    """The page that asks for a code, which needs no script.

    Args:
        root: the prefix that the lab is shown under.
        onward: where the code leads, without that prefix.
        problem: what was wrong with the one before.
        status: of the answer.
    """
    html = _PAGE.substitute(
        action=escape(f"{root}{ENTER}"),
        onward=escape(onward),
        problem="" if problem is None else f'<p class="wrong" role="alert">{escape(problem)}</p>',
    )
    headers = {"Retry-After": str(WAIT_SECONDS)} if status == 429 else None
    return HTMLResponse(html, status, headers)


def _refuse_code(error: WrongCodeError | TooManyCodesError) -> JSONResponse:
    detail = {"detail": str(error)}
    if isinstance(error, TooManyCodesError):
        return JSONResponse(detail, 429, {"Retry-After": str(WAIT_SECONDS)})
    return JSONResponse(detail, 401, {"WWW-Authenticate": "Bearer"})


def _closed(asking: HTTPConnection, path: str) -> Response:
    is_page = asking.scope["method"] in ("GET", "HEAD") and "html" in asking.headers.get(
        "Accept", ""
    )
    if not is_page or path == "/metrics" or path.startswith(("/api/", "/assets/")):
        return JSONResponse({"detail": _API_REFUSAL}, 401, {"WWW-Authenticate": "Bearer"})
    query = asking.url.query
    onward = quote(path, safe="/~") + (f"?{query}" if query else "")
    return code_page(asking.scope.get("root_path", ""), own_address(onward), None, 401)


def _with_cookie(visitors: Visitors, asking: HTTPConnection, send: Send) -> Send:
    carrier = Response()
    visitors.introduce(carrier, asking)
    cookie = carrier.headers.get("set-cookie")
    if cookie is None:
        return send

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return send_with_cookie


_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Enter · Newton Lab</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#fbfaf7, #14181b); color: light-dark(#1d2429, #e8e6e1); }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { box-sizing: border-box; width: min(25rem, 100%); padding: 1.75rem; }
h1 { font-size: 1.35rem; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input, button { font: inherit; box-sizing: border-box; width: 100%; min-height: 44px;
  padding: .5rem .75rem; border-radius: 8px; border: 1px solid light-dark(#8b8f92, #6b757d); }
input { background: light-dark(#fff, #1b2024); color: inherit; margin-bottom: .75rem; }
button { border: 0; background: light-dark(#1b5e9c, #7db7e8); color: light-dark(#fff, #10161a);
  font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid light-dark(#1b5e9c, #7db7e8); outline-offset: 2px; }
small { display: block; margin-top: 1rem; color: light-dark(#5d676f, #a6afb6); }
.wrong { color: light-dark(#b3261e, #ff8a80); }
</style>
</head>
<body>
<main>
<h1>Newton Lab</h1>
<p>This lab is shared. Its teacher has the code.</p>
$problem
<form method="post" action="$action">
<label for="code">Code</label>
<input id="code" name="code" type="password" required maxlength="200" autofocus
  autocomplete="current-password" autocapitalize="none" spellcheck="false">
<input name="next" type="hidden" value="$onward">
<button>Enter</button>
</form>
<small>A cookie remembers that you gave the code, and a random one which runs are yours. The lab
asks for no name and keeps none.</small>
</main>
</body>
</html>
""")
