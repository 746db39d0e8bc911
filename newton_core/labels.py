"""What people read for the names that specs and events are written in."""

import unicodedata
from collections.abc import Container, Iterator
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newton_core.registry import AnyOf
from newton_core.settings import Named


class Labels:
    """Labels of a field's options, in its annotation: ``Annotated[Choice, Labels(raw="Raw")]``."""

    def __init__(self, **by_option: str) -> None:
        self.by_option = by_option


def in_words(identifier: str) -> str:
    """An identifier as people would write it: "log_domain" becomes "Log domain"."""
    words = identifier.replace("_", " ")
    return words[:1].upper() + words[1:]


def as_seen(label: str) -> str:
    """A label as people see it: two that look the same are the same.

    Without what has no width (zero-width spaces, byte-order marks, turns of direction).
    """
    words = " ".join(label.split())
    shown = "".join(sign for sign in words if unicodedata.category(sign) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFC", shown.strip())


def numbered(label: str, taken: Container[str]) -> str:
    """The label, with the first number from 2 on that makes it another than those taken."""
    count, shown = 1, label
    while shown in taken:
        count += 1
        shown = f"{label} {count}"
    return shown


def labels_of(*records: type[BaseModel]) -> dict[str, dict[str, str]]:
    """What people read for every option of every field of the records and of those they hold.

    Returns:
        ``{field: {option: label}}``. The options of a field are the values of its ``Literal`` and
        the names of the :class:`Named` records that it can hold. Fields of the same name share
        their labels; the first one that has a label of its own for an option gives it to all.
    """
    plain: dict[str, dict[str, str]] = {}
    own: dict[str, dict[str, str]] = {}
    for field, option, label in _walk(list(records)):
        plain.setdefault(field, {}).setdefault(option, in_words(option))
        if label:
            own.setdefault(field, {}).setdefault(option, label)
    return {field: labels | own.get(field, {}) for field, labels in plain.items()}


def _walk(waiting: list[type[BaseModel]]) -> Iterator[tuple[str, str, str]]:
    """(field, option, own label or "") of the records and of all that they hold, once each."""
    seen = set(waiting)
    while waiting:
        for key, field in waiting.pop(0).model_fields.items():
            if key == "name":  # says which record this is: nothing to choose
                continue
            labels: dict[str, str] = {}
            for part in field.metadata:
                if isinstance(part, Labels):
                    labels |= part.by_option
            for option in _options(field):
                if not isinstance(option, type):
                    yield key, str(option), labels.get(str(option), "")
                    continue
                if issubclass(option, Named):
                    yield key, option.model_fields["name"].default, option.title
                if option not in seen:
                    seen.add(option)
                    waiting.append(option)


def _options(field: FieldInfo) -> Iterator[object]:
    """The values of all literals and the classes of all records that a field can hold."""
    for part in field.metadata:
        if isinstance(part, AnyOf):
            yield from part.models()
    yield from _options_within(field.annotation)


def _options_within(annotation: object) -> Iterator[object]:
    if isinstance(annotation, AnyOf):
        yield from annotation.models()
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
            yield from _options_within(part)
