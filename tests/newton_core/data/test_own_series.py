from pathlib import Path

import pytest
import torch

from newton_core.data import DatasetError, EventsParameters, OwnSeriesParameters, describe_datasets
from newton_core.data.own_series import read_series


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one's own series."""
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    folder = tmp_path / "own" / "load"
    folder.mkdir(parents=True)
    return folder


def written(folder: Path, text: str, name: str = "load.csv") -> Path:
    table = folder / name
    table.write_bytes(text.encode())
    return table


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("value\n1\n2.5\n-3\n", "value"),
        ("load\n1\n2.5\n-3\n", "value"),  # the only column needs no name
        ("date,Load\n\n2026-01-01,1\n2026-01-02,2.5\n2026-01-03,-3\n\n", "load"),
        ("date;value\n1.1.;1\n2.1.;2,5\n3.1.;-3\n", "value"),
        ("t,\u00fcber\n0,1\n1,2.5\n2,-3\n\n", "u\u0308ber"),  # one letter, in one part or two
        ("sep=|\nvalue|x\n1|a\n2.5|b\n-3|c\n", "VALUE"),
    ],
)
def test_tables_as_people_write_them(own: Path, text: str, column: str) -> None:
    assert read_series(written(own, text), column) == [1.0, 2.5, -3.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one column called 'value' in the first line, found nothing"),
        ("date,load\n1,2\n", "one column called 'value' in the first line, found date, load"),
        ("3\n1\n2\n", "one column called 'value' in the first line, found 3"),
        ("value\n", "the series is empty: expected a row for each step of time"),
        ("value\n7\n7\n", "every value is 7: there is nothing to forecast"),
        ("value,x\n1,a\n,b\n", r"1 row cannot be used:\n  line 3: there is no value \(''\): fill"),
        ("value\n1\n\n2\n", "line 3: there is no value, in an empty row: fill the gap"),
        ("t,value\n0,1\n,\n2,3\n", "line 3: there is no value, in an empty row"),
        ("t;value\n0;1.234\n1;999,5\n", r"line 3: 999,5 beside 1\.234 on line 2: use a decimal"),
        ("value\n1\n1_000\n", "line 3: expected a number as value, found '1_000'"),
        ("value\n1\nNaN\n2\n", r"line 3: there is no value \('NaN'\): fill the gap"),
        ("value\n1\ninf\n", "line 3: expected a finite number"),
        ("value\n1\nmany\n", "line 3: expected a number as value, found 'many'"),
        ("value\n1\n1,2\n", "line 3: expected 1 cells, found 2"),
        ('value\n"1\n', "is no CSV file"),
    ],
)
def test_what_is_no_series_is_told_by_line(own: Path, text: str, words: str) -> None:
    written(own, text)
    with pytest.raises(DatasetError, match=words):
        OwnSeriesParameters(path="load").load()


def test_a_missing_table_is_named(own: Path) -> None:
    with pytest.raises(DatasetError, match="exactly one CSV file with a row for each step of time"):
        OwnSeriesParameters(path="load").load()
    with pytest.raises(DatasetError, match="expected a folder that holds a CSV file"):
        OwnSeriesParameters(path="nowhere").load()


def test_a_changed_table_is_read_again(own: Path) -> None:
    written(own, "value\n1\n2\n3\n4\n5\n")
    parameters = OwnSeriesParameters(path="load", test_share=0.4)
    first = parameters.load()
    assert (first.values.tolist(), first.test_steps) == ([1, 2, 3, 4, 5], 2)
    assert list(parameters.files()) == ["load.csv"]
    written(own, "value\n10\n20\n30\n40\n50\n60\n")
    assert parameters.load().values[-1] == 60


def test_the_doctor_knows_a_series_from_images(own: Path) -> None:
    written(own, "value\n1\n2\n")
    images = own.parent / "pets"
    images.mkdir()
    written(images, "file,value\nmissing.png,1\n")
    described = {status.name: status for status in describe_datasets()}
    assert described["own/load"].found
    assert "a table of series" in described["own/load"].detail
    assert not described["own/pets"].found


def test_events_follow_from_their_parameters_alone() -> None:
    parameters = EventsParameters(steps=2000)
    series = parameters.load()
    assert (len(series.values), series.test_steps) == (2000, 400)
    assert torch.equal(EventsParameters(steps=2000).load().values, series.values)
    other = EventsParameters(steps=2000, series_seed=1).load()
    assert not torch.equal(other.values, series.values)
    assert series.values.max() > 1.5
    assert series.values.min() < -1


def test_without_a_shift_events_of_a_regime_repeat() -> None:
    values = EventsParameters(steps=1000, shift=0.0, noise=0.0).load().values
    assert torch.equal(values[30:44], values[44:58])  # the first regime: an event in 14 steps
    shifted = EventsParameters(steps=1000, noise=0.0).load().values
    assert not torch.equal(shifted[30:44], shifted[44:58])
