"""The scripts of ``make reliability``: a tenth of the kills and waiting runs, a short soak."""

import subprocess
import sys

import pytest

from scripts.soak import SAMPLES, Sample, grown_ones, growth, soak
from tests.app.postgres import postgres_binaries


def said_by(*command: str) -> str:
    """What a script says that succeeds."""
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_random_kills_lose_no_event() -> None:
    said = said_by("scripts.reliability", "--kills", "20")
    assert "sqlite: 10 accidents" in said
    installed = postgres_binaries() is not None
    assert said.count("lost: 0") == 1 + installed
    assert ("postgresql: 10 accidents" in said) is installed
    assert " 0 events of" not in said


def test_a_hundred_waiting_runs_survive_a_kill_and_come_in_turn() -> None:
    said = said_by("scripts.load", "queue", "--runs", "100")
    assert "100 runs waited" in said
    assert "all were computed in their order" in said


def test_a_soak_serves_everyone_while_it_samples(capsys: pytest.CaptureFixture[str]) -> None:
    samples = soak(minutes=0.3)
    assert len(samples) == SAMPLES
    assert all(one.server_mb > 0 and one.descriptors > 0 and one.disk_mb > 0 for one in samples)
    assert "events sent" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["server_mb", "workers_mb", "descriptors", "disk_mb"])
def test_what_grows_is_not_flat(name: str) -> None:
    flat = dict.fromkeys(Sample.__dataclass_fields__, 100.0)
    leaking = [Sample(**{**flat, name: 100.0 + 0.3 * i}) for i in range(SAMPLES)]
    assert grown_ones(growth([Sample(**flat)] * SAMPLES)) == []
    assert grown_ones(growth(leaking)) == [name]
