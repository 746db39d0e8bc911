"""Validation errors of a spec in words: where, what was given, what is allowed."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from newton_core.experiment.spec import ExperimentSpec

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
    value: Any
    allowed: str
    kind: str

    def __str__(self) -> str:
        where = ".".join(map(str, self.path)) or "spec"
        given = "" if self.kind == "missing" or not self.path else f" (given: {_short(self.value)})"
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{where}: {self.message}{given}{allowed}"


def explain(error: ValidationError) -> list[SpecProblem]:
    """The problems behind a validation error of :class:`ExperimentSpec`, in the spec's order."""
    schema = ExperimentSpec.model_json_schema()
    problems = []
    for item in error.errors(include_url=False):
        location, node = _walk(schema, item["loc"])
        message, value = str(item["msg"]).removeprefix("Value error, "), item.get("input")
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


def _walk(schema: dict[str, Any], loc: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], Any]:
    """The path without union tags, and the schema node that it leads to (None if unknown)."""
    path: list[str | int] = []
    node: Any = schema
    for part in loc:
        variants = _variants(node, schema)
        if isinstance(part, int):
            path.append(part)
            node = next((v["items"] for v in variants if "items" in v), None)
            continue
        tagged = next((v for v in variants if _tag(v) == part), None)
        if tagged is not None and len(variants) > 1:
            node = tagged
            continue
        path.append(part)
        node = next(
            (v["properties"][part] for v in variants if part in v.get("properties", {})), None
        )
    return tuple(path), node


def _variants(node: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas that a node may stand for, references and unions resolved."""
    if not isinstance(node, dict):
        return []
    if "$ref" in node:
        return _variants(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    choices = node.get("anyOf") or node.get("oneOf")
    if choices:
        return [variant for choice in choices for variant in _variants(choice, schema)]
    return [node]


def _tag(variant: dict[str, Any]) -> Any:
    return variant.get("properties", {}).get("name", {}).get("const")


def _allowed(node: Any, schema: dict[str, Any]) -> str:
    """Range or choices of a schema node in words."""
    words = []
    for variant in _variants(node, schema):
        if "enum" in variant:
            words.append(", ".join(map(str, variant["enum"])))
        elif _tag(variant) is not None:
            words.append(str(_tag(variant)))
        elif bounds := _bounds(variant):
            words.append(bounds)
    return ", ".join(words)


def _bounds(variant: dict[str, Any]) -> str:
    named = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
        "minItems": "at least {} of them",
        "maxItems": "at most {} of them",
        "maxLength": "at most {} characters",
        "pattern": "matching {}",
    }
    return " and ".join(text.format(variant[key]) for key, text in named.items() if key in variant)


def _value_at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
