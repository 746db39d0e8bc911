"""What ``train`` writes: nothing is overwritten without a word, nothing that was done is lost."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from newton_core.experiment.events import parse_event
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run
from tests.app.command import Lab
from tests.app.harness import numbers_of, tiny_spec, unpacked


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return _written(tmp_path / "spec.json", tiny_spec())


@pytest.fixture
def report_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page whose report shows nothing, for a checkout that has built none."""
    folder = tmp_path / "page" / "report"
    folder.mkdir(parents=True)
    for name, code in (("plotly.js", ""), ("report.js", "let x = 1;\n"), ("report.css", "")):
        (folder / name).write_text(code)
    monkeypatch.setattr("app.report.page_dir", lambda: folder.parent)


def _written(path: Path, record: object) -> Path:
    path.write_text(json.dumps(record))
    return path


def _text(path: Path) -> str:
    """What a file holds, which may be made anew at any time."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    return ""


def _runs(path: Path) -> list[list[dict[str, Any]]]:
    """The runs in a file of events."""
    runs: list[list[dict[str, Any]]] = []
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["type"] == "started":
            runs.append([])
        runs[-1].append(record)
    for events in runs:
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [parse_event(event).type for event in events][-1] == events[-1]["type"]
    return runs


def _embedded(path: Path) -> dict[str, Any]:
    text = path.read_text("utf-8").split('id="newton-lab-report">')[1].split("</script>")[0]
    return dict(unpacked(text))


def test_what_was_killed_goes_on_to_the_same_numbers(newton_lab, spec, tmp_path, report_page):
    whole, cut, page = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl", tmp_path / "page.html"
    assert newton_lab("train", spec, "--seeds", "3", "--out", whole, "--json") == 0
    results = json.loads(newton_lab.out)
    # What a process leaves that is killed in seed 1: seed 0 whole, seed 1 up to half a line.
    lines = whole.read_text().splitlines(keepends=True)
    second = [i for i, line in enumerate(lines) if '"type":"started"' in line][1]
    seed_1 = ExperimentSpec.model_validate(tiny_spec(seed=1))
    events = run(seed_1, snapshots=tmp_path / "cut.jsonl.snapshots" / "seed-1")
    killed = [event.model_dump_json() + "\n" for event in events][:-12]
    cut.write_text("".join(lines[:second] + killed) + '{"seq":99,"ty')
    assert '"step":20' in "".join(killed)
    again = ("train", spec, "--seeds", "3", "--out", cut, "--json", "--resume", "--html", page)
    assert newton_lab(*again) == 0
    assert _same(results, json.loads(newton_lab.out))
    for one, other in zip(_runs(whole), _runs(cut), strict=True):
        assert numbers_of(one) == numbers_of(other)
    assert [path.name for path in tmp_path.glob("cut*")] == ["cut.jsonl"]
    shown = _embedded(page)
    logs = [shown["events"], *(log["events"] for log in shown["others"])]
    assert list(map(_places, logs)) == list(map(_places, _runs(cut)))
    assert [log["title"] for log in shown["others"]] == [f"{spec} seed 1", f"{spec} seed 2"]
    assert "3 seeds, paired with Vanilla" in shown["run"]["comparison"]


def _places(log: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Which events a log holds; a report rounds their numbers."""
    return [(event["seq"], event["type"], event.get("arm"), event.get("step")) for event in log]


def _same(one: Any, other: Any) -> bool:
    """Whether results are equal, apart from what depends on the clock."""
    for results in (one, other):
        for result in results["runs"]:
            del result["seconds"]
            for arm in result["arms"]:
                del arm["seconds"]
    return bool(one == other)


def test_a_resumed_run_says_what_it_holds_and_refuses_what_is_different(newton_lab, spec, tmp_path):
    out = tmp_path / "events.jsonl"
    assert newton_lab("train", spec, "--out", out) == 0
    before = out.read_bytes()
    again = ("train", spec, "--out", out)
    assert f"{out} exists already; --resume goes on from it, --force" in newton_lab.refuses(*again)
    words = newton_lab.refuses(*again, "--resume", "--steps", "41")
    assert "differ from this one in steps: 40 there, 41 here" in words
    words = newton_lab.refuses(*again, "--resume", "--threads", "2")
    assert "differ from this one in device" in words
    assert newton_lab(*again, "--resume") == 0
    assert "completed" in newton_lab.out
    assert out.read_bytes() == before
    assert newton_lab(*again, "--force", "--steps", "3") == 0
    assert [events[0]["spec"]["steps"] for events in _runs(out)] == [3]
    other = _written(tmp_path / "other.json", {"some": "thing"})
    words = newton_lab.refuses("train", spec, "--out", other, "--resume")
    assert "does not hold the events of runs" in words
    assert "add --out" in newton_lab.refuses("train", spec, "--resume")


def test_ctrl_c_shows_and_keeps_what_was_finished(newton_lab, tmp_path, report_page):
    spec = _written(tmp_path / "spec.json", tiny_spec(steps=500_000, seconds=0.3))
    out, page = tmp_path / "events.jsonl", tmp_path / "page.html"

    def interrupt() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if _text(out).count('"type":"started"') == 3:
                os.kill(os.getpid(), signal.SIGINT)
                return

    threading.Thread(target=interrupt).start()
    arguments = ("train", spec, "--seeds", "900", "--out", out, "--html", page)
    assert newton_lab(*arguments) == 130
    finished = len(_runs(out)) - 1
    assert f"{finished} of 900 seeds are finished; the events are in {out}" in newton_lab.err
    assert f"{finished} seeds, paired with Vanilla" in newton_lab.out
    shown = _embedded(page)
    assert len(shown["others"]) == finished
    assert shown["others"][-1]["events"][-1]["type"] == "cancelled"


@pytest.mark.parametrize("option", ["--out", "--html"])
def test_files_are_checked_before_anything_is_trained(
    option, newton_lab, spec, tmp_path, report_page
):
    full = tmp_path / "full.txt"
    full.write_text("precious\n")
    for path, words in [
        (tmp_path / "nowhere" / "file", f"there is no folder {tmp_path / 'nowhere'}; make it"),
        (full / "file", "Not a directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (full, f"{full} exists already; "),
    ]:
        assert words in newton_lab.refuses("train", spec, option, path)
        assert newton_lab.err.startswith(option)
    assert full.read_text() == "precious\n"
    same = ("train", spec, "--out", tmp_path / "one", "--html", tmp_path / "one")
    assert "--out and --html are the same file" in newton_lab.refuses(*same)
    words = newton_lab.refuses("train", spec, option, spec, "--force")
    assert f"the spec and {option} are the same file" in words
    assert json.loads(spec.read_text()) == tiny_spec()
    assert not (tmp_path / "one").exists()


def test_a_full_disk_is_one_line(newton_lab, spec, tmp_path, report_page):
    words = newton_lab.refuses("train", spec, "--out", "/dev/full")
    assert words == "--out: cannot write /dev/full: No space left on device\n"
    assert newton_lab("train", spec, "--html", "/dev/full") == 2
    assert "cannot write /dev/full: " in newton_lab.err
    assert "completed" in newton_lab.out, "the numbers are not lost with the report"


def test_a_report_needs_the_page(newton_lab: Lab, spec, tmp_path, monkeypatch):
    monkeypatch.setattr("app.report.page_dir", lambda: tmp_path / "nowhere")
    assert "make page" in newton_lab.refuses("train", spec, "--html", tmp_path / "page.html")
