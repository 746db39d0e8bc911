"""The command line on real runs, once in a process of its own as people run it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
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


def test_a_surface_is_measured_in_its_own_units(newton_lab, tmp_path):
    path = tmp_path / "surface.json"
    arms = [{"optimizer": "sgd"}]
    record = {"task": {"name": "surface"}, "loss": {"name": "rosenbrock"}, "arms": arms, "steps": 2}
    path.write_text(json.dumps(record))
    assert newton_lab("train", path) == 0, newton_lab.err
    for title in ("height", "distance", "x", "y"):
        assert f" {title} " in newton_lab.out
    assert "%" not in newton_lab.out


def test_seeds_are_repeated_and_compared(newton_lab, spec_file):
    given = ("--seeds", "3", "--steps", "6", "--json")
    assert newton_lab("train", spec_file, *given) == 0, newton_lab.err
    record = json.loads(newton_lab.out)
    assert len(record["runs"]) == 3
    assert set(record["paired_differences"]) == {"Hessian", "Fisher"}
    scores = [[arm["metrics"]["exact_match"] for arm in run["arms"]] for run in record["runs"]]
    expected = sum(row[2] - row[0] for row in scores) / 3
    assert record["paired_differences"]["Fisher"]["mean"] == pytest.approx(expected)


def test_seeds_print_a_table_of_differences(newton_lab, spec_file):
    assert newton_lab("train", spec_file, "--seeds", "2", "--steps", "3") == 0, newton_lab.err
    assert "2 seeds, paired with Vanilla" in newton_lab.out


def test_an_arm_that_diverges_counts_as_the_worst_in_every_table(newton_lab, tmp_path):
    """At a learning rate of 1,000 an arm that was ahead loses all that it had reached."""
    arms = [{"label": "Vanilla"}, {"label": "Mad", "optimizer": "sgd", "lr": 0.5}]
    task = {"name": "ranking", "n": 3, "data": {"name": "digits", "digits": 1}, "test_sets": 50}
    changes = [{"arm": 1, "step": 10, "lr": 1000}]
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(small_record(task=task, arms=arms, changes=changes, steps=40)))
    assert newton_lab("train", path, "--seeds", "2") == 0, newton_lab.err
    assert "diverged in 2 of 2" in newton_lab.out
    said = re.findall(r"Mad diverged at step (\d+):", newton_lab.out)
    ended = re.findall(r"│ diverged at step (\d+) +│", newton_lab.out)
    assert said == ended != []
    assert newton_lab("train", path, "--seeds", "2", "--json") == 0, newton_lab.err
    record = json.loads(newton_lab.out)
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
            time.sleep(0.02)  # the command needs the core
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
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
def test_a_bad_spec_exits_with_2_and_says_why(record, words, newton_lab, tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(record))
    assert newton_lab("train", path) == 2
    for word in words:
        assert word in newton_lab.err
    assert "Traceback" not in newton_lab.err


def test_presets_are_listed_for_people_and_machines(newton_lab) -> None:
    assert newton_lab("presets", "--json") == 0
    records = json.loads(newton_lab.out)
    assert newton_lab("presets") == 0
    table = newton_lab.out
    assert records
    for record in records:
        assert record["name"] in table
    curvatures = {arm.get("curvature", "none") for arm in records[0]["spec"]["arms"]}
    assert {"none", "hessian", "fisher"} <= curvatures


def test_doctor_says_what_is_here(newton_lab) -> None:
    assert newton_lab("doctor", "--json") == 0
    findings = {finding["name"]: finding for finding in json.loads(newton_lab.out)}
    assert findings["torch"]["good"]
    assert "cpu" in findings["devices"]["detail"]
    assert "neuralsort" in findings["losses"]["detail"]
    assert findings["data: digits"]["good"]
