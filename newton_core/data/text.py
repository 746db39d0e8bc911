"""Decodes text files in the encodings that spreadsheets write."""

import codecs

UTF_8 = "UTF-8"
GUESSED = "Windows-1252"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 8  # bytes that show UTF-16 without a mark: every other one is zero in Latin text


def decode(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding.

    A byte order mark decides; without one it is UTF-16 if every other byte at the beginning is
    zero, else UTF-8. What is neither is read as Windows-1252, which Excel writes where Western
    European languages are spoken. That is a guess (:data:`GUESSED`): the caller must check that
    what it finds makes sense.

    Raises:
        UnicodeDecodeError: the bytes are text in none of these encodings.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding), encoding
    head = content[:_HEAD]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) > 1 and not any(head[first::2]) and all(head[1 - first :: 2]):
            return content.decode(encoding), encoding
    try:
        return content.decode("utf-8"), UTF_8
    except UnicodeDecodeError:
        return content.decode("cp1252"), GUESSED
