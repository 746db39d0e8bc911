"""What a teacher shows, followed by those who were given its address.

A presentation is where the teacher's page is: an address of the lab, and what is pointed at. It is
no part of any log. It lives in the database, so every server on it knows it, also after a restart.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from app.database import Database, FollowersRow, PresentationRow

MOST_PRESENTATIONS = 200
FORGOTTEN_AFTER_SECONDS = 12 * 3600.0
ALIVE_SECONDS = 60.0
"""So often at most a sign of life is stored of a presentation that shows the same."""
COUNT_SECONDS = 10.0
"""So often at least a server says how many follow on it; three times as late it counts no more."""
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


class PresentationStore:
    """The table of presentations, and how many follow each on which server."""

    def __init__(self, database: Database, server: str, now: Callable[[], float]) -> None:
        """Sets what is stored.

        Args:
            database: where.
            server: the mark of this server, which no other has.
            now: seconds since 1970.
        """
        self._database = database
        self._server = server
        self._now = now

    @property
    def is_shared(self) -> bool:
        """Whether other servers may read and write presentations too."""
        return self._database.is_shared

    def read(self, names: Collection[str]) -> dict[str, Shown]:
        """Those of these presentations that are there."""
        query = select(PresentationRow).where(PresentationRow.id.in_(names))
        with self._database.read() as session:
            return {row.id: _shown(row) for row in session.scalars(query)}

    def put(self, name: str, address: str, highlight: str | None) -> Shown:
        """Stores where a presentation is; the same place again is no change.

        Raises:
            TooManyPresentationsError: it is new, and all places are taken.
        """
        while True:
            try:
                return self._put(name, address, highlight)
            except IntegrityError:  # another request began it in between
                continue

    def _put(self, name: str, address: str, highlight: str | None) -> Shown:
        now = self._now()
        with self._database.write() as session:
            row = session.get(PresentationRow, name)
            if row is None:
                old = PresentationRow.said < now - FORGOTTEN_AFTER_SECONDS
                session.execute(delete(PresentationRow).where(old))
                count = session.scalar(select(func.count()).select_from(PresentationRow)) or 0
                if count >= MOST_PRESENTATIONS:
                    raise TooManyPresentationsError("too many presentations are going on")
                row = PresentationRow(
                    id=name, address=address, highlight=highlight, number=0, said=now
                )
                session.add(row)
            elif (row.address, row.highlight) != (address, highlight):
                row.address, row.highlight = address, highlight
                row.number, row.said = row.number + 1, now
            elif abs(now - row.said) > ALIVE_SECONDS:
                row.said = now
            return _shown(row)

    def remove(self, name: str) -> None:
        """Ends a presentation."""
        with self._database.write() as session:
            session.execute(delete(PresentationRow).where(PresentationRow.id == name))

    def count(self, name: str) -> int:
        """How many follow a presentation on other servers."""
        query = select(func.sum(FollowersRow.number)).where(
            FollowersRow.presentation == name,
            FollowersRow.server != self._server,
            FollowersRow.said > self._now() - 3 * COUNT_SECONDS,
        )
        with self._database.read() as session:
            return int(session.scalar(query) or 0)

    def note(self, followers: Mapping[str, int]) -> None:
        """Stores how many follow on this server; presentations that are over are left out."""
        with self._database.write() as session:
            session.execute(delete(FollowersRow).where(FollowersRow.server == self._server))
            there = select(PresentationRow.id).where(PresentationRow.id.in_(followers))
            session.add_all(
                FollowersRow(
                    presentation=name, server=self._server, number=followers[name], said=self._now()
                )
                for name in session.scalars(there.with_for_update(read=True))
            )


def _shown(row: PresentationRow) -> Shown:
    return Shown(row.address, row.highlight, row.number)


@dataclass
class _Followed:
    """A presentation with followers on this server; ``shown`` is what they know of it."""

    shown: Shown | None = None
    followers: set[asyncio.Event] = field(default_factory=set)

    def take(self, shown: Shown) -> None:
        """Wakes the followers, unless they know this or something later already."""
        if self.shown is None or shown.ended or shown.number > self.shown.number:
            self.shown = shown
            for news in self.followers:
                news.set()


class Presentations:
    """All presentations, and those who follow them on this server.

    Followers live in the event loop's thread; all else may be called from other threads.
    """

    def __init__(
        self, key: bytes, database: Database, server: str, now: Callable[[], float] = time.time
    ) -> None:
        """Sets the key.

        Args:
            key: what secrets are made with; the same one on all servers of a database.
            database: where they are stored.
            server: the mark of this server, which no other has.
            now: seconds since 1970.
        """
        self._key = key
        self._store = PresentationStore(database, server, now)
        self._followed: dict[str, _Followed] = {}
        self._noted: dict[str, int] = {}
        self._noted_at = 0.0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, address: str, highlight: str | None) -> tuple[str, str]:
        """Starts a presentation; gives its id and its secret.

        Raises:
            TooManyPresentationsError: all places are taken.
        """
        name = secrets.token_hex(_ID_BYTES)
        self._store.put(name, address, highlight)
        return name, self.secret_of(name)

    def secret_of(self, name: str) -> str:
        """What only the one who began it was told."""
        return hmac.digest(self._key, name.encode(), "sha256").hex()[:32]

    def show(
        self, name: str, secret: str, address: str, highlight: str | None, *, ended: bool = False
    ) -> Shown:
        """Moves a presentation on; one that was forgotten is there again.

        Raises:
            WrongSecretError: the secret is not that of this presentation.
            TooManyPresentationsError: all places are taken.
        """
        if not hmac.compare_digest(self.secret_of(name).encode(), secret.encode()):
            raise WrongSecretError("this secret does not belong to this presentation")
        if ended:
            known = self.get(name)
            number = 0 if known is None else known.number + 1
            shown = Shown(address, highlight, number, ended=True)
            self._store.remove(name)
        else:
            shown = self._store.put(name, address, highlight)
        self._hand_over(lambda: self._take({name: shown}))
        return shown

    def get(self, name: str) -> Shown | None:
        """What a presentation shows; None if there is none of this name."""
        return self._store.read([name]).get(name)

    def followers(self, name: str) -> int:
        """How many follow it, on all servers."""
        elsewhere = self._store.count(name) if self._store.is_shared else 0
        return elsewhere + self._own().get(name, 0)

    def look(self) -> None:
        """Reads where other servers have moved what is followed here, and says how many follow."""
        own = self._own()
        now = time.monotonic()
        if own != self._noted or (own and now > self._noted_at + COUNT_SECONDS):
            self._store.note(own)
            self._noted, self._noted_at = own, now
        if own:
            found = self._store.read(own)
            over = {name: Shown("", ended=True) for name in own.keys() - found.keys()}
            self._hand_over(lambda: self._take(found | over))

    async def follow(self, name: str, patience: float) -> AsyncIterator[Shown | None]:
        """What is shown now, then each change; None after ``patience`` seconds without one.

        A follower that is slow misses what was shown in between. Ends with the presentation, or
        when the server stops.
        """
        self._loop = asyncio.get_running_loop()
        followed = self._followed.setdefault(name, _Followed())
        news = asyncio.Event()
        followed.followers.add(news)
        told = -1
        try:
            found = await anyio.to_thread.run_sync(self.get, name)
            followed.take(found or Shown("", ended=True))
            while not self._closed:
                news.clear()
                shown = followed.shown
                if shown is not None and (shown.ended or shown.number != told):
                    told = shown.number
                    yield shown
                    if shown.ended:
                        return
                try:
                    await asyncio.wait_for(news.wait(), patience)
                except TimeoutError:
                    yield None
        finally:
            followed.followers.discard(news)
            if not followed.followers and self._followed.get(name) is followed:
                del self._followed[name]

    def close(self) -> None:
        """Ends all followers' streams, so that the server can stop; from any thread."""
        self._hand_over(self._end)

    def _own(self) -> dict[str, int]:
        return {name: len(one.followers) for name, one in list(self._followed.items())}

    def _hand_over(self, news: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(news)

    def _take(self, found: Mapping[str, Shown]) -> None:
        for name, shown in found.items():
            if (followed := self._followed.get(name)) is not None:
                followed.take(shown)

    def _end(self) -> None:
        self._closed = True
        for followed in self._followed.values():
            for news in followed.followers:
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
