"""What tests read from the log of a run."""

from typing import Any

from newton_core.experiment.events import EventBase
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run


def events_of(spec: ExperimentSpec, **kwargs: Any) -> list[EventBase]:
    return list(run(spec, **kwargs))


def numbers(events: list[EventBase], after: int = 0) -> dict[str, Any]:
    """All numbers of a log by arm and step, without clocks and event boundaries."""
    found: dict[str, Any] = {}
    for event in events:
        record = event.model_dump(mode="json")
        if event.type == "metrics":
            for name, column in record["values"].items():
                if name == "seconds":
                    continue
                for step, value in zip(record["steps"], column, strict=True):
                    if step > after:
                        found[f"{name}/{record['arm']}/{step}"] = value
        elif event.type not in {"started", "finished", "cancelled"} and record["step"] > after:
            if event.type == "examples":
                record["items"] = [{**item, "image": None} for item in record["items"]]
            del record["seq"]
            found[f"{event.type}/{record.get('arm')}/{record['step']}"] = record
    return found


def metric(events: list[EventBase], arm: int, name: str) -> dict[int, float | None]:
    return {
        step: value
        for event in events
        if event.type == "metrics" and event.arm == arm
        for step, value in zip(event.steps, event.values[name], strict=True)
    }
