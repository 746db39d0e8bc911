"""Viewers as cursors: what is stored, then what comes, each at its own pace."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.database import Database
from app.runs.feed import TAIL_EVENTS, Feed, QueuePosition, Silence
from app.runs.identity import Identity
from app.runs.log import EventLog, Page
from app.runs.records import LoggedEvent
from app.runs.store import NewRun, RunStore
from app.settings import load_settings

PATIENCE = 20.0


class Stage:
    """One run whose events the test writes, and its viewers."""

    def __init__(self, database: Database) -> None:
        self.feed = Feed()
        self.log = EventLog(database, self.feed)
        self.store = RunStore(database)
        new = NewRun(Identity("{}", "1", "cpu"), True, steps=10, threads=1, title="a run")
        self.run = self.store.create(new, 10)[0].id
        self.seq = 0

    def write(self, count: int = 1, kind: str = "metrics", size: int = 10) -> None:
        """Appends events, in another thread's name as it were."""
        events = []
        for _ in range(count):
            self.seq += 1
            body = json.dumps({"seq": self.seq, "type": kind, "text": "x" * size})
            events.append(LoggedEvent(self.seq, kind, 0, body))
        self.log.append(self.run, events)

    async def view(self, after: int = 0, so_far: list[int] | None = None) -> list[int]:
        """Numbers of all events that a viewer gets until its stream ends."""
        return await numbers(self.feed.follow(self.log, self.run, after, PATIENCE), so_far)


async def numbers(items: AsyncIterator[object], so_far: list[int] | None = None) -> list[int]:
    """Numbers of events; ``so_far`` has those that have come."""
    found = [] if so_far is None else so_far
    async for item in items:
        if isinstance(item, Sequence):
            found += [event.seq for event in item]
    return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    database = Database.open(load_settings(data_dir=tmp_path))
    yield Stage(database)
    database.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for what a viewer does; ``play`` says for how long."""
    while not is_so():
        await asyncio.sleep(0.001)


def play(stage: Stage, scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        stage.feed.attach()
        await asyncio.wait_for(scene(), PATIENCE)

    asyncio.run(whole())


@pytest.mark.parametrize("after", [0, 1, 7, 8, 20])
def test_ended_run_is_replayed(stage: Stage, after: int) -> None:
    stage.write(7)
    stage.write(1, "finished")

    async def scene() -> None:
        assert await stage.view(after) == list(range(after + 1, 9))
        assert stage.feed.viewers == 0

    play(stage, scene)


def test_viewers_at_any_point_see_every_event_once(stage: Stage) -> None:
    async def scene() -> None:
        viewers: list[asyncio.Task[list[int]]] = []
        for _ in range(20):
            stage.write(3)
            viewers.append(asyncio.create_task(stage.view(after=len(viewers))))
            await asyncio.sleep(0.005)
        stage.write(1, "finished")
        for after, viewer in enumerate(viewers):
            assert await viewer == list(range(after + 1, 62))

    play(stage, scene)


def test_log_longer_than_memory_is_read_from_the_database(stage: Stage) -> None:
    async def scene() -> None:
        early = asyncio.create_task(stage.view())
        for _ in range(4):
            stage.write(TAIL_EVENTS // 2)
            await asyncio.sleep(0)
        late = asyncio.create_task(stage.view())
        await asyncio.sleep(0.05)
        stage.write(1, "finished")
        expected = list(range(1, 2 * TAIL_EVENTS + 2))
        assert await early == expected
        assert await late == expected

    play(stage, scene)


class HeldLog:
    """A log that keeps what it has read to itself until it may give it."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.reads = 0
        self.may_give = threading.Event()

    def read(self, log_id: str, after: int) -> Page:
        """See EventLog."""
        page = self.log.read(log_id, after)
        self.reads += 1
        assert self.may_give.wait(PATIENCE)
        return page


def test_viewers_share_a_read_but_none_that_began_before_the_news(stage: Stage) -> None:
    log = HeldLog(stage.log)

    def view() -> asyncio.Task[list[int]]:
        return asyncio.create_task(numbers(stage.feed.follow(log, stage.run, 0, PATIENCE)))

    async def scene() -> None:
        leaving, early = view(), view()
        await until(lambda: stage.feed.viewers == 2 and log.reads == 1)
        leaving.cancel()
        await until(leaving.done)
        stage.write()
        await asyncio.sleep(0)  # the news is handed over
        late = view()
        await until(lambda: log.reads == 2)
        log.may_give.set()
        stage.write(1, "finished")
        assert await early == await late == [1, 2, 3, 4, 5]
        assert log.reads == 2

    stage.write(3)
    play(stage, scene)


def test_slow_viewer_delays_nobody_and_misses_nothing(stage: Stage) -> None:
    async def scene() -> None:
        slow = stage.feed.follow(stage.log, stage.run, 0, PATIENCE)
        stage.write()
        first = await anext(slow)  # and then it dozes off
        quick = asyncio.create_task(stage.view())
        for _ in range(2 * TAIL_EVENTS):
            stage.write(1, size=100)
        stage.write(1, "finished")
        last = 2 * TAIL_EVENTS + 2
        assert await quick == list(range(1, last + 1))
        assert isinstance(first, Sequence)
        assert [event.seq for event in first] == [1]
        assert await numbers(slow) == list(range(2, last + 1))

    play(stage, scene)


def test_positions_are_told_when_they_change(stage: Stage) -> None:
    async def scene() -> None:
        told: list[int] = []

        async def watch() -> None:
            async for item in stage.feed.follow(stage.log, stage.run, 0, PATIENCE):
                if isinstance(item, QueuePosition):
                    told.append(item.position)

        viewer = asyncio.create_task(watch())
        stage.feed.set_positions({stage.run: 3})
        await until(lambda: told == [3])
        stage.feed.set_positions({"other": 1, stage.run: 3})
        await asyncio.sleep(0.05)  # in which the same place would be told again
        stage.feed.set_positions({stage.run: 1})
        await until(lambda: len(told) > 1)
        stage.feed.set_positions({})
        stage.write(1, "cancelled")
        await viewer
        assert told == [3, 1]

    play(stage, scene)


def test_silence_is_said_again_and_again(stage: Stage) -> None:
    async def scene() -> None:
        items = stage.feed.follow(stage.log, stage.run, 0, 0.01)
        assert [await anext(items) for _ in range(3)] == [Silence()] * 3
        await _close(items)

    play(stage, scene)


async def _close(items: AsyncIterator[object]) -> None:
    aclose = getattr(items, "aclose", None)
    assert aclose is not None
    await aclose()


def test_closing_ends_all_viewers_and_later_ones(stage: Stage) -> None:
    stage.write(2)

    async def scene() -> None:
        seen: list[list[int]] = [[] for _ in range(5)]
        viewers = [asyncio.create_task(stage.view(so_far=each)) for each in seen]
        await until(lambda: seen == [[1, 2]] * 5)
        stage.feed.close()
        assert await asyncio.gather(*viewers) == [[1, 2]] * 5
        assert await stage.view() == []

    play(stage, scene)


def test_viewers_of_a_removed_run_are_let_go(stage: Stage) -> None:
    stage.write(2)

    async def scene() -> None:
        seen: list[int] = []
        viewer = asyncio.create_task(stage.view(so_far=seen))
        await until(lambda: seen == [1, 2])
        stage.store.delete(stage.run)
        stage.feed.forget(stage.run)
        assert await viewer == [1, 2]
        assert stage.feed.viewers == 0

    play(stage, scene)


def test_viewer_that_leaves_is_forgotten(stage: Stage) -> None:
    async def scene() -> None:
        viewer = asyncio.create_task(stage.view())
        await until(lambda: stage.feed.viewers == 1)
        viewer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await viewer
        assert stage.feed.viewers == 0

    play(stage, scene)
