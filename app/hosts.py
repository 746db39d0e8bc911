"""Checks by which name the lab is called, and which page asks it for a change.

A page of another site reaches a server on this machine through a name of its own that it points
at 127.0.0.1 (DNS rebinding); the browser then takes the two for one site. Such a name stands in
the Host header, where it is refused. An IP address cannot be pointed elsewhere.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import Settings, is_loopback

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::(\d{1,5}))?")


@dataclass(frozen=True)
class Place:
    """A host and a port; the port is None where it was left out."""

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """``lab.example.org``, ``127.0.0.1:8000`` or ``[::1]:8000``; None if it is neither."""
        match = _HOST.fullmatch(text)
        if match is None:
            return None
        host, port = match.groups()
        return cls(host.strip("[]").lower().rstrip("."), None if port is None else int(port))


class KnownHostsOnly:
    """Answers 400 to names that the lab does not have, 403 to changes that other sites ask for."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._is_public = settings.is_public
        given = [Place.parse(text) for text in settings.hosts.split()]
        listed = {place for place in given if place is not None}
        if settings.is_public and not _is_address(settings.host):
            listed.add(Place(settings.host.lower(), None))  # the name that it was told to listen on
        self._listed = frozenset(listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host = Place.parse(headers.get("Host", ""))
        if host is None or not self._is_ours(host):
            detail = (
                f"this lab is not called {headers.get('Host', '')[:100]!r}: use localhost or an IP"
                " address, or name it in NEWTON_LAB_HOSTS"
            )
            return JSONResponse({"detail": detail}, 400)
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("Origin")
        if origin is None:  # a program, or a browser that says where the page is in other words
            foreign = headers.get("Sec-Fetch-Site") == "cross-site"
        else:
            foreign = not self._may_change(origin, host)
        if foreign:
            return JSONResponse({"detail": "changes by pages of other sites are refused"}, 403)
        return None

    def _is_ours(self, host: Place) -> bool:
        return (
            is_loopback(host.host)
            or self._is_listed(host)
            or (self._is_public and _is_address(host.host))
        )

    def _is_listed(self, place: Place) -> bool:
        return place in self._listed or Place(place.host, None) in self._listed

    def _may_change(self, origin: str, host: Place) -> bool:
        """Whether a page of ``origin`` is the lab's own, or one that was listed."""
        scheme, _, rest = origin.partition("://")
        default = _DEFAULT_PORTS.get(scheme)
        place = Place.parse(rest)
        if default is None or place is None:  # also "null", the origin of files and sandboxes
            return False
        own = Place(host.host, host.port or default)
        return Place(place.host, place.port or default) == own or self._is_listed(place)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def own_host(settings: Settings) -> str | None:
    """The address by which other machines reach this one; None where none can, or none is known."""
    if not settings.is_public:
        return None
    if settings.host not in ("0.0.0.0", "::"):
        return settings.host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # which chooses the interface, and sends nothing
        except OSError:
            return None
        host: str = probe.getsockname()[0]
    return None if is_loopback(host) else host


_ELSEWHERE = ("192.0.2.1", 9)
"""An address that documentation may use and no machine has (RFC 5737)."""
