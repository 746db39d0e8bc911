"""The results that ship: listed, told in full, and named when another is asked for."""

import json
from pathlib import Path

import pytest

from app.shipped import UnknownResultError, results_dir, shipped_result, shipped_results
from tests.app.harness import LabServer


def test_what_is_committed_is_served(server: LabServer) -> None:
    committed = {file.stem for file in results_dir().glob("*.json")}
    listed = server.client.get("/api/results").json()
    assert {info["name"] for info in listed} == committed > set()
    for info in listed:
        answer = server.client.get(f"/api/results/{info['name']}").json()
        assert answer["result"]["name"] == info["name"]
        assert len(answer["result"]["rows"]) == info["rows"] > 0
        assert set(answer) == {"result", "reproduced", "not_reproduced"}


def test_another_name_is_not_there(server: LabServer) -> None:
    answer = server.client.get("/api/results/table9")
    assert answer.status_code == 404
    assert "figure6-small" in answer.json()["detail"]


def test_every_committed_file_is_one_that_this_version_reads() -> None:
    names = [result.name for result in shipped_results()]
    assert sorted(names) == sorted(file.stem for file in results_dir().glob("*.json"))
    for name in names:
        assert (results_dir() / f"{name}.md").is_file()


def test_a_protocol_alone_is_its_largest_scale(tmp_path: Path) -> None:
    record = json.loads((results_dir() / "figure6-small.json").read_text("utf-8"))
    for scale in ("tiny", "small"):
        name = f"figure6-{scale}"
        (tmp_path / f"{name}.json").write_text(json.dumps({**record, "name": name, "scale": scale}))
    (tmp_path / "table1-small.json").write_text("not JSON")
    assert shipped_result("figure6", tmp_path).name == "figure6-small"
    assert shipped_result("figure6-tiny", tmp_path).name == "figure6-tiny"
    with pytest.raises(UnknownResultError, match="figure6-small, figure6-tiny"):
        shipped_result("table1", tmp_path)
