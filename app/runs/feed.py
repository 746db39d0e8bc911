"""Brings events to viewers: each viewer reads what is stored, then waits for more.

All state lives in the event loop's thread; other threads hand their news over. The newest events
of runs in progress stay in memory, so that a hundred viewers at the head of a run cost the
database nothing. A viewer pulls at its own pace: a slow one holds up nobody and fills no buffer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import anyio
import anyio.to_thread

from app.database import DatabaseUnavailableError
from app.runs.log import Page
from app.runs.records import LoggedEvent
from newton_core.experiment.events import LAST_EVENTS

TAIL_EVENTS = 400
TAIL_BYTES = 4_000_000
CONCURRENT_READS = 4
OUTAGE_SECONDS = 2.0


@dataclass(frozen=True)
class QueuePosition:
    """The run waits; ``position`` 1 is next."""

    position: int


@dataclass(frozen=True)
class Silence:
    """Nothing happened for a while."""


@dataclass
class _Topic:
    """What the feed knows about one run.

    ``tail`` are its newest events, consecutive; ``viewers`` are woken by news. ``reads`` of the log
    from after an event are under way: whoever wants the same waits for the same, unless there was
    news since.
    """

    tail: list[LoggedEvent] = field(default_factory=list)
    tail_bytes: int = 0
    viewers: set[asyncio.Event] = field(default_factory=set)
    reads: dict[int, asyncio.Task[Page]] = field(default_factory=dict)

    def push(self, events: Sequence[LoggedEvent]) -> None:
        self.reads.clear()
        self.tail.extend(events)
        self.tail_bytes += sum(len(event.body) for event in events)
        drop = max(0, len(self.tail) - TAIL_EVENTS)
        spare = self.tail_bytes - sum(len(event.body) for event in self.tail[:drop])
        while spare > TAIL_BYTES and drop < len(self.tail):
            spare -= len(self.tail[drop].body)
            drop += 1
        del self.tail[:drop]
        self.tail_bytes = spare

    def after(self, seq: int) -> list[LoggedEvent] | None:
        """The events after number ``seq``, or None where memory does not reach back so far."""
        if not self.tail or seq + 1 < self.tail[0].seq:
            return None
        return self.tail[seq + 1 - self.tail[0].seq :]

    def forget(self) -> None:
        self.reads.clear()
        self.tail.clear()
        self.tail_bytes = 0

    def has_read(self, after: int, read: asyncio.Task[Page]) -> None:
        if self.reads.get(after) is read:
            del self.reads[after]
        if not read.cancelled():
            read.exception()  # seen, also where whoever waited for it has left

    @property
    def ended(self) -> bool:
        return bool(self.tail) and self.tail[-1].type in LAST_EVENTS

    def wake(self) -> None:
        for viewer in self.viewers:
            viewer.set()


class Log(Protocol):
    """What viewers read: the logs of runs, or of sweeps."""

    def read(self, log_id: str, after: int, /) -> Page:
        """Some events after number ``after``; an unknown log has ended."""


class Feed:
    """Wakes the viewers of runs and sweeps when there is news."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._topics: dict[str, _Topic] = {}
        self._positions: dict[str, int] = {}
        self._readers = anyio.CapacityLimiter(CONCURRENT_READS)
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many viewers follow a run just now."""
        return sum(len(topic.viewers) for topic in self._topics.values())

    def attach(self) -> None:
        """Makes the running event loop the one whose viewers are woken."""
        self._loop = asyncio.get_running_loop()

    def publish(self, run_id: str, events: Sequence[LoggedEvent]) -> None:
        """Takes stored events; from any thread."""
        self._hand_over(lambda: self._push(run_id, events))

    def forget(self, run_id: str) -> None:
        """Takes the news that a run was removed; from any thread."""
        self._hand_over(lambda: self._drop(run_id))

    def reread(self) -> None:
        """Has all viewers read the database again: while it was away, events may have been
        missed."""
        self._hand_over(self._forget_tails)

    def followed(self, timeout: float = 1.0) -> dict[str, int]:
        """What has viewers, and the number of its newest event here (0: none); from any thread.

        What nobody follows is forgotten: another server writes it, so it would grow old here.
        """
        answer: Future[dict[str, int]] = Future()
        self._hand_over(lambda: answer.set_result(self._look_through()))
        try:
            return answer.result(timeout)
        except TimeoutError:  # the loop has ended, or has much to do
            return {}

    def set_positions(self, positions: Mapping[str, int]) -> None:
        """Takes the places of all waiting runs; from any thread."""
        copied = dict(positions)
        self._hand_over(lambda: self._move(copied))

    def close(self) -> None:
        """Ends all viewers, so that the server can stop; from any thread."""
        self._hand_over(self._end)

    def _hand_over(self, news: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(news)

    def _push(self, run_id: str, events: Sequence[LoggedEvent]) -> None:
        topic = self._topics.setdefault(run_id, _Topic())
        topic.push(events)
        topic.wake()
        if topic.ended and not topic.viewers:
            del self._topics[run_id]

    def _drop(self, run_id: str) -> None:
        if topic := self._topics.pop(run_id, None):
            topic.forget()  # viewers then ask the database, which knows no such run
            topic.wake()

    def _forget_tails(self) -> None:
        for topic in self._topics.values():
            topic.forget()
            topic.wake()

    def _look_through(self) -> dict[str, int]:
        for run_id in [run_id for run_id, topic in self._topics.items() if not topic.viewers]:
            del self._topics[run_id]
        return {
            run_id: topic.tail[-1].seq if topic.tail else 0
            for run_id, topic in self._topics.items()
        }

    def _move(self, positions: dict[str, int]) -> None:
        before, self._positions = self._positions, positions
        for run_id, position in positions.items():
            if before.get(run_id) != position and (topic := self._topics.get(run_id)):
                topic.wake()

    def _end(self) -> None:
        self._closed = True
        for topic in self._topics.values():
            topic.wake()

    @contextmanager
    def _watch(self, run_id: str) -> Iterator[tuple[_Topic, asyncio.Event]]:
        topic = self._topics.setdefault(run_id, _Topic())
        news = asyncio.Event()
        topic.viewers.add(news)
        try:
            yield topic, news
        finally:
            topic.viewers.discard(news)
            done = topic.ended or not topic.tail
            if done and not topic.viewers and self._topics.get(run_id) is topic:
                del self._topics[run_id]

    async def follow(
        self, log: Log, run_id: str, after: int, patience: float
    ) -> AsyncIterator[Sequence[LoggedEvent] | QueuePosition | Silence]:
        """The events of a run after number ``after``: those stored, then those to come.

        Ends after the last event of the run, or when the server stops. Says the place in the
        queue whenever it changes, and :class:`Silence` after ``patience`` seconds without news.
        """
        told = None
        with self._watch(run_id) as (topic, news):
            while not self._closed:
                news.clear()
                events, ended = topic.after(after), topic.ended
                if events is None:
                    try:
                        page = await self._page(topic, log, run_id, after)
                    except DatabaseUnavailableError:  # the viewer stays: the run goes on later
                        yield Silence()
                        await asyncio.sleep(min(patience, OUTAGE_SECONDS))
                        continue
                    events, ended = page.events, page.ended
                if events:
                    yield events
                    after = events[-1].seq
                if ended:
                    return
                if events:
                    continue
                position = self._positions.get(run_id)
                if position is not None and position != told:
                    told = position
                    yield QueuePosition(position)
                    continue
                try:
                    async with asyncio.timeout(patience):  # wait_for() would start a task
                        await news.wait()
                except TimeoutError:
                    yield Silence()

    async def _page(self, topic: _Topic, log: Log, run_id: str, after: int) -> Page:
        """What the log holds after an event: one read for all who ask at the same time.

        It goes on when a viewer who waits for it leaves.
        """
        read = topic.reads.get(after)
        if read is None:
            read = asyncio.create_task(self._read(log, run_id, after))
            read.add_done_callback(partial(topic.has_read, after))
            topic.reads[after] = read
        return await asyncio.shield(read)

    async def _read(self, log: Log, run_id: str, after: int) -> Page:
        return await anyio.to_thread.run_sync(log.read, run_id, after, limiter=self._readers)
