"""Presets computed ahead: by a process of its own, or by the server that is there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.database import DatabaseInUseError
from app.presets import Preset, UnknownPresetError, load_presets
from app.settings import Settings, load_settings
from app.warm import REFUSED, WarmProgress, Wish, find_wishes, warm
from newton_core.experiment.spec import ExperimentSpec
from tests.app.command import Lab
from tests.app.harness import LabServer, tiny_spec


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Two small presets in place of those that take minutes, and no lessons."""
    model = load_presets()[0]
    small = tuple(
        model.model_copy(update={"name": name, "title": name, "spec": tiny_spec(seed=seed)})
        for seed, name in enumerate(("one", "two"))
    )

    def get(name: str) -> Preset:
        for preset in small:
            if preset.name == name:
                return preset
        raise UnknownPresetError(f"unknown preset {name!r}")

    for module in ("app.warm", "app.runs.submission"):
        monkeypatch.setattr(f"{module}.get_preset", get)
        monkeypatch.setattr(f"{module}.load_presets", lambda: small)
    monkeypatch.setattr("app.lessons.shelf.shipped_dir", lambda: tmp_path / "shipped")
    return [preset.name for preset in small]


def settings_for(folder: Path, **changes: Any) -> Settings:
    return load_settings(**{"data_dir": folder, "fork_workers": 0, "threads": 1, **changes})


def ends(news: Iterator[WarmProgress]) -> list[tuple[str, str]]:
    return [(item.name, item.status) for item in news if item.is_last]


def test_presets_are_computed_once(tmp_path: Path, presets: list[str]) -> None:
    settings = settings_for(tmp_path)
    news = list(warm(settings, find_wishes([], settings)))
    assert ends(iter(news)) == [("one", "finished"), ("two", "finished")]
    assert (news[-1].step, news[-1].steps) == (40, 40)
    assert not news[-1].was_there
    (again,) = warm(settings, find_wishes(["two"], settings))
    assert (again.run_id, again.status) == (news[-1].run_id, "finished")
    assert again.was_there


def test_unknown_preset_is_refused_before_anything_is_computed(
    tmp_path: Path, presets: list[str]
) -> None:
    with pytest.raises(UnknownPresetError, match=r"three.*lessons: "):
        find_wishes(["one", "three"], settings_for(tmp_path))


LESSON = """---
title: Two runs
minutes: 1
---

## The first

```scene
{page: compare, spec: SPEC}
```

## The same again

```scene
{page: compare, spec: SPEC, step: 20}
```

## A surface, which is no run

```scene
{page: surfaces, settings: {function: saddle}}
```

## Another

```scene
{page: compare, preset: PRESET, change: {steps: STEPS}}
```
"""


def written_lesson(folder: Path, steps: int) -> None:
    """A lesson of two small runs in ``folder``."""
    folder.mkdir()
    preset = load_presets()[0].name
    text = LESSON.replace("SPEC", json.dumps(tiny_spec(seed=5)))
    text = text.replace("PRESET", preset).replace("STEPS", str(steps))
    (folder / "two-runs.md").write_text(text, "utf-8")


def test_every_scene_of_a_lesson_is_there_in_the_class(
    new_server: Callable[..., LabServer],
    tmp_path: Path,
    newton_lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written_lesson(tmp_path / "own", steps=3)
    own = {"LESSONS_DIR": str(tmp_path / "own"), "FORK_WORKERS": "0", "THREADS": "1"}
    for name, value in own.items():
        monkeypatch.setenv(f"NEWTON_LAB_{name}", value)
    assert newton_lab("warm", "two-runs") == 0
    assert "2 of 2 runs replay at once: 0 were there, 2 computed now" in newton_lab.out
    assert newton_lab("warm", "two-runs") == 0
    assert "2 were there, 0 computed now" in newton_lab.out
    server = new_server(fork_workers=0, lessons_dir=tmp_path / "own").start()
    lesson = server.client.get("/api/lessons/two-runs").json()
    scenes = [page["scene"] for page in lesson["content"]]
    assert [scene["page"] for scene in scenes] == ["compare", "compare", "surfaces", "compare"]
    for scene in scenes:
        if scene["spec"] is not None:
            assert server.post(scene["spec"])["status"] == "finished", "it replays at once"


def test_what_the_class_may_not_run_is_named_and_the_rest_computed(tmp_path: Path) -> None:
    written_lesson(tmp_path / "own", steps=70)
    settings = settings_for(tmp_path / "data", lessons_dir=tmp_path / "own", max_steps=50)
    news = [item for item in warm(settings, find_wishes(["two-runs"], settings)) if item.is_last]
    assert [(item.name, item.status) for item in news] == [
        ("two-runs 1", "finished"), ("two-runs 4", REFUSED),
    ]  # fmt: skip
    assert news[-1].error == "steps: at most 50 steps on this server"


def test_running_server_is_asked(new_server: Callable[..., LabServer]) -> None:
    server = new_server(fork_workers=0, access_code="sesame 42").start()
    server.client.headers["Authorization"] = "Bearer sesame 42"
    preset = load_presets()[0]
    settings = settings_for(server.data_dir, access_code="sesame 42")
    news = warm(settings, find_wishes([preset.name], settings))
    run = server.wait_for(next(news).run_id, lambda run: run["status"] == "running")
    assert run["preset"] == preset.name
    assert run["title"] == preset.title
    assert server.client.post(f"/api/runs/{run['id']}/stop").status_code == 202
    assert ends(news) == [(preset.name, "cancelled")]
    server.stop()
    assert not (server.data_dir / "server.address").exists()


def test_server_that_noted_no_address_is_in_the_way(tmp_path: Path) -> None:
    from app.database import Database

    database = Database.open(settings_for(tmp_path))
    with pytest.raises(DatabaseInUseError):
        next(warm(settings_for(tmp_path), [Wish("x", ExperimentSpec.model_validate(tiny_spec()))]))
    database.close()
