"""The event log: stored before anyone sees it, numbered without gaps, read from any place."""

import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database import Database, EventRow, RunRow, SweepEventRow, SweepRow
from app.runs.records import LoggedEvent
from newton_core.experiment.events import LAST_EVENTS

PAGE_EVENTS = 200


class LogConflictError(RuntimeError):
    """Events that do not continue the log: a gap, a repetition, or after the last one."""


@dataclass(frozen=True)
class Page:
    """A part of a log.

    Attributes:
        events: consecutive events.
        ended: whether the log ends with them.
    """

    events: list[LoggedEvent]
    ended: bool


class Publisher(Protocol):
    """Where events go once they are stored."""

    def publish(self, run_id: str, events: Sequence[LoggedEvent]) -> None:
        """Tells the viewers of a run."""


@dataclass(frozen=True)
class LogTables:
    """Where the logs of one kind of thing are stored.

    Attributes:
        owner: whose logs they are; a row has ``id``, ``number``, ``last_seq`` and ``ended``.
        event: one event each.
        owner_number: the column of ``event`` that says whose it is.
    """

    owner: type[RunRow] | type[SweepRow]
    event: type[EventRow] | type[SweepEventRow]
    owner_number: InstrumentedAttribute[int]


class LogReader:
    """Reads logs from any place on."""

    def __init__(self, database: Database, tables: LogTables) -> None:
        self._database = database
        self._tables = tables

    def read(self, owner_id: str, after: int, limit: int = PAGE_EVENTS) -> Page:
        """At most ``limit`` events after number ``after``; the log of nobody has ended."""
        owner, event = self._tables.owner, self._tables.event
        query = (
            select(event.seq, event.type, event.body)
            .join(owner, owner.number == self._tables.owner_number)
            .where(owner.id == owner_id, event.seq > after)
            .order_by(event.seq)
            .limit(limit)
        )
        with self._database.read() as session:
            # the owner first, so that the events read after it are at least as new
            state = session.execute(
                select(owner.last_seq, owner.ended).where(owner.id == owner_id)
            ).one_or_none()
            rows = session.execute(query).all()
        events = [LoggedEvent(seq, type_, 0, body) for seq, type_, body in rows]
        reached = events[-1].seq if events else after
        return Page(
            events, state is None or (state.ended is not None and reached >= state.last_seq)
        )

    def ends(self, owner_ids: Collection[str]) -> dict[str, int]:
        """The number of the last event of each log that is there."""
        owner = self._tables.owner
        query = select(owner.id, owner.last_seq).where(owner.id.in_(owner_ids))
        with self._database.read() as session:
            return {row.id: row.last_seq for row in session.execute(query)}

    def all(self, owner_id: str, after: int = 0) -> Iterator[LoggedEvent]:
        """Every stored event after number ``after``, a page at a time."""
        while True:
            page = self.read(owner_id, after)
            yield from page.events
            if len(page.events) < PAGE_EVENTS:
                return
            after = page.events[-1].seq


class EventLog(LogReader):
    """The logs of all runs."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        super().__init__(database, LogTables(RunRow, EventRow, EventRow.run))
        self._publisher = publisher

    def append(self, run_id: str, events: Sequence[LoggedEvent], *, again: bool = False) -> None:
        """Stores events, then tells the viewers. The last event of a run ends it.

        Args:
            run_id: whose they are.
            events: consecutive, the next ones of the log.
            again: whether this was tried before, and may have been stored without a reply.

        Raises:
            LogConflictError: they do not continue the log; nothing is stored.
            DatabaseUnavailableError: nothing could be stored, or the reply was lost.
        """
        if not events:
            return
        first, last = events[0], events[-1]
        if [event.seq for event in events] != list(range(first.seq, last.seq + 1)):
            raise LogConflictError(f"run {run_id}: events are not numbered without gaps")
        if any(event.type in LAST_EVENTS for event in events[:-1]):
            raise LogConflictError(f"run {run_id}: events after the last one")
        step = max(event.step for event in events)
        change = (
            update(RunRow)
            .where(RunRow.id == run_id, RunRow.last_seq == first.seq - 1, RunRow.ended.is_(None))
            .values(
                last_seq=last.seq,
                log_bytes=RunRow.log_bytes + sum(len(event.body) for event in events),
                step=case((RunRow.step < step, step), else_=RunRow.step),
                **_ending(last),
            )
            .returning(RunRow.number)
        )
        with self._database.write() as session:
            if not (again and _is_stored(session, run_id, last)):
                number = session.execute(change).scalar_one_or_none()
                if number is None:
                    raise LogConflictError(
                        f"run {run_id}: its log has ended or does not end at event {first.seq - 1}"
                    )
                session.execute(
                    insert(EventRow),
                    [
                        {"run": number, "seq": event.seq, "type": event.type, "body": event.body}
                        for event in events
                    ],
                )
        self._publisher.publish(run_id, events)


def _is_stored(session: Session, run_id: str, event: LoggedEvent) -> bool:
    query = (
        select(EventRow.body)
        .join(RunRow, RunRow.number == EventRow.run)
        .where(RunRow.id == run_id, EventRow.seq == event.seq)
    )
    return session.scalar(query) == event.body


def _ending(event: LoggedEvent) -> dict[str, object]:
    """What the last event of a run changes in the run's own row."""
    if event.type not in LAST_EVENTS:
        return {}
    record = json.loads(event.body)
    summary = record.get("summary")
    return {
        "status": event.type,
        "ended": time.time(),
        "summary": None if summary is None else json.dumps(summary),
        "error": record.get("error"),
    }
