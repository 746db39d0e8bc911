"""Two specs that say the same have one key; anything that changes a number changes it."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.identity import (
    Identity,
    canonical,
    identify,
    is_outdated,
    is_reusable,
    software_version,
)
from newton_core.experiment.sources import sources_of
from newton_core.experiment.spec import ExperimentSpec
from newton_core.tasks.base import SampleOutputs
from tests.app.harness import tiny_spec


def spec(**changes: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate(tiny_spec(**changes))


def test_ways_to_write_a_spec_down_do_not_matter() -> None:
    short = spec()
    complete = ExperimentSpec.model_validate_json(short.model_dump_json())
    backwards = ExperimentSpec.model_validate(dict(reversed(list(tiny_spec().items()))))
    as_float = spec(arms=[{"label": "Vanilla"}, {"label": "Fisher", "curvature": "fisher"}])
    assert len({identify(s).key for s in (short, complete, backwards, as_float)}) == 1
    assert canonical(short) == canonical(complete)
    one, two = (spec(arms=[{"tikhonov": value, "curvature": "fisher"}]) for value in (1, 1.0))
    assert identify(one) == identify(two)


@given(
    st.sampled_from(["seed", "steps", "batch_size", "log_every", "evaluate_every"]),
    st.integers(1, 1000),
    st.integers(1, 1000),
)
def test_any_other_number_is_another_run(field: str, first: int, second: int) -> None:
    keys = {identify(spec(**{field: value})).key for value in (first, second)}
    assert len(keys) == (1 if first == second else 2)


def test_clock_decides_only_where_there_is_a_time_limit() -> None:
    assert is_reusable(spec())
    assert not is_reusable(spec(seconds=5))


def test_own_data_that_changed_make_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "cats"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text("file,value\n")
    task = {"name": "ranking", "n": 3, "data": {"name": "folder", "path": "cats"}}
    before = identify(spec(task=task))
    assert identify(spec(task=task)) == before
    (folder / "a.png").write_bytes(b"1")
    added = identify(spec(task=task))
    (folder / "a.png").write_bytes(b"2")
    changed = identify(spec(task=task))
    assert len({before.key, added.key, changed.key}) == 3
    assert len({before.version, added.version, changed.version}) == 3, "or a fork would mix them"
    os.utime(folder / "a.png", (1, 1))
    assert identify(spec(task=task)) == changed, "touched, and the same"
    now = sources_of(spec(task=task))
    assert not is_outdated(changed.version, now)
    assert is_outdated(added.version, now)
    assert is_outdated(software_version(), now)
    assert not is_outdated("0+torch.0+sources.0", now), "of another version of the lab"


def test_keys_of_runs_without_anything_from_outside_stay() -> None:
    identity = Identity("{}", "1", "cpu")
    assert identity.key == hashlib.sha256(b"1\ncpu\n\n{}").hexdigest()
    assert identify(spec()).version == software_version()


@pytest.mark.parametrize(
    ("task", "path", "outputs"),
    [
        ({"name": "ranking", "n": 7}, ("n",), 7),
        ({"name": "classification"}, (), 1),
    ],
)
def test_outputs_of_a_task(task: dict[str, Any], path: tuple[str, ...], outputs: int) -> None:
    loss = "neuralsort" if task["name"] == "ranking" else "cross_entropy"
    parsed = spec(task=task, loss={"name": loss})
    assert parsed.task.outputs_per_sample() == SampleOutputs(outputs, path)


def test_outputs_of_a_map() -> None:
    task = {"name": "shortest_path", "data": {"name": "terrain", "height": 4, "width": 6}}
    parsed = spec(task=task, loss={"name": "perturbed_fy"})
    assert parsed.task.outputs_per_sample() == SampleOutputs(24, ("data",))
