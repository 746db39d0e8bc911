"""Specs as people hand them over: the name of a preset, or a JSON file."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.presets import get_preset, load_presets
from newton_core.experiment.errors import explain
from newton_core.experiment.spec import ExperimentSpec


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
    record = {**_read(source), **(overrides or {})}
    try:
        return ExperimentSpec.model_validate(record)
    except ValidationError as error:
        lines = "\n".join(f"  {problem}" for problem in explain(error))
        raise SpecError(f"{source} is not a valid spec:\n{lines}") from error


def _read(source: str) -> dict[str, Any]:
    if source in {preset.name for preset in load_presets()}:
        return dict(get_preset(source).spec)
    path = Path(source)
    if not path.is_file():
        known = ", ".join(preset.name for preset in load_presets())
        raise SpecError(f"{source} is neither a preset ({known}) nor a file")
    try:
        record = json.loads(path.read_bytes())  # tells UTF-8 with a mark and UTF-16, too
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{source} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise SpecError(f"{source} holds a {type(record).__name__}, a spec is a JSON object")
    return record
