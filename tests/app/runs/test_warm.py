"""Presets computed ahead: by a process of its own, or by the server that is there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.database import DatabaseInUseError
from app.presets import Preset, UnknownPresetError, load_presets
from app.runs.store import ENDED
from app.runs.warm import WarmProgress, warm
from app.settings import Settings, load_settings
from tests.app.harness import LabServer, tiny_spec


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two small presets in place of those that take minutes."""
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

    for module in ("app.runs.warm", "app.runs.submission"):
        monkeypatch.setattr(f"{module}.get_preset", get)
    monkeypatch.setattr("app.runs.warm.load_presets", lambda: small)
    return [preset.name for preset in small]


def settings_for(folder: Path, **changes: Any) -> Settings:
    return load_settings(**{"data_dir": folder, "fork_workers": 0, "threads": 1, **changes})


def ends(news: Iterator[WarmProgress]) -> list[tuple[str, str]]:
    return [(item.preset, item.status) for item in news if item.status in ENDED]


def test_presets_are_computed_once(tmp_path: Path, presets: list[str]) -> None:
    settings = settings_for(tmp_path)
    news = list(warm(settings))
    assert ends(iter(news)) == [("one", "finished"), ("two", "finished")]
    assert (news[-1].step, news[-1].steps) == (40, 40)
    again = list(warm(settings, ["two"]))
    assert [(item.run_id, item.status) for item in again] == [(news[-1].run_id, "finished")]


def test_unknown_preset_is_refused_before_anything_is_computed(
    tmp_path: Path, presets: list[str]
) -> None:
    with pytest.raises(UnknownPresetError, match="three"):
        list(warm(settings_for(tmp_path), ["one", "three"]))
    assert not (tmp_path / "newton-lab.sqlite3").exists()


def test_running_server_is_asked(new_server: Callable[..., LabServer]) -> None:
    server = new_server(fork_workers=0).start()
    preset = load_presets()[0]
    settings = settings_for(server.data_dir)
    news = warm(settings, [preset.name])
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
        next(warm(settings_for(tmp_path)))
    database.close()
