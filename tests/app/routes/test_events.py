"""The event stream: framing, resuming at any point, many viewers, keep-alives."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.app.harness import LabServer, long_spec, read_messages, tiny_spec


@pytest.fixture(scope="module")
def finished(server: LabServer) -> str:
    return server.finish(tiny_spec(seed=200))


def test_messages_carry_number_type_and_data(server: LabServer, finished: str) -> None:
    for seq, message in enumerate(server.messages(finished), 1):
        assert set(message) == {"id", "event", "data"}
        event = json.loads(message["data"])
        assert message["id"] == str(seq) == str(event["seq"])
        assert message["event"] == event["type"]


def test_headers_keep_proxies_from_holding_events_back(server: LabServer, finished: str) -> None:
    with server.client.stream("GET", f"/api/runs/{finished}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"


def test_stream_resumes_after_any_event(server: LabServer, finished: str) -> None:
    whole = server.events(finished)
    for after in range(len(whole) + 2):
        assert server.events(finished, after=after) == whole[after:]
    for after in (0, 1, len(whole) - 1, len(whole)):
        options = {"headers": {"Last-Event-ID": str(after)}}
        messages = list(server.messages(finished, **options))
        assert [json.loads(m["data"]) for m in messages] == whole[after:]


def test_browser_that_reconnects_goes_by_its_last_event(server: LabServer, finished: str) -> None:
    whole = server.events(finished)
    options = {"params": {"after": 2}, "headers": {"Last-Event-ID": "5"}}
    assert len(list(server.messages(finished, **options))) == len(whole) - 5


@pytest.mark.parametrize("after", ["-1", "x", "1e400", str(2**70)])
def test_bad_place_is_refused(server: LabServer, finished: str, after: str) -> None:
    answer = server.client.get(f"/api/runs/{finished}/events", params={"after": after})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "after"]
    headers = {"Last-Event-ID": after}
    answer = server.client.get(f"/api/runs/{finished}/events", headers=headers)
    assert answer.status_code == 422


def test_stream_cut_at_every_event_of_a_run_in_progress(server: LabServer) -> None:
    run_id = server.post(tiny_spec(seed=201, steps=400, evaluate_every=100))["id"]
    seen: list[int] = []
    ended = False
    while not ended:
        for message in server.messages(run_id, params={"after": len(seen)}):
            if "id" in message:
                seen.append(int(message["id"]))
                ended = message["event"] == "finished"
                break  # the connection is lost after each event
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == server.run(run_id)["last_seq"]


def test_hundred_viewers_see_the_same(server: LabServer) -> None:
    run_id = server.post(tiny_spec(seed=202, steps=600, evaluate_every=100))["id"]
    logs: list[list[int]] = []

    def view() -> None:
        numbers = [int(m["id"]) for m in server.messages(run_id) if "id" in m]
        logs.append(numbers)

    with _many_connections(server):
        viewers = [threading.Thread(target=view) for _ in range(100)]
        for viewer in viewers:
            viewer.start()
        for viewer in viewers:
            viewer.join(120)
    last = server.run(run_id)["last_seq"]
    assert server.run(run_id)["status"] == "finished"
    assert len(logs) == 100
    assert all(log == list(range(1, last + 1)) for log in logs)


class _many_connections:  # noqa: N801 - reads as a statement
    """Lets the client hold more connections than the usual hundred."""

    def __init__(self, server: LabServer) -> None:
        self.server, self.before = server, server.client

    def __enter__(self) -> None:
        import httpx

        self.server.client = httpx.Client(
            base_url=self.server.url, timeout=120.0, limits=httpx.Limits(max_connections=150)
        )

    def __exit__(self, *_: object) -> None:
        self.server.client.close()
        self.server.client = self.before


def test_viewer_that_reads_nothing_holds_up_nobody(server: LabServer) -> None:
    """Nor does one that reads a byte a second."""
    run_id = server.post(long_spec(203))["id"]
    host, port = server.url.removeprefix("http://").split(":")
    request = f"GET /api/runs/{run_id}/events HTTP/1.1\r\nHost: {host}\r\n\r\n"
    with socket.socket() as dead, socket.socket() as slow:
        for viewer in (dead, slow):
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            viewer.connect((host, int(port)))
            viewer.sendall(request.encode())
        reader = threading.Thread(target=_read_slowly, args=(slow, left := threading.Event()))
        reader.start()
        reached = server.wait_for(run_id, lambda run: run["step"] > 1000)["last_seq"]
        began = time.monotonic()
        for message in server.messages(run_id):
            if message.get("id") == str(reached):
                break
        assert time.monotonic() - began < 20
        left.set()
        reader.join()
    server.client.delete(f"/api/runs/{run_id}")


def _read_slowly(viewer: socket.socket, left: threading.Event) -> None:
    while not left.wait(1.0):
        viewer.recv(1)


def test_waiting_run_says_its_place_without_an_id(server: LabServer) -> None:
    blocker = server.post(long_spec(204, steps=100_000))["id"]
    server.wait_for(blocker, lambda run: run["status"] == "running")
    ahead, waiting = (server.post(long_spec(seed))["id"] for seed in (205, 206))
    messages = server.messages(waiting)
    first = next(messages)
    assert first == {"event": "queue", "data": '{"position":2}'}
    pings = [next(messages), next(messages)]
    assert pings == [{"event": "ping", "data": "{}"}] * 2, "silence is told from a lost connection"
    server.client.delete(f"/api/runs/{ahead}")
    assert _next_message(messages) == {"event": "queue", "data": '{"position":1}'}
    server.client.delete(f"/api/runs/{blocker}")
    assert _next_message(messages)["event"] == "started"
    server.client.post(f"/api/runs/{waiting}/stop")
    assert [m["event"] for m in messages if "id" in m][-1] == "cancelled"


def _next_message(messages: Iterator[dict[str, str]]) -> dict[str, str]:
    return next(message for message in messages if message.get("event") != "ping")


def test_stream_ends_when_the_run_is_removed(server: LabServer) -> None:
    run_id = server.post(long_spec(207))["id"]
    messages = server.messages(run_id)
    assert _next_message(messages)["event"] in ("queue", "started")
    server.client.delete(f"/api/runs/{run_id}")
    list(messages)  # comes to its end


def test_frames_are_parsed_as_browsers_do() -> None:
    lines = iter([": ping", "", "event: a", "data: 1", "data: 2", "id: 7", "", "data:x", ""])
    assert list(read_messages(lines)) == [
        {"comment": "ping"},
        {"event": "a", "data": "1\n2", "id": "7"},
        {"data": "x"},
    ]
