"""Runs over seeds, compared by the server."""

import csv
import io
from functools import cache

import pytest

from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from tests.app.harness import LabServer, tiny_spec


@cache
def runs(server: LabServer) -> tuple[str, ...]:
    """Three seeds of one spec."""
    return tuple(server.finish(tiny_spec(steps=4, seed=seed)) for seed in range(3))


def refused(server: LabServer, *ids: str) -> str:
    answer = server.client.get("/api/comparisons", params={"runs": ",".join(ids)})
    assert answer.status_code == 409
    return str(answer.json()["detail"])


def test_the_numbers_are_those_of_the_library(server: LabServer) -> None:
    found = server.client.get("/api/comparisons", params={"runs": ",".join(runs(server))}).json()
    infos = [server.run(run_id) for run_id in runs(server)]
    comparison = compare_runs(
        ExperimentSpec.model_validate(infos[0]["spec"]),
        [Summary.model_validate(info["summary"]) for info in infos],
    )
    difference = comparison.arms[1].difference
    assert difference is not None
    gain = found["arms"][1]["gain"]
    assert [gain[name] for name in ("mean", "low", "high")] == pytest.approx(
        [difference.mean, difference.low, difference.high]
    )
    assert found["seeds"] == [0, 1, 2]
    assert found["verdicts"] == [None, "too few seeds"]
    assert "too few seeds" in found["sentence"]
    assert found["rows"][1][found["columns"].index("verdict")] == "too few seeds"


def test_files_come_as_attachments(server: LabServer) -> None:
    asked = {"runs": ",".join(runs(server))}
    table = server.client.get("/api/comparisons/export", params={**asked, "format": "csv"})
    assert "attachment" in table.headers["content-disposition"]
    labels = [row["label"] for row in csv.DictReader(io.StringIO(table.text))]
    assert labels == ["Vanilla", "Fisher"]
    plot = server.client.get("/api/comparisons/export", params={**asked, "format": "html"})
    assert "plotly" in plot.text


def test_runs_that_are_no_seeds_of_one_experiment_are_refused(server: LabServer) -> None:
    first = runs(server)[0]
    assert "at least two runs" in refused(server, first)
    other = server.finish(tiny_spec(steps=5, seed=1))
    assert "the runs differ in steps" in refused(server, first, other)
    same_seed = server.finish(tiny_spec(steps=4, batch_size=5))
    assert "same seed" in refused(server, first, same_seed)
    gone = server.client.get("/api/comparisons", params={"runs": f"{first},abc"})
    assert gone.status_code == 404
