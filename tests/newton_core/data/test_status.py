from pathlib import Path

import pytest

from newton_core.data import DatasetStatus, describe_datasets
from tests.newton_core.data.idx_files import write_files
from tests.newton_core.data.own_images import write_folder


def _described() -> dict[str, DatasetStatus]:
    return {status.name: status for status in describe_datasets()}


def test_an_empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    described = _described()
    names = ["digits", "mnist", "photos", "terrain", "warcraft", "events", "own"]
    assert list(described) == names
    assert described["digits"].found
    assert "1,438" in described["digits"].detail
    assert not described["mnist"].found
    assert "train-images-idx3-ubyte" in described["mnist"].detail
    assert not described["own"].found
    assert str(tmp_path / "own") in described["own"].detail


def test_a_full_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    write_files(tmp_path / "mnist", gzipped=True)
    write_folder(tmp_path / "own" / "good", range(6))
    write_folder(tmp_path / "own" / "odd", [1, "none"])
    write_folder(tmp_path / "own" / "pets", ["cat", "dog", "10"])
    described = _described()
    assert described["mnist"] == DatasetStatus("mnist", True, str(tmp_path / "mnist"))
    assert described["own/good"].found
    assert "6 images with numbers, to rank or to classify" in described["own/good"].detail
    assert "3 images with labels, to classify" in described["own/pets"].detail
    assert not described["own/odd"].found
    assert "line 3" in described["own/odd"].detail
