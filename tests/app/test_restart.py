"""What survives: a server that is killed, restarted, stopped with viewers, or started twice."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from tests.app.harness import SERVE, LabServer, long_spec, numbers_of, tiny_spec


def test_server_is_killed_and_restarted(new_server: Callable[..., LabServer]) -> None:
    server = new_server(fork_workers=0).start()
    finished = server.finish(tiny_spec())
    before = server.events(finished)
    spec = long_spec(1, steps=8000)  # seconds: it is killed in the middle
    running = server.post(spec)["id"]
    waiting = server.post(tiny_spec(seed=2))["id"]
    cancelled = server.post(tiny_spec(seed=3))["id"]
    server.client.post(f"/api/runs/{cancelled}/stop")
    server.wait_for(running, lambda run: run["step"] >= 2100)
    workers = server.workers()
    server.kill()
    for worker in workers:
        worker.wait(60)  # no worker outlives its server
    server.start()
    assert server.events(finished) == before, "finished runs replay"
    events = server.events(running)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "failed"
    assert events[-1]["error"].startswith("interrupted: ")
    assert server.run(running)["error"] == events[-1]["error"]
    assert server.events(waiting)[-1]["type"] == "finished", "waiting runs start"
    assert server.run(cancelled)["status"] == "cancelled"
    answer = server.client.post(f"/api/runs/{running}/resume")
    assert answer.status_code == 201
    resumed = server.events(answer.json()["id"])
    again_asked = server.client.post(f"/api/runs/{running}/resume")
    assert (again_asked.status_code, again_asked.json()["id"]) == (200, answer.json()["id"])
    assert server.client.post(f"/api/runs/{finished}/resume").status_code == 409
    assert server.post(spec)["id"] == answer.json()["id"]
    first, again = (numbers_of(log)["metrics"][0] for log in (events, resumed))
    assert all(again[step] == first[step] for step in first)
    clock = [[s for e in log if e["type"] == "metrics" for s in e["values"]["seconds"]][:100]
             for log in (events, resumed)]  # fmt: skip
    assert clock[0] == clock[1], "it went on from a snapshot: its first steps were copied"
    # The same from scratch: a run that a clock decides is never answered with another.
    scratch = server.events(server.finish({**spec, "seconds": 600.0}))
    assert numbers_of(resumed) == numbers_of(scratch), "equal bit for bit"
    assert server.stop() < 10.0  # well under 1 s on a quiet machine


def test_interrupt_ends_a_server_with_viewers_in_time(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(fork_workers=0).start()
    run_id = server.post(long_spec(4))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 100)
    ended: list[int] = []
    watching = threading.Semaphore(0)

    def view() -> None:
        messages = server.messages(run_id)
        next(messages)
        watching.release()
        ended.append(1 + sum(1 for _ in messages))

    viewers = [threading.Thread(target=view) for _ in range(10)]
    for viewer in viewers:
        viewer.start()
    for _ in viewers:  # one that is only connecting is not a viewer yet, and may be refused
        assert watching.acquire(timeout=30)
    workers = server.workers()
    assert server.stop() < 10.0  # well under 1 s on a quiet machine
    assert server.process is not None
    assert server.process.returncode == 0
    for viewer in viewers:
        viewer.join(60)
    assert len(ended) == 10, "streams end, they are not cut"
    for worker in workers:
        worker.wait(60)
    assert "Traceback" not in server.log.read_text()
    server.start()
    assert server.run(run_id)["error"].startswith("interrupted: ")


def test_second_server_is_refused_in_words(new_server: Callable[..., LabServer]) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    host, port = "127.0.0.1", server.url.rpartition(":")[2]
    environment = {"NEWTON_LAB_DATA_DIR": str(server.data_dir), "NEWTON_LAB_PORT": "0"}
    second = _serve(environment)
    assert second.returncode != 0
    assert "another newton-lab server works on" in second.stderr
    assert "NEWTON_LAB_DATA_DIR" in second.stderr
    environment = {"NEWTON_LAB_DATA_DIR": str(server.data_dir) + "2", "NEWTON_LAB_PORT": port}
    third = _serve(environment)
    assert third.returncode != 0
    assert f"cannot listen on {host}, port {port}" in third.stderr


def _serve(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    import os

    return subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=90,
    )  # fmt: skip


def test_interrupt_with_half_sent_bodies_is_quiet(new_server: Callable[..., LabServer]) -> None:
    server = new_server(fork_workers=0).start()
    port = int(server.url.rpartition(":")[2])
    head = "POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    for one in sockets:
        one.sendall(head.encode())
    assert server.client.get("/api/health").status_code == 200
    assert server.stop() < 10.0
    for one in sockets:
        one.close()
    assert "Traceback" not in server.log.read_text()


def test_snapshot_that_was_being_written_is_removed(new_server: Callable[..., LabServer]) -> None:
    server = new_server(fork_workers=0).start()
    running = server.post(long_spec(1))["id"]
    server.wait_for(running, lambda run: run["step"] >= 1100)
    server.kill()
    folder = server.data_dir / "snapshots" / running
    (folder / "step-00002000.partial").write_bytes(b"half")  # as a kill at the wrong moment leaves
    server.start()
    assert server.run(running)["status"] == "failed"
    assert list(folder.glob("*.pt")) != []
    assert list(folder.glob("*.partial")) == []
