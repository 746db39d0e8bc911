import pytest

from newton_core.data.text import GUESSED, decode

TEXT = "file,value\nä–😀.png,1\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
def test_unicode(encoding: str) -> None:
    assert decode(TEXT.encode(encoding))[0] == TEXT


def test_big_endian_marks() -> None:
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be"))[0] == TEXT
    assert decode(b"\0\0\xfe\xff" + TEXT.encode("utf-32-be"))[0] == TEXT


def test_what_is_no_unicode_is_read_as_excel_writes_it() -> None:
    assert decode("Straße €".encode("cp1252")) == ("Straße €", GUESSED)


def test_empty() -> None:
    assert decode(b"")[0] == ""


@pytest.mark.parametrize("content", [b"\xff\xfea", b"caf\x81", b"\xef\xbb\xbf\xff"])
def test_no_text(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(content)
