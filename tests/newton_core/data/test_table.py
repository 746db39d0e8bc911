import os
import unicodedata
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
        "sep=;\nfile;value\n0.png;3\n1.png;-2.5\n",
        "\ufeffSEP=|\r\nfile|value\r\n0.png|3\r\n1.png|-2.5\r\n",
        "file;value\n0.png;3,0\n1.png;-2,5\n",
        "file\tvalue\n0.png\t3\n1.png\t-25,0e-1\n",
        "file,value,,\n0.png,3,,\n1.png,-2.5\n",
        "file,value\n0.png,3,\n1.png,-2.5,,,\n",
        "filename,label\n0.png,3\n1.png,-2.5\n",
        "id,Image,Class\n7,0.png,3\n8,1.png,-2.5\n",
        "file,path,value,label\n0.png,/x,3,cat\n1.png,/y,-2.5,dog\n",
        "\n \nfile,value\n\n0.png,3\n,\n1.png,-2.5\n\n",
        "file,value\r0.png,3\r1.png,-2.5\r",
        "file,value\n0.png,3\n1.png,-2.5\n0.png,3\n",
        "file,value\n0.PNG,3\n1.Png,-2.5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_as_people_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    table, rows = read_rows(_table(tmp_path, text.removeprefix("\ufeff"), encoding))
    if encoding == "utf-8":
        assert (table, rows) == read_rows(_table(tmp_path, text, encoding))
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
        ("2.png,7", "2.png is already on line 2, with 1 in place of 7"),
        ("2.PNG,7", "2.png is already on line 2, with 1 in place of 7"),
        ("./2.png,7", "2.png is already on line 2"),
        ("../other/0.png,1", "../other/0.png lies outside the folder"),
        ("{other}/0.png,1", "lies outside the folder"),
        ("link.png,1", "link.png lies outside the folder"),
        ("..\\other\\0.png,1", "lies outside the folder"),
        ("LINK.png,1", "LINK.png lies outside the folder"),
        ("loop.png,1", "loop.png is a link that leads to itself"),
        ("a\0.png,1", r"'a\x00.png' holds the character NUL, which no name has"),
        ("pipe.png,1", "there is no file pipe.png in the folder"),
        (".,1", "there is no file . in the folder"),
        ("x" * 300 + ".png,1", "File name too long"),
    ],
)
def test_bad_rows_are_told_by_line(tmp_path: Path, row: str, message: str) -> None:
    other = write_folder(tmp_path / "other", [0])
    row = row.replace("{other}", str(other))
    folder = _table(tmp_path / "mine", f"file,value\n2.png,1\n{row}\n1.png,1\n")
    (folder / "link.png").symlink_to(other / "0.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    os.mkfifo(folder / "pipe.png")
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
    with pytest.raises(DatasetError, match="save it as CSV UTF-8"):
        read_rows(_table(tmp_path, "file,value\n0.png,\x81\n", encoding="latin-1"))


def test_windows_1252(tmp_path: Path) -> None:
    """The text in it is a guess, which a file of that name confirms."""
    folder = _table(tmp_path, "file;value;note\nä.png;1;€\n", encoding="cp1252")
    with pytest.raises(DatasetError, match=r"Read as Windows-1252:\n.*1 row.*\n.*no file ä\.png"):
        read_rows(folder)
    (folder / "0.png").rename(folder / "ä.png")
    assert [row.name for row in read_rows(folder)[1]] == ["ä.png"]


def test_names_of_other_systems(tmp_path: Path) -> None:
    """The name by which the split knows a file depends on the disk, not on the spelling."""
    for form in ("NFC", "NFD"):
        folder = tmp_path / form
        write_folder(folder / "a", [0])
        (folder / "a" / "values.csv").unlink()
        (folder / "a" / "0.png").rename(folder / "a" / unicodedata.normalize(form, "é.png"))
        for spelling in ("A\\É.PNG", unicodedata.normalize("NFD", "A/É.png")):
            (folder / "values.csv").write_text(f"file,value\n{spelling},1\n", "utf-8")
            (row,) = read_rows(folder)[1]
            assert row.name == "a/é.png"
            assert row.path.is_file()


def test_backslashes(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", [0])
    (tmp_path / "a" / "values.csv").unlink()
    (tmp_path / "values.csv").write_text("file,value\na\\0.png,1\n")
    assert read_rows(tmp_path)[1][0].name == "a/0.png"


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="two such files cannot be: NOT TESTED")
def test_a_name_that_fits_two_files_is_refused(tmp_path: Path) -> None:
    folder = _table(tmp_path, "file,value\nX.PNG,1\n")
    (folder / "0.png").rename(folder / "x.png")
    (folder / "1.png").rename(folder / "X.png")
    with pytest.raises(DatasetError, match=r"X\.PNG may be X\.png or x\.png: name one of them"):
        read_rows(folder)


def test_one_decimal_sign(tmp_path: Path) -> None:
    folder = _table(tmp_path, "file;value\n0.png;3.5\n1.png;7\n2.png;1,250\n")
    with pytest.raises(DatasetError, match=r"line 4: 1,250 beside 3\.5 on line 2: use a decimal"):
        read_rows(folder)


def test_labels_may_be_texts_and_are_numbers_if_all_are(tmp_path: Path) -> None:
    folder = _table(tmp_path, "file,label\n0.png,cat\n1.png,7\n2.png,e\u0301\n")
    assert [row.value for row in read_rows(folder, labels=True)[1]] == ["cat", "7", "é"]
    folder = _table(tmp_path, "file,label\n0.png,07\n1.png,7\n")
    assert [row.value for row in read_rows(folder, labels=True)[1]] == [7.0, 7.0]
    with pytest.raises(DatasetError, match="line 2: no label is given"):
        read_rows(_table(tmp_path, "file,label\n0.png,\n1.png,7\n"), labels=True)


def test_which_column(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"which of label, class\?"):
        read_rows(_table(tmp_path, "file,label,class\n0.png,1,1\n"))


def test_an_enormous_table_is_not_read(tmp_path: Path) -> None:
    folder = _table(tmp_path, "file,value\n")
    os.truncate(folder / "values.csv", 2**27)  # takes no room on the disk
    with pytest.raises(DatasetError, match="a table of at most 67 MB, found 134 MB"):
        read_rows(folder)


def test_a_table_of_too_many_rows_is_left_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newton_core.data.table.LARGEST", 2)
    folder = _table(tmp_path, "file,value\n0.png,1\n1.png,1\n2.png,1\n9.png,1\n")
    with pytest.raises(DatasetError, match="expected at most 2 images, found 3 or more"):
        read_rows(folder)


def test_which_table(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nothing", "file", "x" * 300, "a\0b"):
        with pytest.raises(DatasetError, match="expected a folder that holds a CSV file"):
            read_rows(tmp_path / name)
    with pytest.raises(DatasetError, match=r"exactly one CSV file.*found none"):
        read_rows(tmp_path)
    write_folder(tmp_path, [0])
    (tmp_path / "Other.CSV").write_text("file,value\n")
    with pytest.raises(DatasetError, match=r"exactly one CSV file.*found Other\.CSV, values\.csv"):
        read_rows(tmp_path)


def test_what_is_there_in_place_of_a_table_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, [0, 1, 2, 3])
    (folder / "values.csv").rename(folder / "labels.xlsx")
    with pytest.raises(
        DatasetError,
        match=r"none among 5 files and folders \(labels\.xlsx, 0\.png, 1\.png, \.\.\.\)",
    ):
        read_rows(folder)


def test_tsv_and_hidden_files(tmp_path: Path) -> None:
    folder = _table(tmp_path, "file\tvalue\n0.png\t3\n")
    (folder / "values.csv").rename(folder / "labels.TSV")
    (folder / "._labels.csv").write_bytes(b"\0\5\x16\7")  # what macOS leaves beside a file
    (folder / "folder.csv").mkdir()
    assert read_rows(folder)[0] == folder / "labels.TSV"


def test_a_table_elsewhere_is_not_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "other", [0])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "values.csv").symlink_to(tmp_path / "other" / "values.csv")
    with pytest.raises(DatasetError, match="expected a table in the folder, found a link out of"):
        read_rows(tmp_path / "mine")


def test_subfolders_sort_images_without_a_table(tmp_path: Path) -> None:
    for name in ("cat", "dog", ".thumbnails", "empty"):
        write_folder(tmp_path / name, [0, 1])
        (tmp_path / name / "values.csv").unlink()
    (tmp_path / "empty" / "0.png").unlink()
    (tmp_path / "empty" / "1.png").rename(tmp_path / "empty" / ".1.png")
    (tmp_path / "cat" / "notes.txt").touch()
    table, rows = read_rows(tmp_path, labels=True)
    assert table == tmp_path
    assert [(row.name, row.value) for row in rows] == [
        ("cat/0.png", "cat"), ("cat/1.png", "cat"), ("dog/0.png", "dog"), ("dog/1.png", "dog"),
    ]  # fmt: skip
    with pytest.raises(DatasetError) as caught:
        read_rows(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path}: 4 rows cannot be used:\n  expected a number as value, found 'cat'\n"
    )
    (tmp_path / "cat").rename(tmp_path / "1,5")
    (tmp_path / "dog").rename(tmp_path / "2")
    assert [row.value for row in read_rows(tmp_path)[1]] == [1.5, 1.5, 2.0, 2.0]


def test_one_subfolder_of_images_is_no_label(tmp_path: Path) -> None:
    (write_folder(tmp_path / "images", [0, 1]) / "values.csv").unlink()
    with pytest.raises(DatasetError, match=r"found none among 1 files and folders \(images\)"):
        read_rows(tmp_path, labels=True)


def test_a_subfolder_elsewhere_is_not_read(tmp_path: Path) -> None:
    for name in ("other", "mine/a", "mine/b"):
        (write_folder(tmp_path / name, [0]) / "values.csv").unlink()
    (tmp_path / "mine" / "c").symlink_to(tmp_path / "other")
    with pytest.raises(DatasetError, match=r"c/0\.png lies outside the folder"):
        read_rows(tmp_path / "mine", labels=True)
