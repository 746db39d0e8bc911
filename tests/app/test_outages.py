"""What the server survives: a database that goes away and comes back, a full disk, a lost lock."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.database import SILENCE, Database, DatabaseInUseError
from app.locks import _ADVISORY_KEY
from app.settings import load_settings
from tests.app.harness import LabServer, Spec, long_spec, tiny_spec
from tests.app.postgres import Postgres

SECONDS = 60.0


def health(server: LabServer, status: int) -> dict[str, Any]:
    """The server's health, once it answers with a status."""
    deadline = time.monotonic() + SECONDS
    while (answer := server.client.get("/api/health")).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return dict(answer.json())


def refused(server: LabServer, spec: Spec) -> None:
    """A post is refused, in JSON, with when to come back."""
    answer = server.client.post("/api/runs", json=spec)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["detail"]


def goes_on(server: LabServer, run_id: str) -> None:
    """A run that met an outage computes further, and has lost nothing."""
    step = server.run(run_id)["step"]
    server.wait_for(run_id, lambda run: run["step"] > step)
    assert server.client.post(f"/api/runs/{run_id}/stop").status_code == 202
    events = server.events(run_id)
    assert events[-1]["type"] == "cancelled"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    steps = [step for event in events if event["type"] == "metrics" for step in event["steps"]]
    assert steps == list(range(1, 10 * len(steps), 10)), "no update is missing or told twice"


def endless(seed: int) -> Spec:
    return long_spec(seed, steps=100_000, evaluate_every=50_000)


def under_way(postgres: Postgres, new_server: Callable[..., LabServer]) -> tuple[LabServer, str]:
    """A server of one worker on this database, and a run that it computes."""
    server = new_server(database_url=postgres.url, workers=1, fork_workers=0).start()
    run_id = str(server.post(endless(1))["id"])
    server.wait_for(run_id, lambda run: run["step"] > 300)
    return server, run_id


def test_run_goes_on_when_postgresql_is_restarted(
    postgres: Postgres, new_server: Callable[..., LabServer]
) -> None:
    server, run_id = under_way(postgres, new_server)
    waiting = server.post(tiny_spec(seed=2))["id"]
    postgres.stop()
    down = health(server, 503)
    assert (down["status"], down["lock"]) == ("unavailable", False)
    assert down["detail"] == "PostgreSQL does not answer" == down["reasons"][0]
    assert server.client.head("/api/health").status_code == 503
    refused(server, tiny_spec(seed=3))
    postgres.start()
    up = health(server, 200)
    assert (up["status"], up["lock"], up["slots"], up["reasons"]) == ("ok", True, 1, [])
    goes_on(server, run_id)
    assert server.events(waiting)[-1]["type"] == "finished"
    server.finish(tiny_spec(seed=3))


def test_server_says_that_postgresql_hangs_and_goes_on_after_it(
    postgres: Postgres, new_server: Callable[..., LabServer]
) -> None:
    server, run_id = under_way(postgres, new_server)
    with postgres.stopped():
        down = health(server, 503)
        assert down["reasons"] == [SILENCE]
        refused(server, tiny_spec(seed=3))
        assert server.client.get(f"/api/runs/{run_id}").json()["detail"] == SILENCE
        assert server.client.get("/api/catalog").status_code == 200
    health(server, 200)
    goes_on(server, run_id)
    server.finish(tiny_spec(seed=3))


def test_run_that_is_stopped_during_an_outage_ends_after_it(
    postgres: Postgres, new_server: Callable[..., LabServer]
) -> None:
    server, run_id = under_way(postgres, new_server)
    for worker in server.workers():
        worker.kill()  # what the run says of that cannot be stored before the database is back
    postgres.stop()
    health(server, 503)
    postgres.start()
    assert server.events(run_id)[-1]["type"] == "failed"
    server.finish(tiny_spec(seed=3))


def lock_holder(connection: "psycopg.Connection[Any]") -> int:
    query = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_lock_of_postgresql_is_taken_again(
    postgres: Postgres, new_server: Callable[..., LabServer], tmp_path: Path
) -> None:
    server = new_server(database_url=postgres.url, fork_workers=0).start()
    run_id = server.post(endless(1))["id"]
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        before = lock_holder(connection)
        connection.execute("SELECT pg_terminate_backend(%s)", (before,))
        deadline = time.monotonic() + SECONDS
        while connection.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> %s",
            (before,),
        ).fetchone() is None:  # fmt: skip
            assert time.monotonic() < deadline
            time.sleep(0.05)
    settings = load_settings(data_dir=tmp_path / "other", database_url=postgres.url)
    with pytest.raises(DatabaseInUseError):
        Database.open(settings)
    health(server, 200)
    goes_on(server, run_id)


def test_server_that_lost_its_lock_serves_on_and_takes_it_again(
    postgres: Postgres, new_server: Callable[..., LabServer]
) -> None:
    server = new_server(database_url=postgres.url, fork_workers=0).start()
    run_id = server.post(endless(1))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 100)
    with psycopg.connect(postgres.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s), pg_advisory_lock(%s)",
                      (lock_holder(other), _ADVISORY_KEY))  # fmt: skip
        assert server.events(run_id)[-1]["error"].startswith("interrupted: ")
        wait_for_role(server, "viewer")
        left = server.post(tiny_spec(seed=2))["id"]
        assert server.run(left)["status"] == "queued"
    wait_for_role(server, "owner")
    assert server.events(left)[-1]["type"] == "finished"


def wait_for_role(server: LabServer, role: str) -> None:
    deadline = time.monotonic() + SECONDS
    while health(server, 200)["role"] != role:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a disk of its own, of 150 MB."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("NOT TESTED on a full disk: no right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 65536):
            pass
    return filler


def test_run_goes_on_when_the_disk_has_room_again(
    small_disk: Path, new_server: Callable[..., LabServer]
) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    run_id = server.post(endless(1))["id"]
    waiting = server.post(tiny_spec(seed=2))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 300)
    filler = fill(small_disk)
    full = health(server, 503)
    assert full["free_mb"] == 0
    assert any("0 MB are free" in reason for reason in full["reasons"])
    time.sleep(1.0)  # in which the run meets the full disk
    filler.unlink()
    health(server, 200)
    goes_on(server, run_id)
    assert server.events(waiting)[-1]["type"] == "finished"


def test_run_goes_on_when_the_data_folder_is_back(new_server: Callable[..., LabServer]) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    run_id = server.post(long_spec(1, steps=100_000, evaluate_every=100_000))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 300)
    away = server.data_dir.with_name("away")
    server.data_dir.rename(away)
    gone = health(server, 503)
    assert any("data folder" in reason and "gone" in reason for reason in gone["reasons"])
    assert str(server.data_dir) not in str(gone), "a stranger learns no path"
    refused(server, tiny_spec(seed=3))
    assert not server.data_dir.exists(), "nothing is in the way of the true one"
    away.rename(server.data_dir)
    health(server, 200)
    goes_on(server, run_id)
    server.finish(tiny_spec(seed=3))


def test_server_stops_when_its_data_folder_was_replaced(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(fork_workers=0).start()
    server.finish(tiny_spec(seed=1))
    server.data_dir.rename(server.data_dir.with_name("away"))
    Database.open(load_settings(data_dir=server.data_dir)).close()  # as another server does
    (server.data_dir / "newton-lab.lock").touch()
    assert server.process is not None
    assert server.process.wait(SECONDS) != 0
    assert "replaced by another one" in server.log.read_text()
