"""Runs cases with whatever tree is first on the path; the text of this file is the program.

``python -c TEXT REQUEST ANSWER``: the parent passes this text, so that both trees are driven by
the same lines, and only through what ``newton_core`` promises (``run`` and ``ExperimentSpec``).

REQUEST is a JSON list of {"name", "spec", "resume", "stop"}, ANSWER becomes
{"folder": the tree, "events": {name: [event, ...]}}; a run that is gone on from a snapshot is
called "NAME from STEP".
"""

import json
import logging
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any


def events_of(
    spec: Any, snapshots: Path, start: Path | None = None, stop_after: int | None = None
) -> list[Any]:
    """The events of one run as decoded JSON."""
    import newton_core

    stop = threading.Event()
    events = []
    for event in newton_core.run(spec, stop=stop, start=start, snapshots=snapshots):
        events.append(json.loads(event.model_dump_json()))
        if events[-1]["type"] == "evaluation" and events[-1]["step"] == stop_after:
            stop.set()
    return events


def answer(request: list[dict[str, Any]]) -> dict[str, Any]:
    """The events of all cases, computed with one thread."""
    import torch

    import newton_core

    torch.set_num_threads(1)
    logging.disable()  # a run that fails says so in its events, which are what is compared
    events = {}
    for case in request:
        name = case["name"]
        spec = newton_core.ExperimentSpec.model_validate(case["spec"])
        with tempfile.TemporaryDirectory() as folder:
            first, again = Path(folder) / "first", Path(folder) / "again"
            events[name] = events_of(spec, first, stop_after=case["stop"])
            for step in case["resume"]:
                start = first / f"step-{step:08d}.pt"
                events[f"{name} from {step}"] = events_of(spec, again, start=start)
    return {"folder": str(Path(newton_core.__file__).parents[1]), "events": events}


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Path(sys.argv[2]).write_text(json.dumps(answer(asked)), "utf-8")
