"""Where output goes and specs come from: pipes, narrow terminals, closed and full streams."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.app.command import Lab
from tests.app.harness import tiny_spec
from tests.app.test_cli import command, lab

LABELS = ("hessian_of_the_batch_tikhonov_0.1_raw", "hessian_of_the_batch_tikhonov_10_clip")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    arms = [{"label": LABELS[0]}, {"label": LABELS[1], "curvature": "fisher"}]
    path.write_text(json.dumps(tiny_spec(steps=2, arms=arms)))
    return path


def cells(table: str, column: int) -> str:
    """What stands in one column of the tables, whatever lines it is broken into."""
    rows = [line.replace("┃", "│").replace("|", "│").split("│") for line in table.splitlines()]
    return "".join(row[column].strip() for row in rows if len(row) > column)


@pytest.mark.parametrize("columns", [60, 80])
def test_labels_and_settings_are_never_cut_in_tables(columns: int, spec: Path) -> None:
    trained = lab("train", str(spec), "--seeds", "2", COLUMNS=str(columns))
    assert trained.returncode == 0, trained.stderr
    for label in LABELS:
        assert cells(trained.stdout, 1).count(label) == 3  # of each seed, and of both
    axes = {"task.model.activation": "tanh", "arms.1.tikhonov_rule": "relative"}
    axes |= {"arms.1.definiteness": "saddle_free", "arms.1.curvature": "hessian"}
    grid = [word for path, value in axes.items() for word in ("--grid", f"{path}={value}")]
    wishes = ("--seeds", "1", "--report-seeds", "0")
    swept = lab("sweep", str(spec), *grid, *wishes, COLUMNS=str(columns))
    assert swept.returncode == 0, swept.stderr
    for column, (path, value) in enumerate(axes.items(), 1):
        assert cells(swept.stdout, column) == path + value


def test_a_spec_may_come_through_a_pipe(newton_lab: Lab, spec: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(spec.read_bytes()))
    writer.start()
    assert newton_lab("train", pipe, "--seeds", "2") == 0, newton_lab.err
    writer.join()


def test_closed_streams_are_no_error() -> None:
    for closing in (">&-", "2>&-", ">&- 2>&-"):
        shell = ["sh", "-c", f'"$@" {closing}', "sh", *command("presets")]
        result = subprocess.run(shell, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0
        assert result.stderr == ""


def test_a_full_disk_behind_the_output_is_no_matter_of_the_cells(spec: Path) -> None:
    wishes = ("--grid", "steps=2", "--seeds", "1", "--report-seeds", "0", "--json")
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command("sweep", str(spec), *wishes),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert result.returncode == 2
    assert result.stderr == "cannot go on: No space left on device\n"
