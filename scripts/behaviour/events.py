"""The events of the cases, without what two runs of one tree do not share."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.behaviour.cases import CASES, FAILING, Case
from scripts.behaviour.trees import Tree, TreeError, data_folder

Event = dict[str, Any]
Things = dict[str, Any]
"""What a tree does, by the name under which it is reported."""

_DRIVER = Path(__file__).with_name("driver.py")


def run_cases(tree: Tree, cases: Sequence[Case]) -> dict[str, list[Event]]:
    """The events of each case as the tree says them.

    Raises:
        TreeError: its process failed, or ran another tree's sources.
    """
    request = [
        {"name": case.name, "spec": case.spec, "resume": case.resume, "stop": case.stop}
        for case in cases
    ]
    with tempfile.TemporaryDirectory() as folder, data_folder() as data:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(request), "utf-8")
        arguments = ["-c", _DRIVER.read_text("utf-8"), str(asked), str(answered)]
        if tree.start(arguments, data).wait() or not answered.is_file():
            raise TreeError(f"{tree.name}: the runs failed, see above")
        text = answered.read_text("utf-8").replace(str(data), "DATA")
    answer = json.loads(text)
    if Path(answer["folder"]) != tree.folder:
        raise TreeError(f"{tree.name}: ran the sources of {answer['folder']}")
    events: dict[str, list[Event]] = answer["events"]
    return events


def event_things(tree: Tree) -> Things:
    """The events of all cases, normalised."""
    found = run_cases(tree, (*CASES, *FAILING))
    return {f"events/{name}": normalised(events) for name, events in found.items()}


def normalised(events: Sequence[Event]) -> dict[str, Any]:
    """A log without what depends on the clock or on the installation.

    - ``seconds`` is what the clock said.
    - ``versions`` change with every release; their names stay.
    - ``metrics`` are batched by the clock, so they are joined, step by step for each arm. Other
      events say ``seq`` after however many batches came before them: their order stays instead.
    """
    return {
        "metrics": _joined(event for event in events if event["type"] == "metrics"),
        "others": [_timeless(event) for event in events if event["type"] != "metrics"],
    }


def _joined(batches: Any) -> dict[str, dict[str, list[Any]]]:
    """Steps and columns of each arm, over all batches; no ``seconds``."""
    arms: dict[str, dict[str, list[Any]]] = {}
    for batch in batches:
        columns = arms.setdefault(f"arm {batch['arm']}", {"steps": []})
        columns["steps"] += batch["steps"]
        for name, values in batch["values"].items():
            if name != "seconds":
                columns.setdefault(name, []).extend(values)
    return arms


def _timeless(event: Event) -> Event:
    kept = {name: value for name, value in event.items() if name != "seq"}
    if event["type"] == "started":
        kept["versions"] = sorted(event["versions"])
    if event.get("summary"):
        kept["summary"] = {
            **_without_seconds(event["summary"]),
            "arms": [_without_seconds(arm) for arm in event["summary"]["arms"]],
        }
    return kept


def _without_seconds(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "seconds"}
