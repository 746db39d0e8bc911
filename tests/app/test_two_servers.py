"""Several servers on one PostgreSQL database: one computes, all serve, and another takes over."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.app.harness import LabServer, Spec, long_spec, read_messages, tiny_spec

Servers = tuple[LabServer, LabServer]
SECONDS = 60.0


@pytest.fixture
def servers(postgres_url: str, new_server: Callable[..., LabServer]) -> Iterator[Servers]:
    """The owner of the queue, and a server beside it; their data folder is one."""
    shared = {"database_url": postgres_url, "workers": 1, "fork_workers": 0}
    yield new_server(**shared).start(), new_server(**shared).start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("TRUNCATE runs, events, sweeps, sweep_events")


def role(server: LabServer) -> str:
    return str(server.client.get("/api/health").raise_for_status().json()["role"])


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


def test_viewer_takes_posts_and_the_queue_when_the_owner_is_killed(servers: Servers) -> None:
    """One test: to start two servers costs more than all that it asks of them."""
    owner, other = servers
    assert (role(owner), role(other)) == ("owner", "viewer")
    stop_and_remove_elsewhere(owner, other)
    sweep_elsewhere(owner, other)
    refused = other.client.post("/api/presentations", json={"address": ""})
    assert refused.status_code == 503
    assert "next server" in refused.json()["detail"]
    assert owner.client.post("/api/presentations", json={"address": ""}).status_code == 201
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
    assert other.events(waiting["id"])[-1]["type"] == "finished", "what waited goes on"
    events = other.events(run_id)
    assert_whole(events)
    kept = {event["seq"]: event for event in events}
    assert all(kept[seq] == json.loads(data) for seq, data in beside.events.items()), "nothing lost"
    other.finish(tiny_spec(seed=4))
