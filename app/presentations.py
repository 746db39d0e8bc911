"""What a teacher shows, followed by those who were given its address.

A presentation is where the teacher's page is: an address of the lab, and what is pointed at. It is
no part of any log. It lives in the memory of one server: after a restart the teacher's page says it
again, and those who follow come back to it by themselves.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

MOST_PRESENTATIONS = 200
FORGOTTEN_AFTER_SECONDS = 12 * 3600.0
KEY_FILE = "presentations.key"
_KEY_BYTES = 32
_ID_BYTES = 6


class WrongSecretError(ValueError):
    """Somebody else's presentation."""


class TooManyPresentationsError(RuntimeError):
    """Nothing more can be kept."""


@dataclass(frozen=True)
class Shown:
    """What is shown just now."""

    address: str
    highlight: str | None = None
    number: int = 0
    """Counts the changes."""
    ended: bool = False


@dataclass
class _Presentation:
    shown: Shown
    said: float
    followers: set[asyncio.Event] = field(default_factory=set)


class Presentations:
    """All presentations of this server. Lives in the event loop's thread."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.monotonic) -> None:
        """Sets the key.

        Args:
            key: what secrets are made with; the same one after a restart, so that they still hold.
            now: seconds of a clock.
        """
        self._key = key
        self._now = now
        self._known: dict[str, _Presentation] = {}
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, address: str, highlight: str | None) -> tuple[str, str]:
        """Starts a presentation; gives its id and its secret.

        Raises:
            TooManyPresentationsError: all places are taken.
        """
        name = secrets.token_hex(_ID_BYTES)
        self._keep(name, Shown(address, highlight))
        return name, self.secret_of(name)

    def secret_of(self, name: str) -> str:
        """What only the one who began it was told."""
        return hmac.digest(self._key, name.encode(), "sha256").hex()[:32]

    def show(
        self, name: str, secret: str, address: str, highlight: str | None, *, ended: bool = False
    ) -> Shown:
        """Moves a presentation on; one that a restart has forgotten is there again.

        Raises:
            WrongSecretError: the secret is not that of this presentation.
            TooManyPresentationsError: all places are taken.
        """
        if not hmac.compare_digest(self.secret_of(name).encode(), secret.encode()):
            raise WrongSecretError("this secret does not belong to this presentation")
        known = self._known.get(name)
        number = 0 if known is None else known.shown.number + 1
        shown = Shown(address, highlight, number, ended)
        if known is not None and (known.shown.address, known.shown.highlight, ended) == (
            address, highlight, known.shown.ended,
        ):  # fmt: skip
            known.said = self._now()  # a sign of life
            return known.shown
        self._keep(name, shown)
        return shown

    def get(self, name: str) -> Shown | None:
        """What a presentation shows; None if there is none of this name."""
        known = self._known.get(name)
        return None if known is None else known.shown

    def followers(self, name: str) -> int:
        """How many follow it."""
        known = self._known.get(name)
        return 0 if known is None else len(known.followers)

    async def follow(self, name: str, patience: float) -> AsyncIterator[Shown | None]:
        """What is shown now, then each change; None after ``patience`` seconds without one.

        A follower that is slow misses what was shown in between. Ends with the presentation, or
        when the server stops.
        """
        known = self._known.get(name)
        if known is None:
            return
        self._loop = asyncio.get_running_loop()
        news = asyncio.Event()
        known.followers.add(news)
        told = -1
        try:
            while not self._closed:
                news.clear()
                shown = known.shown
                if shown.number != told:
                    told = shown.number
                    yield shown
                if shown.ended:
                    return
                try:
                    await asyncio.wait_for(news.wait(), patience)
                except TimeoutError:
                    yield None
        finally:
            known.followers.discard(news)

    def close(self) -> None:
        """Ends all followers' streams, so that the server can stop; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._closed = True
        for known in self._known.values():
            _wake(known)

    def _keep(self, name: str, shown: Shown) -> None:
        known = self._known.get(name)
        if known is None:
            self._forget_old()
            if len(self._known) >= MOST_PRESENTATIONS:
                raise TooManyPresentationsError("too many presentations are going on")
            known = self._known[name] = _Presentation(shown, self._now())
        known.shown, known.said = shown, self._now()
        _wake(known)
        if shown.ended:
            del self._known[name]

    def _forget_old(self) -> None:
        before = self._now() - FORGOTTEN_AFTER_SECONDS
        for name in [name for name, known in self._known.items() if known.said < before]:
            known = self._known.pop(name)
            known.shown = Shown(known.shown.address, None, known.shown.number + 1, ended=True)
            _wake(known)


def _wake(presentation: _Presentation) -> None:
    for news in presentation.followers:
        news.set()


def read_key(folder: Path) -> bytes:
    """The key of a data folder, which is made when it is first asked for."""
    file = folder / KEY_FILE
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != _KEY_BYTES:
        key = secrets.token_bytes(_KEY_BYTES)
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(key)
    return key
