from pathlib import Path

import pytest

from newton_core.data import DatasetError
from newton_core.data.table import read_rows
from tests.newton_core.data.own_images import write_folder


def _table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    write_folder(folder, [0, 1, 2])
    (folder / "values.csv").write_bytes(text.encode(encoding))
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "file,value\n0.png,3\n1.png,-2.5\n",
        "\ufefffile,value\r\n0.png,3\r\n1.png,-2.5\r\n",
        "file;value\n0.png;3\n1.png;-2.5",
        "Value\tnote\t FILE \n3\ta, b\t0.png\n\n-2.5\t\t1.png\n",
        'value,file,note\n3,"0.png","two\nlines"\n-25e-1, 1.png ,\n',
    ],
)
def test_tables_as_people_write_them(tmp_path: Path, text: str) -> None:
    table, rows = read_rows(_table(tmp_path, text))
    assert table == tmp_path / "values.csv"
    assert [(row.name, row.value) for row in rows] == [("0.png", 3.0), ("1.png", -2.5)]
    assert [row.path for row in rows] == [tmp_path / "0.png", tmp_path / "1.png"]


def test_subfolders(tmp_path: Path) -> None:
    write_folder(tmp_path / "deep", [0])
    (tmp_path / "deep" / "values.csv").unlink()
    (tmp_path / "values.csv").write_text("file,value\ndeep/0.png,1\n")
    assert read_rows(tmp_path)[1][0].path == tmp_path / "deep" / "0.png"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("9.png,1", "there is no file 9.png in the folder"),
        ("0.png,many", "expected a number as value, found 'many'"),
        ("0.png,", "expected a number as value, found ''"),
        ('0.png,"3,5"', "expected a number as value, found '3,5'"),
        ("0.png,nan", "expected a finite number as value, found 'nan'"),
        ("0.png,-inf", "expected a finite number as value, found '-inf'"),
        (",1", "no file is named"),
        ("0.png", "expected 2 cells, found 1"),
        ("0.png,1,2", "expected 2 cells, found 3"),
        ("2.png,7", "2.png is already on line 2"),
        ("./2.png,7", "2.png is already on line 2"),
        ("../other/0.png,1", "../other/0.png lies outside the folder"),
        ("{other}/0.png,1", "lies outside the folder"),
        ("link.png,1", "link.png lies outside the folder"),
        (".,1", "there is no file . in the folder"),
        ("x" * 300 + ".png,1", "File name too long"),
    ],
)
def test_bad_rows_are_told_by_line(tmp_path: Path, row: str, message: str) -> None:
    other = write_folder(tmp_path / "other", [0])
    row = row.replace("{other}", str(other))
    folder = _table(tmp_path / "mine", f"file,value\n2.png,1\n{row}\n1.png,1\n")
    (folder / "link.png").symlink_to(other / "0.png")
    with pytest.raises(DatasetError) as caught:
        read_rows(folder)
    first, second = str(caught.value).split("\n")
    assert first == f"{folder / 'values.csv'}: 1 row cannot be used:"
    assert second.startswith("  line 3: ")
    assert message in second


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"{i}.png,none\n" for i in range(100, 125))
    with pytest.raises(DatasetError) as caught:
        read_rows(_table(tmp_path, "file,value\n" + rows))
    lines = str(caught.value).split("\n")
    assert "25 rows cannot be used" in lines[0]
    assert [line.split(":")[0] for line in lines[1:11]] == [f"  line {i}" for i in range(2, 12)]
    assert lines[11:] == ["  and 15 more"]


@pytest.mark.parametrize("text", ["", "name,value\n0.png,1\n", "file,value,value\n0.png,1,1\n"])
def test_wrong_header(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="expected a first line with the columns file and value"):
        read_rows(_table(tmp_path, text))


def test_not_text(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"values\.csv: expected UTF-8 text"):
        read_rows(_table(tmp_path, "file,value\nä.png,1\n", encoding="latin-1"))
    with pytest.raises(DatasetError, match=r"values\.csv: is no CSV file"):
        read_rows(_table(tmp_path, 'file,value\n"0.png,1\n'))


def test_which_table(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nothing", "file", "x" * 300, "a\0b"):
        with pytest.raises(DatasetError, match="expected a folder with images and a CSV file"):
            read_rows(tmp_path / name)
    with pytest.raises(DatasetError, match=r"exactly one CSV file.*found none"):
        read_rows(tmp_path)
    write_folder(tmp_path, [0])
    (tmp_path / "Other.CSV").write_text("file,value\n")
    with pytest.raises(DatasetError, match=r"exactly one CSV file.*found Other\.CSV, values\.csv"):
        read_rows(tmp_path)
