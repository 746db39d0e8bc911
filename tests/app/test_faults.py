"""Faults that come from the machine: a file system without shared memory, a clock that jumps."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.app.harness import LabServer, long_spec, tiny_spec

DAY = 86_400


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library for LD_PRELOAD, made of faults.c."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("NOT TESTED: faults of the machine need Linux and a C compiler (cc)")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def test_a_file_system_that_refuses_the_log_is_named(faults: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ, "LD_PRELOAD": str(faults), "NO_SHARED_MEMORY": "1",
        "NEWTON_LAB_DATA_DIR": str(tmp_path), "NEWTON_LAB_PORT": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "app.cli", "serve"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    said = " ".join(refused.stderr.split())
    assert "refuses SQLite's write-ahead log" in said
    assert "NFS" in said
    assert "NEWTON_LAB_DATABASE_URL" in said


def test_a_clock_that_jumps_disturbs_nothing(
    faults: Path, tmp_path: Path, new_server: Callable[..., LabServer]
) -> None:
    offset = tmp_path / "offset"
    offset.write_text("0")
    server = new_server(workers=1, fork_workers=0)
    server.prefix = ["env", f"LD_PRELOAD={faults}", f"CLOCK_OFFSET={offset}"]
    server.start()
    run_id = server.post(long_spec(1, steps=100_000, evaluate_every=50_000))["id"]
    waiting = server.post(tiny_spec(seed=2))["id"]
    presentation = server.client.post("/api/presentations", json={"address": "runs"}).json()["id"]
    for days in (1, -2):
        offset.with_suffix(".new").write_text(str(days * DAY))
        offset.with_suffix(".new").replace(offset)  # nobody reads half of it
        step = server.run(run_id)["step"]
        assert _beyond(server, run_id, step + 200)["status"] == "running"
        blocked = server.run(waiting)
        assert blocked["position"] == 1
        assert server.client.get("/api/health").json()["reasons"] == []
    created = server.run(server.post(tiny_spec(seed=3))["id"])["created"]
    ahead = datetime.fromisoformat(created) - datetime.now(UTC)
    assert -2.5 < ahead.total_seconds() / DAY < -1.5, "the clock did jump"
    assert server.client.post(f"/api/runs/{run_id}/stop").status_code == 202
    events = server.events(run_id)
    assert events[-1]["type"] == "cancelled"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert server.events(waiting)[-1]["type"] == "finished"
    assert server.client.get(f"/api/presentations/{presentation}").status_code == 200


def _beyond(server: LabServer, run_id: str, step: int) -> dict[str, Any]:
    return server.wait_for(run_id, lambda run: run["step"] > step)
