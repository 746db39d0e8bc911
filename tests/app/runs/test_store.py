"""Which spec has a run already, on SQLite and PostgreSQL."""

import dataclasses
import threading

import pytest

from app.database import Database, RunRow
from app.runs.identity import Identity
from app.runs.log import EventLog
from app.runs.records import LoggedEvent
from app.runs.store import NewRun, QueueFullError, RunStore


class Nobody:
    def publish(self, run_id: str, events: object) -> None:
        """No viewers here."""


def new(spec: str = "{}", **changes: object) -> NewRun:
    run = NewRun(Identity(spec, "1", "cpu"), True, steps=10, threads=1, title="a run")
    return dataclasses.replace(run, **changes)  # checked by replace


def end(database: Database, run: RunRow, kind: str, step: int = 0) -> None:
    body = f'{{"seq":1,"type":"{kind}"}}'
    EventLog(database, Nobody()).append(run.id, [LoggedEvent(1, kind, step, body)])


@pytest.fixture
def store(database: Database) -> RunStore:
    return RunStore(database)


def test_queued_running_and_finished_runs_are_reused(database: Database, store: RunStore) -> None:
    run, reused = store.create(new(), 10)
    assert not reused
    assert store.create(new(), 10)[1]
    assert store.claim(run.id)
    assert store.create(new(), 10)[1]
    end(database, run, "finished")
    again, reused = store.create(new(), 10)
    assert (again.id, reused) == (run.id, True)
    assert store.find_reusable(new()) is not None


@pytest.mark.parametrize("kind", ["failed", "cancelled"])
def test_broken_runs_are_not_reused(database: Database, store: RunStore, kind: str) -> None:
    run, _ = store.create(new(), 10)
    end(database, run, kind)
    assert store.find_reusable(new()) is None
    again, reused = store.create(new(), 10)
    assert not reused
    assert again.id != run.id
    found = store.last_broken(new().identity.key)
    assert found is not None
    assert found.id == run.id


@pytest.mark.parametrize(
    "other",
    [
        new('{"seed":1}'),
        new(identity=Identity("{}", "2", "cpu")),
        new(identity=Identity("{}", "1", "cuda")),
    ],
)
def test_other_spec_version_or_device_is_another_run(store: RunStore, other: NewRun) -> None:
    store.create(new(), 10)
    assert not store.create(other, 10)[1]


def test_runs_that_a_clock_decides_are_never_reused(store: RunStore) -> None:
    first, _ = store.create(new(reusable=False), 10)
    second, reused = store.create(new(reusable=False), 10)
    assert not reused
    assert first.id != second.id


def test_equal_posts_at_one_moment_give_one_run(store: RunStore) -> None:
    together = threading.Barrier(8)
    answers: list[tuple[str, bool]] = []

    def post() -> None:
        together.wait()
        run, reused = store.create(new(), 10)
        answers.append((run.id, reused))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run_id for run_id, _ in answers}) == 1
    assert sorted(reused for _, reused in answers) == [False] + [True] * 7


def test_queue_has_an_end(store: RunStore) -> None:
    for seed in range(3):
        store.create(new(str(seed)), 3)
    with pytest.raises(QueueFullError, match="3 runs wait"):
        store.create(new("3"), 3)
    assert store.create(new("0"), 3)[1], "a run that is there can always be had"


def test_one_owner_has_so_many_at_a_time(database: Database, store: RunStore) -> None:
    def own(seed: int, owner: str | None = "ada") -> NewRun:
        return new(str(seed), owner=owner)

    first, _ = store.create(own(0), 10, 2)
    store.create(own(1), 10, 2)
    with pytest.raises(QueueFullError, match="2 of your runs"):
        store.create(own(2), 10, 2)
    assert store.create(own(0), 10, 2)[1], "one that is there can always be had"
    assert not store.create(own(2, "ben"), 10, 2)[1]
    assert not store.create(own(3, None), 10, 2)[1]
    end(database, first, "finished")
    assert store.create(own(4), 10, 2)[0].owner == "ada", "there is room again"


def test_a_run_is_resumed_where_it_came_furthest(database: Database, store: RunStore) -> None:
    ids = []
    for step in (0, 5, 5, 0):
        run, _ = store.create(new(), 10)
        end(database, run, "cancelled", step)
        ids.append(run.id)
    found = store.last_broken(new().identity.key)
    assert found is not None
    assert found.id == ids[2]


def test_run_is_claimed_by_one_server(database: Database, store: RunStore) -> None:
    run, _ = store.create(new(), 10)
    other = RunStore(database)
    assert store.claim(run.id)
    assert store.claim(run.id), "asked again, it says the same again"
    assert other.claim(run.id) is None
    assert [left.id for left in other.left_running()] == [run.id]
    assert store.left_running() == []
    assert [r.id for r in store.with_status("running")] == [run.id]


def test_pages_show_the_newest_first(store: RunStore) -> None:
    ids = [store.create(new(str(seed)), 10)[0].id for seed in range(5)]
    rows, total = store.page(limit=2, offset=1)
    assert total == 5
    assert [row.id for row in rows] == [ids[3], ids[2]]
    store.claim(ids[0])
    rows, total = store.page(limit=10, offset=0, status="running")
    assert ([row.id for row in rows], total) == ([ids[0]], 1)
    assert store.counts() == {"queued": 4, "running": 1}


def test_oldest_unpinned_ended_run_goes_first(database: Database, store: RunStore) -> None:
    runs = [store.create(new(str(seed)), 10)[0] for seed in range(4)]
    for run in runs[:3]:
        end(database, run, "finished")
    store.set_pinned(runs[0].id, True)
    oldest = store.oldest_removable()
    assert oldest is not None
    assert oldest.id == runs[1].id
    store.delete(runs[1].id)
    store.delete(runs[2].id)
    assert store.oldest_removable() is None
    assert store.get(runs[1].id) is None


def test_removing_a_run_frees_its_bytes(database: Database, store: RunStore) -> None:
    run, _ = store.create(new(), 10)
    end(database, run, "finished")
    store.set_file_bytes(run.id, 1000)
    assert store.bytes_used() > 1000
    store.delete(run.id)
    assert store.bytes_used() == 0
    assert list(EventLog(database, Nobody()).all(run.id)) == []
