"""Grids: a spec with some of its settings replaced by every combination of values."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from newton_core.experiment.errors import explain
from newton_core.experiment.spec import ExperimentSpec
from newton_core.registry import did_you_mean

MOST_CELLS = 10_000

Scalar: TypeAlias = str | int | float | bool | None
"""What a setting of an axis can be: a number, a name, yes or no, or nothing (null)."""


class GridError(ValueError):
    """A grid that cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Axis:
    """One setting of a spec and the values that it takes.

    Attributes:
        path: names and indices with dots between, e.g. "arms.1.tikhonov" or "loss.temperature".
        values: as they stand in the spec's JSON.
    """

    path: str
    values: tuple[Scalar, ...]

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """The axis that ``text`` names, e.g. "arms.1.tikhonov=0.01,0.1,1".

        Raises:
            GridError: it does not read like that.
        """
        path, equals, values = text.partition("=")
        if not equals or not path.strip() or not values.strip():
            raise GridError(
                f"a grid reads like arms.1.tikhonov=0.01,0.1,1 (a path, =, values); given: {text}"
            )
        parts = [part.strip() for part in values.split(",")]
        if "" in parts:
            raise GridError(f"{path}: there is an empty value in {values}")
        return cls(path.strip(), tuple(map(_value, parts)))


def _value(text: str) -> Scalar:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, Scalar) else text


@dataclass(frozen=True)
class Cell:
    """One combination of a grid.

    Attributes:
        index: its place, the last axis moving fastest.
        settings: the value of each path.
        spec: the spec with them.
    """

    index: int
    settings: Mapping[str, Scalar]
    spec: ExperimentSpec


def expand(spec: ExperimentSpec, axes: Sequence[Axis]) -> tuple[Cell, ...]:
    """All combinations of the axes' values, in the order of the axes.

    Raises:
        GridError: no axis, one setting on two axes, a value twice, too many combinations, a path
            that leads nowhere, or values that the spec does not take.
    """
    if not axes:
        raise GridError("a grid needs an axis, e.g. arms.1.tikhonov=0.01,0.1,1")
    paths = [axis.path for axis in axes]
    for i, axis in enumerate(axes):
        if axis.path in paths[:i]:
            raise GridError(f"{axis.path} is on two axes; give all its values on one")
        if not axis.values:
            raise GridError(f"{axis.path} has no values")
        if len({(isinstance(value, bool), value) for value in axis.values}) < len(axis.values):
            raise GridError(f"{axis.path} has a value twice")
        if axis.path == "seed":
            raise GridError("seed is no axis: a sweep takes each combination with several seeds")
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST_CELLS:
        raise GridError(f"{count:,} combinations are too many; at most {MOST_CELLS:,}")
    found = []
    for index, values in enumerate(itertools.product(*(axis.values for axis in axes))):
        settings = dict(zip(paths, values, strict=True))
        found.append(Cell(index, settings, with_settings(spec, settings)))
    return tuple(found)


def with_settings(spec: ExperimentSpec, settings: Mapping[str, Scalar]) -> ExperimentSpec:
    """The spec with values in place of those at some paths.

    Raises:
        GridError: a path leads nowhere, or the spec does not take a value.
    """
    names = {path: value for path, value in settings.items() if path.endswith(".name")}
    if 0 < len(names) < len(settings):  # a name brings its defaults, of which the others speak
        spec = with_settings(spec, names)
    record = spec.model_dump(mode="json")
    for arm, given in zip(record["arms"], spec.arms, strict=True):
        if given.label == given.default_label():
            arm["label"] = ""  # named after what it becomes
    for path in sorted(settings, key=lambda path: path.count(".")):  # what holds another first
        _replace(record, path, settings[path])
    try:
        return ExperimentSpec.model_validate(record)
    except ValidationError as error:
        words = ", ".join(f"{path} = {json.dumps(value)}" for path, value in settings.items())
        raise GridError(f"{words}: {'; '.join(map(str, explain(error)))}") from error


def _replace(record: object, path: str, value: Scalar) -> None:
    """Puts a value where a path leads.

    A record with a ``name`` is one of several kinds, each with parameters of its own: another name
    brings its defaults.
    """
    *way, last = path.split(".")
    node = record
    for depth, part in enumerate(way):
        node = _step(node, part, path, depth)
    _step(node, last, path, len(way))
    if isinstance(node, dict):
        if last == "name" and node[last] != value:
            node.clear()
        node[last] = value
    elif isinstance(node, list):
        node[int(last)] = value


def _step(node: object, part: str, path: str, depth: int) -> object:
    if isinstance(node, dict) and part in node:
        return node[part]
    if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
        return node[int(part)]
    before = ".".join(path.split(".")[:depth]) or "the spec"
    if isinstance(node, dict):
        raise GridError(f"{path}: {before} has no {part!r}{did_you_mean(part, list(node))}")
    if node == []:
        raise GridError(f"{path}: {before} is empty")
    if isinstance(node, list):
        raise GridError(f"{path}: {before} has the indices 0 to {len(node) - 1}, not {part!r}")
    raise GridError(f"{path}: {before} holds {json.dumps(node)}, nothing that has parts")
