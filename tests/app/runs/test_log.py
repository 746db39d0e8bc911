"""The event log's promises, on SQLite and PostgreSQL: no gaps, stored before published, one end."""

import json
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import StaticPool, create_engine

from app.database import Base, Database
from app.runs.identity import Identity
from app.runs.log import PAGE_EVENTS, EventLog, LogConflictError
from app.runs.records import LoggedEvent
from app.runs.store import NewRun, RunStore


class Publisher:
    """Reads what is stored whenever it is told of events."""

    def __init__(self) -> None:
        self.log: EventLog | None = None
        self.seen: list[tuple[list[int], list[int]]] = []

    def publish(self, run_id: str, events: Sequence[LoggedEvent]) -> None:
        assert self.log is not None
        stored = [event.seq for event in self.log.all(run_id)]
        self.seen.append(([event.seq for event in events], stored))


def event(seq: int, kind: str = "metrics", **fields: object) -> LoggedEvent:
    body = json.dumps({"seq": seq, "type": kind, **fields})
    return LoggedEvent(seq, kind, seq, body)


def new_run(database: Database, name: str = "a") -> str:
    new = NewRun(Identity(f'"{name}"', "1", "cpu"), True, steps=10, threads=1, title=name)
    return RunStore(database).create(new, most_waiting=10)[0].id


@pytest.fixture
def log(database: Database) -> EventLog:
    publisher = Publisher()
    publisher.log = EventLog(database, publisher)
    return publisher.log


def test_events_come_back_as_they_were(database: Database, log: EventLog) -> None:
    run = new_run(database)
    events = [event(seq, text="λ · \u2028 </script>") for seq in range(1, 8)]
    log.append(run, events[:3])
    log.append(run, events[3:])
    assert [e.body for e in log.all(run)] == [e.body for e in events]
    assert [e.body for e in log.all(run, after=5)] == [e.body for e in events[5:]]
    row = RunStore(database).get(run)
    assert row is not None
    assert (row.last_seq, row.step) == (7, 7)
    assert row.log_bytes == sum(len(e.body) for e in events)


@pytest.mark.parametrize("numbers", [[2], [1, 3], [1, 1], [0, 1], [2, 1]])
def test_gaps_and_repetitions_are_refused(
    database: Database, log: EventLog, numbers: list[int]
) -> None:
    run = new_run(database)
    with pytest.raises(LogConflictError):
        log.append(run, [event(number) for number in numbers])
    assert list(log.all(run)) == []


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(1, 5), max_size=6), again=st.integers(-3, 3))
def test_only_the_next_number_is_taken(sizes: list[int], again: int) -> None:
    # On a database in memory: what matters here is the arithmetic, for any way to cut the log.
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    database = Database(engine)
    publisher = Publisher()
    log = publisher.log = EventLog(database, publisher)
    run, last = new_run(database), 0
    for size in sizes:
        log.append(run, [event(seq) for seq in range(last + 1, last + size + 1)])
        last += size
    if again != 1:
        with pytest.raises(LogConflictError):
            log.append(run, [event(last + again)])
    assert [e.seq for e in log.all(run)] == list(range(1, last + 1))
    engine.dispose()


def test_nothing_follows_the_last_event(database: Database, log: EventLog) -> None:
    run = new_run(database)
    with pytest.raises(LogConflictError, match="after the last"):
        log.append(run, [event(1, "failed", error="x"), event(2)])
    log.append(run, [event(1, "failed", error="out of luck")])
    with pytest.raises(LogConflictError, match="has ended"):
        log.append(run, [event(2)])
    row = RunStore(database).get(run)
    assert row is not None
    assert (row.status, row.error, row.ended is not None) == ("failed", "out of luck", True)


def test_viewers_hear_of_stored_events_only(database: Database, log: EventLog) -> None:
    run = new_run(database)
    log.append(run, [event(1), event(2)])
    log.append(run, [event(3)])
    publisher = log._publisher
    assert isinstance(publisher, Publisher)
    assert publisher.seen == [([1, 2], [1, 2]), ([3], [1, 2, 3])]


def test_pages_end_where_the_log_ends(database: Database, log: EventLog) -> None:
    run = new_run(database)
    count = PAGE_EVENTS + 3
    log.append(run, [event(seq) for seq in range(1, count)])
    first = log.read(run, 0)
    assert (len(first.events), first.ended) == (PAGE_EVENTS, False)
    assert not log.read(run, count - 1).ended
    log.append(run, [event(count, "finished", summary={"step": 1})])
    assert not log.read(run, 0).ended
    rest = log.read(run, PAGE_EVENTS)
    assert ([e.seq for e in rest.events], rest.ended) == ([count - 2, count - 1, count], True)
    assert log.read(run, count).ended
    assert log.read("no such run", 0).ended


def test_writers_of_many_runs_do_not_disturb_each_other(database: Database, log: EventLog) -> None:
    runs = [new_run(database, str(i)) for i in range(4)]
    failures: list[Exception] = []

    def write(run: str) -> None:
        try:
            for seq in range(1, 31):
                log.append(run, [event(seq)])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for run in runs:
        assert [e.seq for e in log.all(run)] == list(range(1, 31))
