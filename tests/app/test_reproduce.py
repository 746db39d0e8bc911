"""``reproduce``: what it writes, says, refuses and keeps."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newton_core.evidence.results import Result
from tests.app.command import Lab


def test_it_writes_the_numbers_and_a_page(newton_lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "results"
    code = newton_lab("reproduce", "figure6", "--scale", "tiny", "--out", out, "--json")
    assert code == 0, newton_lab.err
    result = Result.model_validate_json(newton_lab.out)
    assert result == Result.model_validate_json((out / "figure6-tiny.json").read_text("utf-8"))
    assert result.complete
    assert result.command == "newton-lab reproduce figure6 --scale tiny"
    assert "torch" in result.versions
    page = (out / "figure6-tiny.md").read_text("utf-8")
    assert page.startswith(f"# {result.title}")
    for row in result.rows:
        assert f"### {row.title}" in page


def test_runs_are_compared_and_kept(newton_lab: Lab, tmp_path: Path) -> None:
    arguments = ("reproduce", "figure3", "--scale", "tiny", "--out", tmp_path, "--processes", "1")
    assert newton_lab(*arguments) == 0, newton_lab.err
    assert "After 2 updates" in newton_lab.out
    first = json.loads((tmp_path / "figure3-tiny.json").read_text("utf-8"))
    assert newton_lab(*arguments) == 0, newton_lab.err
    second = json.loads((tmp_path / "figure3-tiny.json").read_text("utf-8"))
    assert first["rows"] == second["rows"], "the same runs, to the second that they took"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tabel1"], "did you mean 'table1'"),
        (["table2", "--scale", "mnist"], "it has: tiny, small, paper"),
        (["table1", "--scale", "tiny", "--device", "cuda:77"], "is not available"),
        (["table1", "--scale", "tiny", "--device", "tpu"], "'tpu' is not available"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(
    newton_lab: Lab, tmp_path: Path, arguments: list[str], words: str
) -> None:
    out = tmp_path / "results"
    assert words in newton_lab.refuses("reproduce", *arguments, "--out", out)
    assert not out.exists()


def test_a_file_is_no_folder_for_results(newton_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = newton_lab.refuses("reproduce", "figure6", "--scale", "tiny", "--out", tmp_path / "file")
    assert "--out: cannot write" in said


def test_it_can_be_interrupted_and_says_what_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "reproduce", "figure6", "--out", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "8 rows" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "goes on from them" in said
