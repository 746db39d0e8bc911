"""Who asks: the codes of a shared lab, and visitors without names.

A visitor is a random cookie, or the address of a program that keeps no cookies. What is kept of it
is a mark, sealed with the data folder's key, beside the runs that it started: no names, no address,
and nothing at all where no setting needs it.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.settings import Settings
from app.throttle import Throttle

WRONG_CODES_PER_MINUTE = 20
"""Of one address: a class behind one address mistypes, and six characters are still safe."""
VISITOR_COOKIE = "newton_lab_visitor"
COOKIE_SECONDS = 30 * 24 * 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")
_BEARER = "Bearer "

Role = Literal["access", "admin"]


class WrongCodeError(ValueError):
    """A code that opens nothing."""


class TooManyCodesError(RuntimeError):
    """One address has tried too many wrong codes."""


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Attributes:
        mark: of the visitor; None where visitors are not told apart.
        may_enter: whether the lab is open to them.
        is_admin: whether they gave the admin's code.
        may_change_all: whether runs of others are theirs to stop, name, pin and remove.
    """

    mark: str | None = None
    may_enter: bool = True
    is_admin: bool = False
    may_change_all: bool = True

    def may_change(self, owner: str | None) -> bool:
        """Whether a run of ``owner`` is theirs to stop, name, pin and remove."""
        return self.may_change_all or (owner is not None and owner == self.mark)


ANYONE = Visitor()
"""Who asks an open lab."""


class Visitors:
    """Knows visitors again, and checks codes."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        """Sets the key.

        Args:
            settings: with the codes.
            key: what marks and passes are sealed with; the same one after a restart.
        """
        self._settings = settings
        self._key = key
        given: dict[Role, SecretStr | None] = {
            "admin": settings.admin_code,
            "access": settings.access_code,
        }
        self._codes = {role: code.get_secret_value() for role, code in given.items() if code}
        self._wrong = Throttle(WRONG_CODES_PER_MINUTE)

    @property
    def takes_codes(self) -> bool:
        """Whether there is a code to give."""
        return bool(self._codes)

    def recognise(self, asking: HTTPConnection) -> Visitor:
        """Who sent a request, by its cookies or its ``Authorization``.

        Raises:
            WrongCodeError: it brings a code that opens nothing.
            TooManyCodesError: its address has tried too many.
        """
        role = self._role(asking)
        is_admin = role == "admin"
        mark = None
        if self._settings.tells_visitors_apart:
            token = asking.cookies.get(VISITOR_COOKIE, "")
            mark = self._sealed("visitor", token if _TOKEN.fullmatch(token) else _address(asking))
        return Visitor(
            mark=mark,
            may_enter="access" not in self._codes or role is not None,
            is_admin=is_admin,
            may_change_all=is_admin or not self._settings.own_runs_only,
        )

    def check(self, code: str, address: str) -> Role:
        """What a code opens; takes as long for a wrong one as for the right one.

        Raises:
            WrongCodeError: nothing.
            TooManyCodesError: this address has tried too many.
        """
        if not self._wrong.allows(address):
            raise TooManyCodesError("too many wrong codes; wait a minute")
        given = self._sealed("code", code.strip())
        opened: list[Role] = [
            role
            for role, known in self._codes.items()
            if hmac.compare_digest(given, self._sealed("code", known))
        ]
        if not opened:
            self._wrong.count(address)
            raise WrongCodeError("this is not the code")
        return opened[0]

    def admit(self, response: Response, asking: HTTPConnection, role: Role) -> None:
        """Has the browser remember that it gave a code, until the code is changed."""
        _set_cookie(response, asking, _pass_cookie(role), self._pass(role))

    def forget(self, response: Response, asking: HTTPConnection) -> None:
        """Has the browser forget all of it."""
        for name in (VISITOR_COOKIE, _pass_cookie("access"), _pass_cookie("admin")):
            response.delete_cookie(name, path=_path(asking), httponly=True, samesite="lax")

    def introduce(self, response: Response, asking: HTTPConnection) -> None:
        """Gives a browser its visitor's cookie if it needs one."""
        known = _TOKEN.fullmatch(asking.cookies.get(VISITOR_COOKIE, ""))
        if self._settings.tells_visitors_apart and not known:
            _set_cookie(response, asking, VISITOR_COOKIE, secrets.token_hex(16))

    def _role(self, asking: HTTPConnection) -> Role | None:
        authorization = asking.headers.get("Authorization", "")
        if self._codes and authorization.startswith(_BEARER):
            return self.check(authorization.removeprefix(_BEARER), _address(asking))
        for role in self._codes:
            given = asking.cookies.get(_pass_cookie(role), "")
            if hmac.compare_digest(given.encode(), self._pass(role).encode()):
                return role
        return None

    def _pass(self, role: Role) -> str:
        return self._sealed(f"pass {role}", self._codes[role])

    def _sealed(self, kind: str, text: str) -> str:
        sealed = hmac.digest(self._key, f"{kind}\n{text}".encode("utf-8", "replace"), "sha256")
        return sealed.hex()[:32]


def _pass_cookie(role: Role) -> str:
    return f"newton_lab_{role}"


def _address(asking: HTTPConnection) -> str:
    return asking.client.host if asking.client else ""


def _path(asking: HTTPConnection) -> str:
    return str(asking.scope.get("root_path", "")) or "/"


def _set_cookie(response: Response, asking: HTTPConnection, name: str, value: str) -> None:
    # Lax and not strict: links in a chat or a course page lead here, and must find the cookie.
    response.set_cookie(
        name, value, max_age=COOKIE_SECONDS, path=_path(asking), httponly=True, samesite="lax",
        secure=asking.url.scheme == "https",
    )  # fmt: skip
