"""What one visitor cannot take from the others: threads, places in the queue, disk, connections."""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.admission import LOOK_SECONDS
from app.landscapes.requests import ParameterLandscapeRequest
from app.landscapes.service import MOST_OF_ONE_ADDRESS, LandscapeService
from app.settings import load_settings
from tests.app.harness import LabServer, Spec, long_spec, tiny_spec

SMALL = {"points": 21, "steps": 2}
LARGE = {"walkers": [{"label": str(i)} for i in range(8)], "steps": 60, "points": 101}

LARGEST = {"walkers": [{"label": str(i), "method": "newton"} for i in range(8)], "steps": 250}


def test_pictures_of_one_visitor_leave_room_for_the_others(server: LabServer) -> None:
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(httpx.post(f"{server.url}/api/three-numbers", json=LARGE, timeout=120.0))

    senders = [threading.Thread(target=post) for _ in range(40)]
    for sender in senders:
        sender.start()
    waited = []
    while any(sender.is_alive() for sender in senders):
        began = time.monotonic()
        assert server.client.get("/api/runs").status_code == 200
        time.sleep(0.05)
        waited.append(time.monotonic() - began)
    assert max(waited) < 10.0, "42 s, when all threads of the server computed pictures"
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert 16 < statuses.count(200) < 30
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 0
            assert "pictures" in answer.json()["detail"]


def test_picture_that_costs_too_much_is_refused(server: LabServer) -> None:
    walkers = [{"label": str(i), "method": "newton"} for i in range(8)]
    for path in ("three-numbers", "surfaces"):
        answer = server.client.post(f"/api/{path}", json={"walkers": walkers, "steps": 251})
        assert answer.status_code == 422
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["body", "steps"]
        assert problem["msg"] == "at most 250 for these walks"


def test_picture_that_nobody_waits_for_gives_its_place_up(server: LabServer) -> None:
    def give_up() -> None:
        with contextlib.suppress(httpx.TimeoutException):
            httpx.post(f"{server.url}/api/three-numbers", json=LARGE, timeout=0.3)

    for _ in range(3):  # far more than may wait
        senders = [threading.Thread(target=give_up) for _ in range(14)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        time.sleep(2 * LOOK_SECONDS)  # in which the server looks who is still there
    answer = server.client.post("/api/three-numbers", json=SMALL, timeout=60.0)
    assert answer.status_code == 200


def test_a_picture_that_computes_does_not_hold_the_server_up(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(shutdown_seconds=1, fork_workers=0).start()
    server.client.post("/api/three-numbers", json=SMALL)  # the first one loads what all need
    for _ in range(16):  # as many as there may be; the cores take turns at them
        threading.Thread(target=_post_and_lose, args=(server.url,)).start()
    while not _is_busy(server):
        pass
    server.stop()
    assert server.process is not None
    assert server.process.returncode == 0
    assert "Finished server process" in server.log.read_text()


def test_a_picture_without_an_end_is_left_behind() -> None:
    lines = [
        "import threading, time",
        "from app.serve import PICTURE_THREADS, _leave_pictures",
        "threading.Thread(target=time.sleep, args=(600,), name=PICTURE_THREADS).start()",
        "_leave_pictures()",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    ended = subprocess.run(command, timeout=120, capture_output=True, text=True, check=True)
    assert "pictures_left=1" in ended.stdout + ended.stderr


def _post_and_lose(url: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.post(f"{url}/api/three-numbers", json=LARGEST, timeout=120.0)


def _is_busy(server: LabServer) -> bool:
    """Whether a small picture has to wait for the large ones."""
    try:
        server.client.post("/api/three-numbers", json=SMALL, timeout=1.0)
    except httpx.ReadTimeout:
        return True
    return False


def test_slices_of_one_address_leave_room_for_the_others(tmp_path: Path) -> None:
    service = LandscapeService(load_settings(data_dir=tmp_path, host="0.0.0.0"))
    request = ParameterLandscapeRequest(run="0")

    async def ask() -> None:
        async for _ in service.answer("{}", tmp_path, request, "192.0.2.1"):
            pass

    async def ask_at_once() -> None:
        asking = [asyncio.create_task(ask()) for _ in range(MOST_OF_ONE_ADDRESS)]
        await asyncio.sleep(0)
        assert service.is_busy_for("192.0.2.1")
        assert not service.is_busy_for("192.0.2.2")
        service.close()
        await asyncio.gather(*asking, return_exceptions=True)
        assert not service.is_busy_for("192.0.2.1")

    asyncio.run(ask_at_once())


def queued(server: LabServer, run_id: str) -> bool:
    return bool(server.run(run_id)["status"] == "queued")


def test_unrelated_spec_does_not_jump_the_queue(new_server: Callable[..., LabServer]) -> None:
    server = new_server(workers=1, fork_workers=1).start()
    parent = server.finish(tiny_spec(seed=1))
    blocker = server.post(long_spec(2, steps=100_000, evaluate_every=50_000))["id"]
    server.wait_for(blocker, lambda run: run["step"] > 10)
    unrelated = server.post(tiny_spec(seed=3), **{"from": parent})["id"]
    at_once: Spec = tiny_spec(seed=1, changes=[{"step": 0, "arm": i, "lr": 1.0} for i in (0, 1)])
    nothing_saved = server.post(at_once, **{"from": parent})["id"]
    fork = server.post(tiny_spec(seed=1, changes=[{"step": 20, "arm": 0, "lr": 1.0}]),
                       **{"from": parent})["id"]  # fmt: skip
    assert server.events(fork)[-1]["type"] == "finished", "a what-if waits behind no long run"
    assert queued(server, unrelated)
    assert queued(server, nothing_saved)
    assert server.run(fork)["parent"] == parent
    assert server.run(unrelated)["parent"] is None


def test_pinned_runs_leave_room_for_the_others(new_server: Callable[..., LabServer]) -> None:
    server = new_server(workers=1, fork_workers=0, disk_mb=40).start()
    pins: list[httpx.Response] = []
    while not pins or pins[-1].status_code == 200:
        assert len(pins) < 8, "pins take half of the disk at most"
        run_id = server.finish(tiny_spec(seed=len(pins), steps=10))
        pins.append(server.client.patch(f"/api/runs/{run_id}", json={"pinned": True}))
    assert len(pins) > 1
    assert pins[-1].status_code == 409
    assert "half" in pins[-1].json()["detail"]
    last = server.finish(tiny_spec(seed=20, steps=10))
    time.sleep(1.0)  # in which it would be removed to make room
    assert server.client.get(f"/api/runs/{last}").status_code == 200
    unpinned = server.client.patch(f"/api/runs/{last}", json={"pinned": False})
    assert unpinned.status_code == 200


HALF_OPEN = {
    "nothing": "",
    "half a head": "GET /api/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "half a body": "POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    "half a second request": "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/he",
}


def test_half_open_requests_are_closed(server: LabServer) -> None:
    logged = len(server.log.read_text())
    began = time.monotonic()
    opened = {name: _many(server, 50) for name in HALF_OPEN}  # all wait at the same time
    for name, sockets in opened.items():
        for one in sockets:
            one.sendall(HALF_OPEN[name].encode())
    for name, sockets in opened.items():
        for one in sockets:
            one.settimeout(max(0.1, began + 60.0 - time.monotonic()))  # 16 s on a quiet machine
            try:
                while one.recv(65536):
                    pass
            except TimeoutError:
                pytest.fail(f"who sends {name} keeps a connection; 300 of 300 were open after 60 s")
            one.close()
    assert "Traceback" not in server.log.read_text()[logged:]
    assert server.client.get("/api/health").status_code == 200


def _many(server: LabServer, count: int) -> list[socket.socket]:
    port = int(server.url.rpartition(":")[2])
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


def test_server_of_few_files_stays_quiet_and_comes_back(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    assert server.process is not None
    in_use = 4 + len(list(_files(server)))
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (in_use, most))
    before = server.log.stat().st_size
    sockets = _many(server, 100)
    deadline = time.monotonic() + 60.0
    while "cannot open more connections" not in server.log.read_text():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)
    time.sleep(1.5)
    assert server.log.stat().st_size - before < 10_000, "14 MB, with a traceback for each try"
    for one in sockets:
        one.close()
    # Room for all that still wait to be accepted, though their callers have left.
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (in_use + 200, most))
    server.finish(tiny_spec())


def _files(server: LabServer) -> list[str]:
    assert server.process is not None
    return os.listdir(f"/proc/{server.process.pid}/fd")


def test_server_starts_with_64_files_and_refuses_what_does_not_fit(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(workers=1, fork_workers=0)
    server.prefix = ["prlimit", "--nofile=64"]
    server.start()
    sockets = _many(server, 100)
    time.sleep(1.5)
    assert server.log.stat().st_size < 20_000
    for one in sockets:
        one.close()
    server.finish(tiny_spec())


def test_limits_are_on_beyond_this_machine() -> None:
    assert load_settings(host="127.0.0.1").runs_per_minute == 0
    assert load_settings(host="localhost").runs_per_minute == 0
    assert load_settings(host="0.0.0.0").runs_per_minute == 60
    assert load_settings(host="0.0.0.0", runs_per_minute=0).runs_per_minute == 0
