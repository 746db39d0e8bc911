import unicodedata
from pathlib import Path

import pytest

from newton_core.folders import data_dir, is_within_data_dir, own_data_dir, own_data_folder


def test_the_variable_names_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path
    assert own_data_dir() == tmp_path / "own"


def test_home_is_expanded_and_relative_paths_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", "~/data")
    assert data_dir() == tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", "here")
    assert data_dir() == tmp_path / "here"


@pytest.mark.parametrize("value", ["", None])
def test_default_is_the_platforms_user_data_folder(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("NEWTON_LAB_DATA_DIR", raising=False)
    else:
        monkeypatch.setenv("NEWTON_LAB_DATA_DIR", value)
    assert data_dir().is_absolute()
    assert data_dir().name == "newton-lab"


def test_within_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    assert is_within_data_dir("mine"), "a folder need not be there"
    assert not is_within_data_dir("x" * 999), "nor one that can never be"
    (tmp_path / "own" / "mine").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "own" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "own" / "loop").symlink_to(tmp_path / "own" / "loop")
    inside = ["mine", "mine/deeper", "not-there-yet", "a/../mine", tmp_path / "own" / "mine"]
    outside = ["..", "../secret", "mine/../../secret", "/", tmp_path / "secret", "link", "a\0b"]
    assert [path for path in inside if not is_within_data_dir(path)] == []
    assert [path for path in outside if is_within_data_dir(path)] == []
    assert not is_within_data_dir(tmp_path / "own-but-not-ours")


def test_the_check_and_the_use_agree_on_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path / "data"))
    assert is_within_data_dir("~/secret")
    assert own_data_folder("~/secret") == tmp_path / "data" / "own" / "~" / "secret"


def test_within_a_data_folder_that_is_itself_a_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "real" / "own" / "mine").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path / "alias"))
    assert is_within_data_dir("mine")
    assert is_within_data_dir(tmp_path / "alias" / "own" / "mine")


def test_a_folder_is_found_however_its_accents_are_spelled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    spelled = {form: unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD")}
    for there, asked in (("NFC", "NFD"), ("NFD", "NFC")):
        folder = own_data_dir() / f"{there}-{spelled[there]}"
        folder.mkdir(parents=True)
        assert own_data_folder(f"{there}-{spelled[asked]}") == folder
        assert is_within_data_dir(f"{there}-{spelled[asked]}")
    for form, name in spelled.items():  # both are there: each has its own spelling
        (own_data_dir() / name).mkdir(exist_ok=True)
        assert own_data_folder(name).name == spelled[form]
