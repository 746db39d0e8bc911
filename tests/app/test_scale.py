"""``scale``: what it writes, and what it refuses."""

import importlib.util
from pathlib import Path

import pytest

from app.shipped import shipped_result
from newton_core.evidence.results import Result
from tests.app.command import Lab


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scale")


def test_it_writes_a_table_and_a_chart(newton_lab: Lab, folder: Path) -> None:
    assert newton_lab("scale", "--quick", "--out", folder, "--json") == 0, newton_lab.err
    result = Result.model_validate_json(newton_lab.out)
    assert result == shipped_result("scale", folder)
    assert result.command == "newton-lab scale --quick"
    assert "NeuralSort: 1,024 outputs, about" in result.note
    page = (folder / "scale.md").read_text("utf-8")
    assert "| Cross-entropy: 1,024 outputs |" in page
    drawn = importlib.util.find_spec("kaleido") is not None
    chart = (folder / ("scale.svg" if drawn else "scale.html")).read_text("utf-8")
    assert "weights of the network" in chart
    assert ("scale.svg" in page) == drawn


def test_a_device_that_is_not_there_is_refused(newton_lab: Lab, tmp_path: Path) -> None:
    said = newton_lab.refuses("scale", "--device", "cuda:77", "--out", tmp_path / "results")
    assert "is not available" in said
    assert not (tmp_path / "results").exists()


def test_a_file_is_no_folder_for_results(newton_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = newton_lab.refuses("scale", "--quick", "--out", tmp_path / "file")
    assert "--out: cannot write" in said


def test_a_quick_look_overwrites_no_whole_measurement(newton_lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "scale.json"
    whole = shipped_result("scale")
    file.write_text(whole.model_dump_json(), "utf-8")
    said = newton_lab.refuses("scale", "--quick", "--out", tmp_path)
    assert f"{file} holds a whole measurement, which --quick would overwrite; choose" in said
    assert Result.model_validate_json(file.read_text("utf-8")) == whole
