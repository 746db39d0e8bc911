"""What differs between two records, value by value, and which of it was named before."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ABSENT = object()
"""Stands for a value that one of the two does not have."""


@dataclass(frozen=True)
class Difference:
    """One value that is not the same.

    Attributes:
        path: where it is, "/" between keys and positions.
        before: the value of the tree before; ``ABSENT`` where it has none.
        after: likewise of the tree after.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.before)} -> {_short(self.after)}"


@dataclass(frozen=True)
class Expected:
    """A change that is meant.

    Attributes:
        path: of a difference, or of what it lies in; ``*`` stands for any part between two "/".
        reason: why it changed.
    """

    path: str
    reason: str

    def covers(self, path: str) -> bool:
        """Whether the difference at ``path`` is this change."""
        named, parts = self.path.split("/"), path.split("/")
        return len(named) <= len(parts) and all(map(fnmatchcase, parts, named))


def read_expected(file: Path) -> tuple[Expected, ...]:
    """The changes of a JSON file {path: reason}."""
    content: Mapping[str, str] = json.loads(file.read_text("utf-8"))
    return tuple(Expected(path, reason) for path, reason in content.items())


def differences(before: Any, after: Any, path: str) -> Iterator[Difference]:
    """Every value that differs, bit for bit: 1 is not 1.0, and 0.0 is not -0.0."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for i in range(max(len(before), len(after))):
            old = before[i] if i < len(before) else ABSENT
            new = after[i] if i < len(after) else ABSENT
            yield from differences(old, new, f"{path}/{i}")
    elif type(before) is not type(after) or repr(before) != repr(after):
        yield Difference(path, before, after)


def count_values(record: Any) -> int:
    """How many values a record holds, to say how much was compared."""
    if isinstance(record, dict):
        return sum(count_values(value) for value in record.values())
    if isinstance(record, list):
        return sum(count_values(value) for value in record)
    return 1


def _short(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
