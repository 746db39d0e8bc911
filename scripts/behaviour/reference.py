"""What is committed of the behaviour, for machines whose processor rounds in other places.

Structure is kept exactly: which events come in which order within their type, with which fields,
at which steps, with which words; the paths, methods and schemas of the interface; what the
catalogue offers. Of the numbers, those of the first five steps are kept to seven digits: later
ones amplify the last bit of the first. Long lists are thinned, and pictures left out.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scripts.behaviour.cases import CASES
from scripts.behaviour.events import Event, normalised, run_cases
from scripts.behaviour.server import Record, serving
from scripts.behaviour.trees import HERE, Tree, data_folder

FOLDER = HERE / "tests" / "behaviour"
LAST_STEP = 5
TOLERANCE = 1e-4
"""Relative or absolute, whichever is looser: |a - b| <= TOLERANCE max(1, |b|)."""
_DIGITS = 7
_MOST_ITEMS = 8
_LONGEST_WORD = 200
_ROUNDED_AWAY = frozenset({"negative", "score"})
"""Numbers that depend on the sign of a rounding error. Counts of eigenvalues below zero do where
exact ones are zero. Scores do as a whole: no sorting loss sees their common shift, so that Adam
moves the last bias by whole steps along a gradient that is zero but for rounding."""


def write_reference() -> None:
    """Makes the committed files from the working tree."""
    FOLDER.mkdir(exist_ok=True)
    tree = Tree("working tree", HERE)
    for name, record in (
        ("events", event_reference(tree)),
        ("interface", interface_reference(tree)),
    ):
        (FOLDER / f"{name}.json").write_text(_in_lines(record) + "\n", "utf-8")


def read_reference(name: str) -> Record:
    """One of the committed files."""
    record: Record = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return record


def _in_lines(record: Any, depth: int = 3) -> str:
    """JSON with a line for each entry of the outer levels, so that a change is read in a diff."""
    if depth == 0 or not isinstance(record, dict):
        return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    entries = (
        f"{json.dumps(name)}: {_in_lines(record[name], depth - 1)}" for name in sorted(record)
    )
    return "{\n" + ",\n".join(entries) + "\n}"


def event_reference(tree: Tree) -> Record:
    """Structure and first numbers of each case's events, run once from the start."""
    cases = [dataclasses.replace(case, resume=()) for case in CASES]
    return {name: _case_record(log) for name, log in run_cases(tree, cases).items()}


def _case_record(events: Sequence[Event]) -> Record:
    log = normalised(events)
    types: dict[str, list[Event]] = {}
    for event in log["others"]:
        types.setdefault(event["type"], []).append(event)
    return {
        "structure": {
            **{name: _structure(found) for name, found in types.items()},
            "metrics": {
                arm: {"steps": columns["steps"], "names": sorted(columns)}
                for arm, columns in log["metrics"].items()
            },
        },
        "numbers": {
            **{
                name: [_thinned(event) for event in found if _is_early(event)]
                for name, found in types.items()
            },
            "metrics": {arm: _first(columns) for arm, columns in log["metrics"].items()},
        },
    }


def _structure(events: Sequence[Event]) -> Record:
    """Fields, places and words of the events of one type, in their order."""
    return {
        "fields": sorted({path for event in events for path, _ in _leaves(event)}),
        "places": [[event.get("arm"), event.get("step")] for event in events],
        "words": sorted(
            {
                f"{path}: {value}"
                for event in events
                for path, value in _leaves(event)
                if isinstance(value, str) and len(value) <= _LONGEST_WORD
            }
        ),
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path; positions in lists do not count."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield f"{path}[]", None
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, value


def _is_early(event: Event) -> bool:
    return "summary" not in event and event.get("step", 0) <= LAST_STEP


def _first(columns: Mapping[str, list[Any]]) -> Record:
    count = sum(step <= LAST_STEP for step in columns["steps"])
    return {name: [_rounded(x) for x in column[:count]] for name, column in columns.items()}


def _thinned(value: Any) -> Any:
    """A value without long words and with few items of long lists, numbers rounded."""
    if isinstance(value, Mapping):
        return {
            name: _thinned(inner)
            for name, inner in value.items()
            if name not in _ROUNDED_AWAY and not _is_picture(inner)
        }
    if isinstance(value, list):
        stride = -(-len(value) // _MOST_ITEMS) or 1
        return [_thinned(item) for item in value[::stride]]
    return _rounded(value)


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) and len(value) > _LONGEST_WORD


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def interface_reference(tree: Tree) -> Record:
    """Names of the interface: paths, methods, parameters, answers, schemas; of the catalogue."""
    with data_folder() as data, serving(tree, data, fork_workers=0, companions=0) as lab:
        document = lab.client.get("/openapi.json").json()
        catalog = lab.client.get("/api/catalog").json()
    return {
        "openapi": {
            "paths": {
                path: {method: _operation(record) for method, record in methods.items()}
                for path, methods in document["paths"].items()
            },
            "schemas": sorted(document["components"]["schemas"]),
        },
        "catalog": {
            "fields": sorted(catalog),
            "tasks": {entry["name"]: _entry(entry) for entry in catalog["tasks"]},
            "losses": {entry["name"]: _entry(entry) for entry in catalog["losses"]},
            "presets": [preset["name"] for preset in catalog["presets"]],
            "spec": sorted(catalog["schema"]["properties"]),
            "limits": sorted(catalog["limits"]),
        },
    }


def _operation(record: Record) -> Record:
    return {
        "parameters": sorted(p["name"] for p in record.get("parameters", [])),
        "answers": sorted(record["responses"]),
        "body": "requestBody" in record,
    }


def _entry(entry: Record) -> Record:
    return {
        "fields": sorted(entry),
        "parameters": sorted(entry["parameters"].get("properties", {})),
    }


def far_apart(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two records of numbers are further apart than :data:`TOLERANCE`, in words."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for name in before:
            yield from far_apart(before[name], after[name], f"{path}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, pair in enumerate(zip(before, after, strict=True)):
            yield from far_apart(*pair, f"{path}/{i}")
    elif not _is_close(before, after):
        yield f"{path}: {before!r} -> {after!r}"


def _is_close(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, int | float):
        return abs(after - before) <= TOLERANCE * max(1.0, abs(before))
    return bool(before == after)
