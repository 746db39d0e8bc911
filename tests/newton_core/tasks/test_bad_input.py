"""Settings and files that make no sense to a task get one sentence, before anything is trained."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.context import RunContext

Record = dict[str, Any]


def context(task: Record, loss: Record | str) -> RunContext:
    named = {"name": loss} if isinstance(loss, str) else loss
    record: Record = {"task": task, "loss": named, "arms": [{}], "steps": 2, "batch_size": 4}
    return RunContext(ExperimentSpec.model_validate(record))


@pytest.mark.parametrize(
    ("task", "loss", "sentence"),
    [
        ({"name": "trajectory", "steps": 2}, "trajectory", "3 way-points need a path of at least"),
        ({"name": "trajectory", "steps": 0}, "trajectory", "greater than or equal to 2"),
        (
            {"name": "trajectory", "steps": 8},
            {"name": "trajectory", "way_points": 20},
            "20 way-points need a path of at least 20 steps, it has 8",
        ),
        ({"name": "discs", "discs": 0}, "soft_disc", "greater than or equal to 1"),
        ({"name": "discs", "discs": 4}, "soft_disc", "less than or equal to 3"),
        ({"name": "discs", "largest": 2}, "soft_disc", "radius 2 reaches outside the picture"),
        (
            {"name": "discs", "smallest": 0.6, "largest": 0.3},
            "soft_disc",
            "the least radius 0.6 is above the greatest, 0.3",
        ),
        ({"name": "heat"}, "neuralsort", "does not fit the task heat; use one of heat"),
        ({"name": "top_k", "k": 0}, "top_k_cross_entropy", "greater than or equal to 1"),
        ({"name": "top_k", "k": 11}, "top_k_cross_entropy", "11 guesses are more than the 10"),
        (
            {"name": "top_k"},
            {"name": "top_k_cross_entropy", "k": 11},
            "k = 11 needs at least 11 scores per sample, got 10: lower k",
        ),
        ({"name": "jigsaw", "across": 1}, "sinkhorn", "greater than or equal to 2"),
        ({"name": "jigsaw", "across": 2.5}, "sinkhorn", "a valid integer"),
        ({"name": "jigsaw"}, "neuralsort", "does not fit the task jigsaw; use one of sinkhorn"),
        ({"name": "ranking", "n": 1}, "sinkhorn", "greater than or equal to 2"),
        ({"name": "forecast", "horizon": 0}, "soft_dtw", "greater than or equal to 1"),
        ({"name": "spanning_tree"}, "perturbed_fy", "does not fit the task spanning_tree, whose"),
    ],
)
def test_settings(task: Record, loss: Record | str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        context(task, loss)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "mine"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["value", "1", "2", "3"], "too few for a history of 48 and a horizon of 32"),
        (["value", *["5"] * 300], "every value is 5: there is nothing to forecast in a constant"),
        (["value", *["hello"] * 300], "line 2: expected a number as value, found 'hello'"),
        (["value", "1", "nan", "2"], "line 3: there is no value .*: fill the gap"),
        (["value", "1", "inf", "2"], "line 3: expected a finite number as value, found 'inf'"),
        (["value", *["1"] * 250, *map(str, range(60))], "the training part, .* is constant"),
        (["value", *["1e308", "-1e308"] * 150], r"up to 1e\+308 are too large .*in larger units"),
        (["value"], "the series is empty: expected a row for each step of time"),
        ([], "expected one column called 'value' in the first line, found nothing"),
    ],
)
def test_series(own: Path, rows: list[str], sentence: str) -> None:
    (own / "series.csv").write_text("".join(f"{row}\n" for row in rows))
    with pytest.raises(ValueError, match=sentence):
        context({"name": "forecast", "data": {"name": "table", "path": "mine"}}, "soft_dtw")


@pytest.mark.parametrize(("name", "loss"), [("heat", "heat"), ("jigsaw", "sinkhorn")])
def test_pictures(own: Path, name: str, loss: str) -> None:
    task: Record = {"name": name, "data": {"name": "folder", "path": "mine"}}
    with pytest.raises(ValueError, match="expected exactly one CSV file with the columns"):
        context(task, loss)
    (own / "t.csv").write_text("file,label\n0.png,a\n1.png,b\n")
    for index in range(2):
        (own / f"{index}.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"0\.png.*(cannot be read|no image|not an image)"):
        context(task, loss)
    for index in range(2):
        Image.new("L", (1, 1), 255 * index).save(own / f"{index}.png")
    assert any("one grey level" in said for said in context(task, loss).task.warnings())
    if name == "jigsaw":
        small = {**task, "across": 6, "data": {**task["data"], "height": 4}}
        with pytest.raises(ValueError, match="has no 6 tiles along a side"):
            context(small, loss)
