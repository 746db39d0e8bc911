"""The table of runs: who waits, who runs, who ended, and which spec has a run already."""

import secrets
import time
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Database, RunRow
from app.runs.identity import Identity

REUSABLE = ("queued", "running", "finished")
BROKEN = ("failed", "cancelled")
ENDED = ("finished", "failed", "cancelled")
Wish = Literal["stop", "discard", "remove"]
WISHES: tuple[Wish, ...] = ("stop", "discard", "remove")
"""What another server may want of the one that owns the queue, the weakest first."""


class QueueFullError(RuntimeError):
    """No further run may wait."""


@dataclass(frozen=True)
class NewRun:
    """A run to be queued.

    Attributes:
        identity: what it computes.
        reusable: whether a run with the same identity may answer in its place.
        steps: number of updates.
        threads: of the worker that computes it.
        title: what people call it.
        preset: name of the preset that it comes from.
        parent: id of the run whose snapshots it may start from.
        owner: mark of the visitor who asks for it, where visitors are told apart.
    """

    identity: Identity
    reusable: bool
    steps: int
    threads: int
    title: str
    preset: str | None = None
    parent: str | None = None
    owner: str | None = None


class RunStore:
    """Reads and changes the table of runs.

    Attributes:
        server: the mark of this server, which no other has.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.server = secrets.token_hex(6)

    def create(self, new: NewRun, most_waiting: int, most_of_one: int = 0) -> tuple[RunRow, bool]:
        """The run of ``new``, and whether it was there already.

        Two equal posts at one moment give one run: the index on ``key`` refuses the second.

        Args:
            new: the run.
            most_waiting: how many may wait.
            most_of_one: how many of one owner may wait or be computed; 0 for no limit.

        Raises:
            QueueFullError: as many wait, or are this owner's.
        """
        while True:
            try:
                with self._database.write() as session:
                    if new.reusable and (run := _reusable(session, new.identity.key)):
                        session.expunge(run)
                        return run, True
                    waiting = session.scalar(_count(RunRow.status == "queued")) or 0
                    if waiting >= most_waiting:
                        raise QueueFullError(f"{waiting} runs wait already")
                    if most_of_one and new.owner is not None:
                        going = and_(RunRow.owner == new.owner, RunRow.ended.is_(None))
                        own = session.scalar(_count(going)) or 0
                        if own >= most_of_one:
                            raise QueueFullError(
                                f"{own} of your runs wait or are computed already, and this lab"
                                f" gives each visitor {most_of_one} at a time"
                            )
                    run = _row(new)
                    session.add(run)
                    session.flush()
                    session.refresh(run)
                    session.expunge(run)
                return run, False
            except IntegrityError:  # the same spec came in between (PostgreSQL): reuse its run
                continue

    def find_reusable(self, new: NewRun) -> RunRow | None:
        """The run that may answer in place of ``new``."""
        with self._database.read() as session:
            return _reusable(session, new.identity.key) if new.reusable else None

    def get(self, run_id: str) -> RunRow | None:
        """The run called ``run_id``."""
        with self._database.read() as session:
            return session.scalar(select(RunRow).where(RunRow.id == run_id))

    def page(
        self, limit: int, offset: int, status: str | None = None, search: str = ""
    ) -> tuple[list[RunRow], int]:
        """Runs, the newest first, and how many there are in all.

        ``search``: words that the title has, in any case and order.
        """
        has_words = [RunRow.title.icontains(word, autoescape=True) for word in search.split()]
        chosen = and_(RunRow.status == status if status else true(), *has_words)
        query = select(RunRow).where(chosen).order_by(RunRow.number.desc())
        with self._database.read() as session:
            rows = session.scalars(query.limit(limit).offset(offset)).all()
            return list(rows), session.scalar(_count(chosen)) or 0

    def counts(self) -> dict[str, int]:
        """How many runs there are, by status."""
        query = select(RunRow.status, func.count()).group_by(RunRow.status)
        with self._database.read() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def with_status(self, status: str) -> list[RunRow]:
        """Runs with this status, the oldest first."""
        query = select(RunRow).where(RunRow.status == status).order_by(RunRow.number)
        with self._database.read() as session:
            return list(session.scalars(query))

    def last_broken(self, key: str) -> RunRow | None:
        """The failed or cancelled run with this key that came furthest, the latest of those."""
        query = (
            select(RunRow)
            .where(RunRow.key == key, RunRow.status.in_(BROKEN))
            .order_by(RunRow.step.desc(), RunRow.number.desc())
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalar(query)

    def claim(self, run_id: str) -> RunRow | None:
        """Turns a waiting run into one that this server computes.

        Asked again it says the same again, for the first answer may have been lost.

        Returns:
            The run; None if it waits no longer, or another server has claimed it.
        """
        change = (
            update(RunRow)
            .where(RunRow.id == run_id, RunRow.status == "queued")
            .values(status="running", started=time.time(), server=self.server)
        )
        own = select(RunRow).where(
            RunRow.id == run_id, RunRow.status == "running", RunRow.server == self.server
        )
        with self._database.write(owned=True) as session:
            session.execute(change)
            run = session.scalar(own)
            if run is not None:
                session.expunge(run)
            return run

    def left_running(self) -> list[RunRow]:
        """Runs in progress that this server did not claim."""
        unlike = or_(RunRow.server.is_(None), RunRow.server != self.server)
        query = select(RunRow).where(RunRow.status == "running", unlike).order_by(RunRow.number)
        with self._database.read() as session:
            return list(session.scalars(query))

    def queued_ids(self) -> list[str]:
        """Runs that wait, the next first."""
        query = select(RunRow.id).where(RunRow.status == "queued").order_by(RunRow.number)
        with self._database.read() as session:
            return list(session.scalars(query))

    def ask(self, run_id: str, wish: Wish) -> bool:
        """Stores a request to the server that owns the queue; a stronger one replaces a weaker one.

        Returns:
            Whether the run is there, and has not ended.
        """
        weaker = or_(RunRow.asked.is_(None), RunRow.asked.in_(WISHES[: WISHES.index(wish)]))
        change = update(RunRow).where(RunRow.id == run_id, weaker).values(asked=wish)
        going = select(RunRow.number).where(RunRow.id == run_id, RunRow.ended.is_(None))
        with self._database.write() as session:
            session.execute(change)
            return session.scalar(going) is not None

    def wishes(self) -> list[tuple[str, str]]:
        """The open requests: id of the run, and what is to be done."""
        query = select(RunRow.id, RunRow.asked).where(RunRow.asked.is_not(None))
        with self._database.read() as session:
            return [(run_id, wish) for run_id, wish in session.execute(query) if wish is not None]

    def fulfil(self, run_id: str, wish: str) -> None:
        """Removes a request that is done, unless a stronger one has replaced it."""
        change = update(RunRow).where(RunRow.id == run_id, RunRow.asked == wish)
        with self._database.write() as session:
            session.execute(change.values(asked=None))

    def set_pinned(self, run_id: str, pinned: bool) -> None:
        """Keeps a run from being removed to make room, or no longer."""
        with self._database.write() as session:
            session.execute(update(RunRow).where(RunRow.id == run_id).values(pinned=pinned))

    def set_title(self, run_id: str, title: str) -> None:
        """Gives a run another name."""
        with self._database.write() as session:
            session.execute(update(RunRow).where(RunRow.id == run_id).values(title=title))

    def set_file_bytes(self, run_id: str, size: int) -> None:
        """Notes how much room a run's snapshots take."""
        with self._database.write() as session:
            session.execute(update(RunRow).where(RunRow.id == run_id).values(file_bytes=size))

    def delete(self, run_id: str) -> None:
        """Removes a run and its log."""
        with self._database.write() as session:
            session.execute(delete(RunRow).where(RunRow.id == run_id))
        self._database.reclaim()

    def bytes_used(self, *, pinned: bool | None = None) -> int:
        """Bytes of the logs and snapshots of all runs, or of those that are pinned (or not)."""
        query = select(func.sum(RunRow.log_bytes + RunRow.file_bytes))
        if pinned is not None:
            query = query.where(RunRow.pinned.is_(pinned))
        with self._database.read() as session:
            return int(session.scalar(query) or 0)

    def oldest_removable(self) -> RunRow | None:
        """The ended run that goes first when room is needed; pinned ones never go."""
        query = (
            select(RunRow)
            .where(RunRow.status.in_(ENDED), RunRow.pinned.is_(False))
            .order_by(RunRow.ended)
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalar(query)


def _row(new: NewRun) -> RunRow:
    return RunRow(
        id=secrets.token_hex(6),
        status="queued",
        key=new.identity.key if new.reusable else None,
        version=new.identity.version,
        device=new.identity.device,
        threads=new.threads,
        title=new.title,
        preset=new.preset,
        parent=new.parent,
        owner=new.owner,
        spec=new.identity.spec,
        steps=new.steps,
        created=time.time(),
    )


def _reusable(session: Session, key: str) -> RunRow | None:
    return session.scalar(select(RunRow).where(RunRow.key == key, RunRow.status.in_(REUSABLE)))


def _count(condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(RunRow).where(condition)
