"""Checks the size of every request's body, and adds security headers to every answer."""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings


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
    """Adds the headers that browsers obey; an attachment has no policy of its own."""

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


class BodyLimit:
    """Refuses a body that says that it is too large, or turns out to be, in JSON either way."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._most = settings.max_body_bytes
        self._detail = f"the body is too large: at most {self._most} bytes on this server"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        length = Headers(scope=scope).get("Content-Length", "") if scope["type"] == "http" else ""
        if length.isdecimal() and int(length) > self._most:
            await JSONResponse({"detail": self._detail}, 413)(scope, receive, send)
            return
        read, complete = 0, False

        async def counted() -> Message:
            nonlocal read, complete
            try:
                message = await receive()
            except asyncio.CancelledError:
                if complete:
                    raise
                # The server stops while it waits for the rest of a body: to whoever reads it,
                # the client has left, which is an answer and no traceback in the log.
                return {"type": "http.disconnect"}
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(413, self._detail)  # which whoever reads the body passes on
            return message

        await self._app(scope, counted, send)
