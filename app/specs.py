"""Specs as people hand them over: the name of a preset, or a JSON file."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.presets import get_preset, load_presets
from newton_core.experiment.errors import explain
from newton_core.experiment.spec import ExperimentSpec
from newton_core.registry import did_you_mean

MOST_BYTES = 10_000_000


class SpecError(ValueError):
    """A spec that cannot be run; the message has one line per problem."""


def read_spec(source: str, overrides: dict[str, Any] | None = None) -> ExperimentSpec:
    """The spec that ``source`` names, with ``overrides`` in place of its own fields.

    Args:
        source: a preset's name, or the path of a JSON file with a spec.
        overrides: top-level fields, e.g. {"steps": 100}.

    Raises:
        SpecError: no such preset or file, no JSON, or an invalid spec.
    """
    return checked_spec(source, {**_read(source), **(overrides or {})})


def checked_spec(source: str, record: dict[str, Any]) -> ExperimentSpec:
    """The spec in a record that ``source`` held.

    Raises:
        SpecError: it is not valid.
    """
    try:
        return ExperimentSpec.model_validate(record)
    except ValidationError as error:
        problems = [str(problem) for problem in explain(error)]
        separator = " " if len(problems) == 1 else "\n  "
        words = separator.join(["", *problems])
        raise SpecError(f"{source} is not a valid spec:{words}") from error


def _read(source: str) -> dict[str, Any]:
    names = [preset.name for preset in load_presets()]
    if source in names:
        return dict(get_preset(source).spec)
    if not source:
        raise SpecError(f"name a preset ({', '.join(names)}) or a file; the name given is empty")
    content = _content(source, names)
    if not content.strip():
        raise SpecError(f"{source} is empty; a spec is a JSON object")
    try:
        record = json.loads(content)  # tells UTF-8 with a mark and UTF-16, too
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{source} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise SpecError(f"{source} holds a {type(record).__name__}, a spec is a JSON object")
    return record


def _content(source: str, names: list[str]) -> bytes:
    """What is in a file."""
    try:
        with Path(source).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        if source.endswith(".json") or os.sep in source:
            raise SpecError(f"there is no file {source}") from error
        hint = did_you_mean(source, names)
        raise SpecError(
            f"{source} is neither a preset ({', '.join(names)}) nor a file{hint}"
        ) from error
    except IsADirectoryError as error:
        raise SpecError(f"{source} is a folder; a spec is a JSON file") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError(f"cannot read {source}: {reason}") from error
    if len(content) > MOST_BYTES:
        raise SpecError(f"{source} holds more than {MOST_BYTES // 10**6} MB; that is no spec")
    return content
