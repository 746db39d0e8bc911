"""``tune`` and ``sweep``: what they choose, write, keep and refuse."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.evidence.common import as_spec_errors
from app.specs import SpecError, read_spec
from newton_core.evidence import CellStore, GridError
from newton_core.evidence.computing import Progress
from tests.app.command import Lab
from tests.app.harness import tiny_spec


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(tiny_spec(steps=6)))
    return path


def test_tune_writes_a_spec_that_trains_and_all_that_was_tried(
    newton_lab: Lab, spec: Path, tmp_path: Path
) -> None:
    tuned = tmp_path / "tuned.json"
    assert newton_lab("tune", spec, "--budget", "3", "--seeds", "1", "--out", tuned) == 0, (
        newton_lab.err
    )
    assert "all that was tried" in newton_lab.out.replace("\n", " ")
    record = json.loads((tmp_path / "tuned.tuning.json").read_text())
    assert record["seeds"] == [10_000]
    assert [len(arm["trials"]) for arm in record["arms"]] == [3] * len(record["arms"])
    arms = read_spec(str(tuned)).arms
    assert [arm.lr for arm in arms] == [arm["best"]["lr"] for arm in record["arms"]]
    assert "exists already" in newton_lab.refuses("tune", spec, "--out", tuned)


def test_tune_refuses_report_seeds(newton_lab: Lab, spec: Path, tmp_path: Path) -> None:
    words = newton_lab.refuses(
        "tune", spec, "--first-seed", "9999", "--out", tmp_path / "tuned.json"
    )
    assert "seed 9999 is for reports" in words
    assert not (tmp_path / "tuned.json").exists()


def test_a_sweep_chooses_on_tuning_seeds_and_claims_on_report_seeds(
    newton_lab: Lab, spec: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    grid = "arms.1.tikhonov=0.1,10"
    wishes = ("--grid", grid, "--seeds", "2", "--report-seeds", "2", "--out", out, "--json")
    assert newton_lab("sweep", spec, *wishes) == 0, newton_lab.err
    record = json.loads(newton_lab.out)
    assert record == json.loads((out / "sweep.json").read_text())
    assert record["seeds"] == [10_000, 10_001]
    assert [cell["settings"]["arms.1.tikhonov"] for cell in record["cells"]] == [0.1, 10]
    best = record["best"]
    assert best["index"] in (0, 1)
    assert best["report"]["seeds"] == [0, 1]
    labels = [arm["label"] for arm in best["report"]["comparison"]["arms"]]
    assert best["report"]["paired_differences"].keys() == set(labels[1:])
    rows = list(csv.DictReader((out / "cells.csv").read_text().splitlines()))
    assert len(rows) == 2 * 2 * len(labels)
    assert {row["seed"] for row in rows} == {"10000", "10001"}


def test_a_sweep_overwrites_no_other_sweep_without_a_word(
    newton_lab: Lab, spec: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    wishes = ("--seeds", "1", "--report-seeds", "0", "--out", out)
    first = ("sweep", spec, "--grid", "arms.1.tikhonov=0.1", *wishes)
    assert newton_lab(*first) == 0, newton_lab.err
    assert newton_lab(*first) == 0, newton_lab.err  # the same may go on
    before = (out / "sweep.json").read_text()
    other = ("sweep", spec, "--grid", "arms.1.tikhonov=1", *wishes)
    assert "sweep.json holds another sweep; choose another folder, or --force" in (
        newton_lab.refuses(*other)
    )
    assert (out / "sweep.json").read_text() == before
    assert newton_lab(*other, "--force") == 0, newton_lab.err
    assert (out / "sweep.json").read_text() != before


def test_results_that_cannot_be_written_any_more_are_shown_all_the_same(
    newton_lab: Lab, spec: Path, tmp_path: Path
) -> None:
    for name in ("sweep.json", "tuned.json"):
        (tmp_path / f"{name}.partial").mkdir()  # in the way of what is written last
    sweep = ("--grid", "arms.1.tikhonov=0.1", "--seeds", "1", "--report-seeds", "0")
    assert newton_lab("sweep", spec, *sweep, "--out", tmp_path) == 2
    assert "arms.1.tikhonov" in newton_lab.out
    assert newton_lab.err.startswith(f"--out: cannot write {tmp_path / 'sweep.json'}: ")
    tune = ("--budget", "1", "--seeds", "1", "--out", tmp_path / "tuned.json")
    assert newton_lab("tune", spec, *tune) == 2
    assert "the best of 1" in newton_lab.out
    assert newton_lab.err.startswith(f"--out: cannot write {tmp_path / 'tuned.json'}: ")


def test_tune_writes_files_alone(newton_lab: Lab, spec: Path, tmp_path: Path) -> None:
    assert "--out: cannot write .: Is a directory" in newton_lab.refuses("tune", spec, "--out", ".")
    assert "/dev/null is no file, and what was tried is kept beside it" in (
        newton_lab.refuses("tune", spec, "--out", "/dev/null", "--force")
    )
    link, file = tmp_path / "link.json", tmp_path / "tuned.json"
    link.symlink_to(file)
    assert newton_lab("tune", spec, "--out", link, "--budget", "1", "--seeds", "1") == 0
    assert link.is_symlink()
    assert json.loads(file.read_text())["steps"]


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("arms.1.tikonov=1", "did you mean 'tikhonov'"),
        ("arms.1.lr=-1", "arms.1.lr"),
        ("arms.1.lr", "a grid reads like"),
        ("seed=1,2", "seed is no axis"),
    ],
)
def test_a_sweep_says_what_is_wrong_with_its_grid(
    newton_lab: Lab, spec: Path, grid: str, words: str
) -> None:
    assert words in newton_lab.refuses("sweep", spec, "--grid", grid)


def test_a_sweep_that_is_killed_goes_on_from_its_cells(
    newton_lab: Lab, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(data))
    grid = "arms.1.tikhonov=" + ",".join(map(str, range(1, 13)))
    command = ["sweep", str(spec), "--grid", grid, "--seeds", "2", "--report-seeds", "0"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *command, "--processes", "1"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (kept := list(data.rglob("cells/*/*.json"))):
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = list(data.rglob("cells/*/*.json"))
    files = {file: file.stat().st_ino for file in kept}

    assert newton_lab(*command) == 0, newton_lab.err
    assert {file: file.stat().st_ino for file in kept} == files  # none was made again
    assert len(list(CellStore().folder.rglob("*.json"))) > len(kept)


def test_ctrl_c_shows_and_keeps_the_combinations_that_are_finished(
    newton_lab: Lab, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path / "data"))
    out = tmp_path / "out"

    def interrupt() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if len(list(CellStore().folder.rglob("*.json"))) == 2:  # both arms of six steps
                time.sleep(0.5)
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=interrupt)
    thread.start()
    wishes = ("--grid", "steps=6,900000", "--seeds", "1", "--processes", "1", "--out", out)
    assert newton_lab("sweep", spec, *wishes, "--json") == 130
    thread.join()
    assert "stopped; 2 of 4 cells are finished and kept" in newton_lab.err
    record = json.loads(newton_lab.out)
    assert [cell["settings"] for cell in record["cells"]] == [{"steps": 6}]
    assert record["best"] is None  # nothing is chosen before all are known
    assert json.loads((out / "sweep.json").read_text()) == record


def test_progress_tells_the_time_that_is_left() -> None:
    assert Progress(done=4, total=10, reused=4, seconds=3.0).seconds_left is None
    assert Progress(done=6, total=10, reused=4, seconds=3.0).seconds_left == 6.0


def test_errors_of_the_evidence_are_one_line() -> None:
    with pytest.raises(SpecError, match=r"^a grid$"), as_spec_errors("x.json"):
        raise GridError("a grid")
    with pytest.raises(SpecError, match=r"^x.json: two words$"), as_spec_errors("x.json"):
        raise ValueError("two\n  words")
