"""The command line as people run it: a real process, real runs."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newton_core.experiment.events import parse_event
from tests.newton_core.training.specs import small_record


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "app.cli", *map(str, arguments)]


def lab(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        command(*arguments), capture_output=True, text=True,
        env={**os.environ, **plain, **variables}, timeout=120,
    )  # fmt: skip


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(small_record()))
    return path


def test_train_prints_each_arm_and_keeps_the_events(spec_file, tmp_path):
    result = lab("train", spec_file, "--out", tmp_path / "events.jsonl")
    assert result.returncode == 0, result.stderr
    for label in ("Vanilla", "Hessian", "Fisher"):
        assert label in result.stdout
    assert "exact match, %" in result.stdout
    events = [parse_event(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "finished"


def test_a_surface_is_measured_in_its_own_units(tmp_path):
    path = tmp_path / "surface.json"
    arms = [{"optimizer": "sgd"}]
    record = {"task": {"name": "surface"}, "loss": {"name": "rosenbrock"}, "arms": arms, "steps": 2}
    path.write_text(json.dumps(record))
    result = lab("train", path)
    assert result.returncode == 0, result.stderr
    for title in ("height", "distance", "x", "y"):
        assert f" {title} " in result.stdout
    assert "%" not in result.stdout


def test_seeds_are_repeated_and_compared(spec_file):
    result = lab("train", spec_file, "--seeds", "3", "--steps", "6", "--json")
    assert result.returncode == 0, result.stderr
    record = json.loads(result.stdout)
    assert len(record["runs"]) == 3
    assert set(record["paired_differences"]) == {"Hessian", "Fisher"}
    scores = [[arm["metrics"]["exact_match"] for arm in run["arms"]] for run in record["runs"]]
    expected = sum(row[2] - row[0] for row in scores) / 3
    assert record["paired_differences"]["Fisher"]["mean"] == pytest.approx(expected)


def test_seeds_print_a_table_of_differences(spec_file):
    result = lab("train", spec_file, "--seeds", "2", "--steps", "3")
    assert "2 seeds, paired with Vanilla" in result.stdout


def test_an_arm_that_diverges_counts_as_the_worst_in_every_table(tmp_path):
    """At a learning rate of 1,000 an arm that was ahead loses all that it had reached."""
    arms = [{"label": "Vanilla"}, {"label": "Mad", "optimizer": "sgd", "lr": 0.5}]
    task = {"name": "ranking", "n": 3, "data": {"name": "digits", "digits": 1}, "test_sets": 50}
    changes = [{"arm": 1, "step": 10, "lr": 1000}]
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(small_record(task=task, arms=arms, changes=changes, steps=40)))
    shown = lab("train", path, "--seeds", "2")
    assert shown.returncode == 0, shown.stderr
    assert "diverged in 2 of 2" in shown.stdout
    said = re.findall(r"Mad diverged at step (\d+):", shown.stdout)
    ended = re.findall(r"│ diverged at step (\d+) │", shown.stdout)
    assert said == ended != []
    record = json.loads(lab("train", path, "--seeds", "2", "--json").stdout)
    vanilla, mad = record["comparison"]["arms"]
    assert (mad["mean"], mad["values"], mad["diverged"]) == (0.0, [0.0, 0.0], 2)
    assert record["paired_differences"]["Mad"]["mean"] == pytest.approx(-vanilla["mean"])
    assert record["paired_differences"]["Mad"]["diverged"] == 2
    assert record["paired_differences"]["Mad"]["improved"] == 0.0


def written(path: Path) -> str:
    """What a file holds; it is checked, and made anew, before the run starts."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    return ""


def test_ctrl_c_ends_with_cancelled_and_keeps_the_file(tmp_path):
    spec, out = tmp_path / "spec.json", tmp_path / "events.jsonl"
    spec.write_text(json.dumps(small_record(steps=500_000)))
    process = subprocess.Popen(
        command("train", spec, "--out", out), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        while '"metrics"' not in written(out):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"stopped at step" in errors
    assert parse_event(out.read_text().splitlines()[-1]).type == "cancelled"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (small_record(steps=0), ["steps", "given: 0", "at least 1 and at most 1000000"]),
        (small_record(arms=[{"tikhonov": -1}]), ["arms.0.tikhonov", "given: -1", "at least 1e-12"]),
        ({"loss": {"name": "neuralsort"}}, ["task: Field required", "arms: Field required"]),
    ],
)
def test_a_bad_spec_exits_with_2_and_says_why(record, words, tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(record))
    result = lab("train", path)
    assert result.returncode == 2
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_presets_are_listed_for_people_and_machines() -> None:
    records = json.loads(lab("presets", "--json").stdout)
    table = lab("presets").stdout
    assert records
    for record in records:
        assert record["name"] in table
    curvatures = {arm.get("curvature", "none") for arm in records[0]["spec"]["arms"]}
    assert {"none", "hessian", "fisher"} <= curvatures


def test_doctor_says_what_is_here() -> None:
    findings = {finding["name"]: finding for finding in json.loads(lab("doctor", "--json").stdout)}
    assert findings["torch"]["good"]
    assert "cpu" in findings["devices"]["detail"]
    assert "neuralsort" in findings["losses"]["detail"]
    assert findings["data: digits"]["good"]
