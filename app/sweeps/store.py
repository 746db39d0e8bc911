"""The table of sweeps and their logs, which are stored before anyone sees them."""

import hashlib
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import delete, func, insert, select, true, update

from app.database import Database, SweepEventRow, SweepRow
from app.runs.feed import Feed
from app.runs.identity import identify
from app.runs.log import LogReader, LogTables
from app.runs.records import LoggedEvent
from app.sweeps.records import SweepWish
from newton_core.experiment.events import LAST_EVENTS

MOST_GOING = 20
SweepAsked = Literal["stop", "remove"]


class TooManySweepsError(RuntimeError):
    """As many sweeps are going as may go."""


class SweepStore(LogReader):
    """Reads and changes the table of sweeps, and their logs."""

    def __init__(self, database: Database, feed: Feed) -> None:
        super().__init__(database, LogTables(SweepRow, SweepEventRow, SweepEventRow.sweep))
        self._feed = feed
        self._turn = threading.Lock()  # so that events are published in the order of their numbers

    def create(
        self,
        wish: SweepWish,
        cells: int,
        title: str,
        preset: str | None,
        owner: str | None = None,
        most_of_one: int = 0,
    ) -> tuple[SweepRow, bool]:
        """The sweep of a wish, and whether it was there; one that was stopped goes on.

        Args:
            wish: what is varied.
            cells: how many combinations that makes.
            title: what people call it.
            preset: name of the preset that is varied.
            owner: mark of the visitor who asks, where visitors are told apart.
            most_of_one: how many of one owner may be going; 0 for no limit.

        Raises:
            TooManySweepsError: ``MOST_GOING`` are going, or as many as may of this owner.
        """
        text = wish.model_dump_json()
        version = identify(wish.spec).version  # numbers of another version are other numbers
        key = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()
        with self._turn, self._database.write() as session:
            row = session.scalar(select(SweepRow).where(SweepRow.key == key))
            found = row is not None
            if row is None or row.status in ("cancelled", "failed"):
                going = select(func.count()).select_from(SweepRow)
                if (session.scalar(going.where(SweepRow.ended.is_(None))) or 0) >= MOST_GOING:
                    raise TooManySweepsError(f"{MOST_GOING} sweeps are going already")
                own = going.where(SweepRow.ended.is_(None), SweepRow.owner == owner)
                if most_of_one and owner and (session.scalar(own) or 0) >= most_of_one:
                    raise TooManySweepsError(f"{most_of_one} of your sweeps are going already")
            if row is None:
                row = SweepRow(
                    id=secrets.token_hex(6), status="running", key=key, title=title,
                    preset=preset, wish=text, cells=cells, created=time.time(), owner=owner,
                )  # fmt: skip
                session.add(row)
            elif row.status in ("cancelled", "failed"):
                row.status, row.ended, row.asked = "running", None, None
            session.flush()
            session.refresh(row)
            session.expunge(row)
        return row, found

    def get(self, sweep_id: str) -> SweepRow | None:
        """The sweep called ``sweep_id``."""
        with self._database.read() as session:
            return session.scalar(select(SweepRow).where(SweepRow.id == sweep_id))

    def page(self, limit: int, offset: int) -> tuple[list[SweepRow], int]:
        """Sweeps, the newest first, and how many there are in all."""
        query = select(SweepRow).order_by(SweepRow.number.desc()).limit(limit).offset(offset)
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(SweepRow)) or 0
            return list(session.scalars(query)), total

    def going(self) -> list[SweepRow]:
        """Those that have not ended, the oldest first."""
        query = select(SweepRow).where(SweepRow.ended.is_(None)).order_by(SweepRow.number)
        with self._database.read() as session:
            return list(session.scalars(query))

    def ask(self, sweep_id: str, wish: SweepAsked) -> bool:
        """Stores a request to the server that owns the queue; a stronger one replaces a weaker one.

        Returns:
            Whether the sweep is there, and has not ended.
        """
        weaker = SweepRow.asked.is_(None) if wish == "stop" else true()
        change = update(SweepRow).where(SweepRow.id == sweep_id, weaker).values(asked=wish)
        going = select(SweepRow.number).where(SweepRow.id == sweep_id, SweepRow.ended.is_(None))
        with self._database.write() as session:
            session.execute(change)
            return session.scalar(going) is not None

    def wishes(self) -> list[tuple[str, str]]:
        """The open requests: id of the sweep, and what is to be done."""
        query = select(SweepRow.id, SweepRow.asked).where(SweepRow.asked.is_not(None))
        with self._database.read() as session:
            return [(sweep_id, wish) for sweep_id, wish in session.execute(query) if wish]

    def fulfil(self, sweep_id: str, wish: str) -> None:
        """Removes a request that is done, unless a stronger one has replaced it."""
        change = update(SweepRow).where(SweepRow.id == sweep_id, SweepRow.asked == wish)
        with self._database.write() as session:
            session.execute(change.values(asked=None))

    def delete(self, sweep_id: str) -> None:
        """Removes a sweep and its log; its viewers learn that there is no more to come."""
        with self._turn, self._database.write() as session:
            session.execute(delete(SweepRow).where(SweepRow.id == sweep_id))
        self._database.reclaim()
        self._feed.forget(sweep_id)

    def append(self, sweep_id: str, records: Sequence[tuple[str, BaseModel]]) -> None:
        """Stores events, each a type and a record, then tells the viewers.

        The last event of a sweep ends it. After its end nothing is stored.
        """
        with self._turn:
            with self._database.write(owned=True) as session:
                query = select(SweepRow).where(SweepRow.id == sweep_id, SweepRow.ended.is_(None))
                row = session.scalar(query)
                if row is None or not records:
                    return
                events = [
                    LoggedEvent(seq, type_, 0, record.model_dump_json())
                    for seq, (type_, record) in enumerate(records, row.last_seq + 1)
                ]
                last = events[-1]
                ending = {"status": last.type, "ended": time.time()}
                session.execute(
                    update(SweepRow)
                    .where(SweepRow.number == row.number)
                    .values(last_seq=last.seq, **(ending if last.type in LAST_EVENTS else {}))
                )
                session.execute(
                    insert(SweepEventRow),
                    [
                        {"sweep": row.number, "seq": e.seq, "type": e.type, "body": e.body}
                        for e in events
                    ],
                )
            self._feed.publish(sweep_id, events)
