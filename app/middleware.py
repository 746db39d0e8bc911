"""What holds for every request: security headers, a limit on bodies, no requests by other sites."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def content_security_policy(frame_ancestors: str) -> str:
    """The page runs its own scripts only; Plotly needs inline styles and data: and blob: images."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


class SecurityHeaders:
    """Adds the headers that browsers heed; what is sent as an attachment has no policy."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._policy = content_security_policy(settings.frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers.setdefault("Cache-Control", "no-store")
                if not headers.get("Content-Disposition", "").startswith("attachment"):
                    headers["Content-Security-Policy"] = self._policy
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestGuard:
    """Refuses bodies that are too large, and changes that a page of another site asks for."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._most = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        if scope["type"] != "http" or scope["method"] not in _UNSAFE:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("Sec-Fetch-Site") == "cross-site":
            refusal = JSONResponse({"detail": "requests by other sites are refused"}, 403)
            await refusal(scope, receive, send)
            return
        body = await self._read(headers, receive)
        if body is None:
            detail = f"the body is larger than {self._most} bytes"
            await JSONResponse({"detail": detail}, 413)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body, or None where it is too large."""
        announced = headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > self._most:
            return None
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._most:
                return None
            if message["type"] != "http.request" or not message.get("more_body", False):
                return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then whatever comes after it (a disconnection)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
