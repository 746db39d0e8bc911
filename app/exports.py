"""A run's log in other forms: tidy CSV, JSON, weights."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save

from app.database import RunRow
from app.runs.records import LoggedEvent
from newton_core.labels import numbered
from newton_core.training.snapshots import load_snapshot

CSV_HEADER = ("run", "arm", "step", "metric", "value", "label")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters with which a formula begins in a spreadsheet."""
_PLACE = frozenset({"seq", "type", "arm", "step", "primary_metric"})


def csv_lines(run_id: str, labels: Sequence[str], log: Iterable[LoggedEvent]) -> Iterator[str]:
    """One line for each number that was measured: run, arm (from 0), step, metric, value, label.

    Metrics of updates and of evaluations, and the numbers that sum up spectra and spikes; an
    empty value was not finite. A label that a spreadsheet would compute stands behind a quote.
    """
    shown = list(map(harmless, labels))
    yield _csv([CSV_HEADER])
    for event in log:
        rows = [(run_id, *row, shown[row[0]]) for row in _numbers(json.loads(event.body))]
        if rows:
            yield _csv(rows)


def harmless(label: str) -> str:
    """A label that no spreadsheet takes for a formula."""
    return f"'{label}" if label.startswith(_FORMULA) else label


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _numbers(record: dict[str, Any]) -> Iterator[tuple[int, int, str, float | None]]:
    """(arm, step, metric, value) of everything that an event measures."""
    match record["type"]:
        case "metrics":
            for name, column in record["values"].items():
                for step, value in zip(record["steps"], column, strict=True):
                    yield record["arm"], step, name, value
        case "evaluation":
            for name in [key for key in record if key not in _PLACE]:
                yield record["arm"], record["step"], name, record[name]
        case "curvature":
            yield from _curvature_numbers(record)
        case "spike":
            for name in ("norm", "median"):
                yield record["arm"], record["step"], f"spike_{name}", record[name]
        case _:
            return


def _curvature_numbers(record: dict[str, Any]) -> Iterator[tuple[int, int, str, float | None]]:
    place = record["arm"], record["step"]
    yield *place, "direction_cosine", record["direction_cosine"]
    for matrix in ("hessian", "fisher"):
        spectrum = record[matrix]
        if spectrum is None:
            continue
        yield *place, f"{matrix}_condition", spectrum["condition"]
        yield *place, f"{matrix}_complement_condition", spectrum.get("complement_condition")
        yield *place, f"{matrix}_negative", spectrum["negative"]
        if eigenvalues := spectrum["eigenvalues"]:
            yield *place, f"{matrix}_smallest_eigenvalue", eigenvalues[0]
            yield *place, f"{matrix}_largest_eigenvalue", eigenvalues[-1]


def json_lines(log: Iterable[LoggedEvent]) -> Iterator[str]:
    """The log as one JSON array, an event a line."""
    opening = "[\n"
    for event in log:
        yield opening + event.body
        opening = ",\n"
    yield "[]\n" if opening == "[\n" else "\n]\n"


def weights(snapshot: Path, spec: str) -> bytes:
    """The weights in a snapshot as safetensors, under ``{arm}.{parameter}`` (arms from 0).

    The metadata hold what is needed to use them: ``format``, ``step``, ``labels`` (a JSON list,
    one for each arm) and the run's ``spec`` as JSON.

    Raises:
        SnapshotError: the file is missing or damaged.
    """
    step, arms = load_snapshot(snapshot)
    tensors = {
        f"{index}.{name}": tensor.contiguous().clone()
        for index, arm in enumerate(arms)
        for name, tensor in arm["model"].items()
    }
    labels = json.dumps(arm_labels(spec), ensure_ascii=False)
    metadata = {"format": "pt", "step": str(step), "labels": labels, "spec": spec}
    return save(tensors, metadata=metadata)


def arm_labels(spec: str) -> list[str]:
    """The arms' labels in a run's complete spec."""
    return [arm["label"] for arm in json.loads(spec)["arms"]]


def runnable_spec(spec: str) -> str:
    """A run's spec as a file to run again.

    Earlier versions took arms of one label, which a new run may not have: later ones are numbered.
    """
    record = json.loads(spec)
    taken: set[str] = set()
    for arm in record["arms"]:
        arm["label"] = numbered(arm["label"], taken)
        taken.add(arm["label"])
    return json.dumps(record, indent=2) + "\n"


def file_name(run: RunRow, what: str, ending: str) -> str:
    """The name of an exported file: which run it is of and what it holds, in plain characters."""
    spec = json.loads(run.spec)
    subject = run.preset or f"{spec['task']['name']}-{spec['loss']['name']}"
    words = re.sub(r"[^a-z0-9]+", "-", f"newton-lab-{subject}-{run.id}-{what}".lower())
    return f"{words}.{ending}"
