"""Several servers on one PostgreSQL database: one computes, all serve, and another takes over."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from tests.app.harness import LabServer, Spec, long_spec, read_messages, tiny_spec
from tests.app.presenting import begin_presentation, followed, move_presentation, place_of

Servers = tuple[LabServer, LabServer]
SECONDS = 60.0


@pytest.fixture
def servers(postgres_url: str, new_server: Callable[..., LabServer]) -> Iterator[Servers]:
    """The owner of the queue, and a server beside it; their data folder is one."""
    shared = {
        "database_url": postgres_url,
        "workers": 1,
        "fork_workers": 0,
        "takeover_seconds": 5,
    }
    yield new_server(**shared).start(), new_server(**shared).start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("TRUNCATE runs, events, sweeps, sweep_events, presentations, followers")


def role(server: LabServer) -> str:
    """What a server says it is; nothing while it finds that out."""
    answer = server.client.get("/api/health")
    return str(answer.json()["role"]) if answer.is_success else ""


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def endless(seed: int) -> Spec:
    return long_spec(seed, steps=100_000, evaluate_every=50_000)


class Viewer(threading.Thread):
    """Writes down what one server sends of a run, and when."""

    def __init__(self, server: LabServer, run_id: str) -> None:
        super().__init__(daemon=True)
        self._server, self._run = server, run_id
        self.events: dict[int, str] = {}
        self.came: dict[int, float] = {}
        self.start()

    def run(self) -> None:
        with contextlib.suppress(httpx.HTTPError):  # its server is killed
            for message in self._server.messages(self._run):
                if "id" in message:
                    self.came[int(message["id"])] = time.monotonic()
                    self.events[int(message["id"])] = message["data"]


def assert_whole(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def stop_and_remove_elsewhere(owner: LabServer, other: LabServer) -> None:
    """Wishes reach the owner through the database."""
    run_id = owner.post(endless(1))["id"]
    owner.wait_for(run_id, lambda run: run["step"] > 100)
    assert other.client.post(f"/api/runs/{run_id}/stop").status_code == 202
    assert other.events(run_id)[-1]["type"] == "cancelled"
    assert other.client.post(f"/api/runs/{run_id}/stop").status_code == 409
    assert other.client.delete(f"/api/runs/{run_id}").status_code == 204
    assert owner.client.get(f"/api/runs/{run_id}").status_code == 404
    discarded = other.post(endless(2))["id"]
    other.wait_for(discarded, lambda run: run["step"] > 100)
    other.client.post(f"/api/runs/{discarded}/stop", params={"discard": True}).raise_for_status()
    owner.wait_until_gone(discarded)


def sweep_elsewhere(owner: LabServer, other: LabServer) -> None:
    """A sweep that a viewer was asked for is computed by the owner, and removed by it."""
    wish = {"spec": tiny_spec(steps=10), "seeds": 1, "report_seeds": 0,
            "grid": [{"path": "arms.1.tikhonov", "values": [0.1, 10.0]}]}  # fmt: skip
    sweep = other.client.post("/api/sweeps", json=wish).raise_for_status().json()["id"]
    address = f"/api/sweeps/{sweep}"
    with other.client.stream("GET", f"{address}/events", timeout=SECONDS) as answer:
        kinds = [message["event"] for message in read_messages(answer.iter_lines())]
    assert [kind for kind in kinds if kind != "ping"] == ["cell", "cell", "finished"]
    assert other.client.delete(address).status_code == 204
    assert owner.client.get(address).status_code == 404


def hang_and_wake(owner: LabServer, other: LabServer) -> None:
    """An owner that hangs loses the queue. When it wakes it stops its run and serves viewers."""
    run_id = owner.post(endless(11))["id"]
    owner.wait_for(run_id, lambda run: run["step"] > 100)
    waiting = owner.post(tiny_spec(seed=12))["id"]
    assert owner.process is not None
    hung = psutil.Process(owner.process.pid)
    (worker,) = owner.workers()
    hung.suspend()
    try:
        wait_until(lambda: role(other) == "owner")
        events = other.events(run_id)
        assert events[-1]["error"].startswith("interrupted: ")
        assert_whole(events)
        assert other.events(waiting)[-1]["type"] == "finished", "what waited goes on"
    finally:
        hung.resume()
    wait_until(lambda: role(owner) == "viewer")
    wait_until(lambda: worker.pid not in {process.pid for process in owner.workers()})
    assert other.events(run_id) == events == owner.events(run_id), "it has written nothing more"
    assert role(other) == "owner"


def has_followers(server: LabServer, address: str, number: int) -> bool:
    return bool(server.client.get(address).json()["followers"] == number)


def presentation_on_both(owner: LabServer, other: LabServer) -> str:
    """It is moved on either server and followed on both; the address of one that goes on."""
    begun = begin_presentation(owner, "runs")
    with followed(owner, begun["id"]) as here, followed(other, begun["id"]) as there:
        places = [place_of(next(messages))[0] for messages in (here, there)]
        for i, server in enumerate((owner, other)):
            assert move_presentation(server, begun, address=f"runs?step={i}").status_code == 200
            places += [place_of(next(messages))[0] for messages in (here, there)]
        address = f"/api/presentations/{begun['id']}"
        for server in (owner, other):
            wait_until(partial(has_followers, server, address, 2))
        assert move_presentation(other, begun, ended=True).status_code == 200
        assert [message["event"] for message in (*here, *there)] == ["ended", "ended"]
    assert places == ["runs"] * 2 + ["runs?step=0"] * 2 + ["runs?step=1"] * 2
    return f"/api/presentations/{begin_presentation(other, 'sweeps')['id']}"


def test_viewer_takes_posts_and_the_queue_when_the_owner_is_killed(servers: Servers) -> None:
    """One test: to start two servers costs more than all that it asks of them."""
    first, second = servers
    assert (role(first), role(second)) == ("owner", "viewer")
    hang_and_wake(first, second)
    owner, other = second, first
    stop_and_remove_elsewhere(owner, other)
    sweep_elsewhere(owner, other)
    shown = presentation_on_both(owner, other)
    run_id = other.post(endless(3))["id"]
    waiting = other.post(tiny_spec(seed=2))
    assert waiting["position"] is not None
    stopped = other.post(tiny_spec(seed=3))["id"]
    viewer = Viewer(other, run_id)
    beside = Viewer(owner, run_id)
    wait_until(lambda: len(viewer.events) > 20)
    assert other.client.post(f"/api/runs/{stopped}/stop").status_code == 202
    assert owner.events(stopped)[-1]["type"] == "cancelled"
    assert other.run(stopped)["status"] == "cancelled"
    shared = sorted(viewer.events.keys() & beside.events.keys())
    assert all(viewer.events[seq] == beside.events[seq] for seq in shared)
    late = sorted(viewer.came[seq] - beside.came[seq] for seq in shared[5:])
    assert late[len(late) // 2] < 1.0, "half of the events come within a second"
    owner.kill()
    viewer.join(SECONDS)
    assert json.loads(viewer.events[max(viewer.events)])["error"].startswith("interrupted: ")
    assert sorted(viewer.events) == list(range(1, len(viewer.events) + 1))
    wait_until(lambda: role(other) == "owner")
    assert other.client.get(shown).json()["address"] == "sweeps", "a presentation goes on"
    assert other.events(waiting["id"])[-1]["type"] == "finished", "what waited goes on"
    events = other.events(run_id)
    assert_whole(events)
    kept = {event["seq"]: event for event in events}
    assert all(kept[seq] == json.loads(data) for seq, data in beside.events.items()), "nothing lost"
    other.finish(tiny_spec(seed=4))
