"""Validation errors of a spec in words: where, what was given, what is allowed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from newton_core.experiment.spec import ExperimentSpec
from newton_core.registry import did_you_mean

_NAMED_PATH = re.compile(r"^(?:Value error, )?((?:[a-z_]+)(?:\.(?:\d+|[a-z_]+))*): (.+)$", re.S)
"""Messages of the spec's own checks begin with the path that they are about."""


def named_path(message: str) -> tuple[tuple[str | int, ...], str] | None:
    """The path that a message begins with, and the rest of it; None if it begins with none."""
    match = _NAMED_PATH.match(message)
    if match is None:
        return None
    parts = match.group(1).split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts), match.group(2)


@dataclass(frozen=True)
class SpecProblem:
    """One thing wrong with a spec.

    Attributes:
        path: field path, e.g. ("arms", 0, "lr"); empty for the spec as a whole.
        message: what is wrong and what would be right.
        value: what was given there.
        allowed: range or choices of the field in words; empty where there is no such thing.
        kind: Pydantic's error type.
    """

    path: tuple[str | int, ...]
    message: str
    value: object
    allowed: str
    kind: str

    def __str__(self) -> str:
        where = ".".join(map(str, self.path)) or "spec"
        given = "" if self.kind == "missing" or not self.path else f" (given: {_short(self.value)})"
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{where}: {self.message}{given}{allowed}"


def explain(error: ValidationError) -> list[SpecProblem]:
    """The problems behind a validation error of :class:`ExperimentSpec`, in the spec's order."""
    schema = _Schema.model_validate(ExperimentSpec.model_json_schema())
    problems = []
    for item in error.errors(include_url=False):
        location, node = _walk(schema, item["loc"])
        message, value = str(item["msg"]).removeprefix("Value error, "), item.get("input")
        if item["type"] == "union_tag_invalid":
            tag, known = item["ctx"]["tag"], item["ctx"]["expected_tags"]
            message += did_you_mean(tag, re.findall("'([^']+)'", known))
        if not location and (named := named_path(message)) is not None:
            location, message = named
            value = _value_at(value, location)
        problems.append(
            SpecProblem(location, message, value, _allowed(node, schema), str(item["type"]))
        )
    return [problem for problem in problems if not _follows(problem, problems)]


def _follows(problem: SpecProblem, problems: list[SpecProblem]) -> bool:
    """Whether a list is only too short because its items, named elsewhere, are wrong."""
    depth = len(problem.path)
    return problem.kind == "too_short" and any(
        len(other.path) > depth and other.path[:depth] == problem.path for other in problems
    )


class _Schema(BaseModel):
    """A node of a JSON schema: what the words for it are made of."""

    model_config = ConfigDict(alias_generator=to_camel)

    ref: str | None = Field(None, alias="$ref")
    defs: dict[str, "_Schema"] = Field({}, alias="$defs")
    any_of: list["_Schema"] = []
    one_of: list["_Schema"] = []
    properties: dict[str, "_Schema"] = {}
    items: "_Schema | None" = None
    const: JsonValue = None
    enum: list[JsonValue] = []
    minimum: int | float | None = None
    exclusive_minimum: int | float | None = None
    maximum: int | float | None = None
    exclusive_maximum: int | float | None = None
    min_items: int | None = None
    max_items: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    @property
    def tag(self) -> JsonValue:
        """The name that tells a record from the others of its union."""
        name = self.properties.get("name")
        return None if name is None else name.const


def _walk(
    schema: _Schema, loc: tuple[str | int, ...]
) -> tuple[tuple[str | int, ...], _Schema | None]:
    """The path without union tags, and the schema node that it leads to (None if unknown)."""
    path: list[str | int] = []
    node: _Schema | None = schema
    for part in loc:
        variants = _variants(node, schema)
        if isinstance(part, int):
            path.append(part)
            node = next((v.items for v in variants if v.items is not None), None)
            continue
        tagged = next((v for v in variants if v.tag == part), None)
        if tagged is not None and len(variants) > 1:
            node = tagged
            continue
        path.append(part)
        node = next((v.properties[part] for v in variants if part in v.properties), None)
    return tuple(path), node


def _variants(node: _Schema | None, schema: _Schema) -> list[_Schema]:
    """The schemas that a node may stand for, references and unions resolved."""
    if node is None:
        return []
    if node.ref is not None:
        return _variants(schema.defs[node.ref.rsplit("/", 1)[1]], schema)
    choices = node.any_of or node.one_of
    if choices:
        return [variant for choice in choices for variant in _variants(choice, schema)]
    return [node]


def _allowed(node: _Schema | None, schema: _Schema) -> str:
    """Range or choices of a schema node in words."""
    words = []
    for variant in _variants(node, schema):
        if variant.enum:
            words.append(", ".join(map(str, variant.enum)))
        elif variant.tag is not None:
            words.append(str(variant.tag))
        elif bounds := _bounds(variant):
            words.append(bounds)
    return ", ".join(words)


def _bounds(variant: _Schema) -> str:
    named = (
        ("at least {}", variant.minimum),
        ("more than {}", variant.exclusive_minimum),
        ("at most {}", variant.maximum),
        ("less than {}", variant.exclusive_maximum),
        ("at least {} of them", variant.min_items),
        ("at most {} of them", variant.max_items),
        ("at most {} characters", variant.max_length),
        ("matching {}", variant.pattern),
    )
    return " and ".join(text.format(bound) for text, bound in named if bound is not None)


def _value_at(value: object, path: tuple[str | int, ...]) -> object:
    """What was given at a path; None where it leads nowhere."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
