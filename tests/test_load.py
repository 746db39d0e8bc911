"""The scripts of ``make reliability``, at a fraction of what they do by hand."""

import subprocess
import sys

import pytest

from scripts.soak import SAMPLES, Sample, grown_ones, growth, soak


def test_random_kills_lose_no_event() -> None:
    command = [sys.executable, "-m", "scripts.reliability", "--kills", "12"]
    done = subprocess.run(
        [*command, "--databases", "sqlite"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sqlite: 6 accidents" in done.stdout
    assert "lost: 0" in done.stdout
    assert " 0 events of" not in done.stdout


def test_a_soak_serves_everyone_while_it_samples(capsys: pytest.CaptureFixture[str]) -> None:
    samples = soak(minutes=0.05)
    assert len(samples) == SAMPLES
    assert all(one.server_mb > 0 and one.descriptors > 0 and one.disk_mb > 0 for one in samples)
    assert "events sent" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["server_mb", "workers_mb", "descriptors", "disk_mb"])
def test_what_grows_is_not_flat(name: str) -> None:
    flat = dict.fromkeys(Sample.__dataclass_fields__, 100.0)
    leaking = [Sample(**{**flat, name: 100.0 + 0.3 * i}) for i in range(SAMPLES)]
    assert grown_ones(growth([Sample(**flat)] * SAMPLES)) == []
    assert grown_ones(growth(leaking)) == [name]
