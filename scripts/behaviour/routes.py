"""The answers of every route, without what two servers of one tree do not share."""

import base64
import copy
import csv
import gzip
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from scripts.behaviour.build import build_page
from scripts.behaviour.cases import CONTROLS, PERTURBED, RANKING, SURFACES
from scripts.behaviour.events import Things, normalised
from scripts.behaviour.requests import (
    COMPUTATIONS,
    LANDSCAPES,
    QUEUED,
    READS,
    REFUSED_SPECS,
    REFUSED_TARGETS,
    RESUMED,
)
from scripts.behaviour.server import Lab, Record, serving
from scripts.behaviour.trees import Tree, data_folder

Answers = Iterator[tuple[str, Any]]


def route_things(tree: Tree) -> Things:
    """What a tree's server answers on one tour; the page, which reports hold, is built before."""
    build_page(tree)
    things: Things = {}
    with data_folder() as data, serving(tree, data, max_queue=2, prometheus=True) as lab:
        for tour in (_reads, _computations, _runs, _landscapes, _exports, _forks, _queue):
            things |= {f"routes/{name}": answer for name, answer in tour(lab)}
    return things


def _reads(lab: Lab) -> Answers:
    for name, method, path in READS:
        answer = lab.ask(method, path)
        if name == "metrics":  # values are the moment's
            answer["body"] = re.sub(r" [\d.e+-]+$", "", answer["body"], flags=re.M)
        if answer["headers"].get("content-type", "").startswith("text/html"):
            answer["body"] = _without_hashes(answer["body"] or "")
        if name == "health":
            # A release changes the one, whatever else runs here the other.
            answer["body"] |= {"version": "VERSION", "free_mb": "ROOM"}
        if name.startswith("openapi"):
            answer["body"]["info"]["version"] = "VERSION"
        yield name, answer


def _without_hashes(html: str) -> str:
    """Names of assets hold a hash of their content, which the page part compares by its effect."""
    return re.sub(r"-[\w-]{8,}\.(js|css|svg)", r"-HASH.\1", html)


def _computations(lab: Lab) -> Answers:
    for name, path, body in COMPUTATIONS:
        yield name, lab.ask("POST", path, json=body)


def _runs(lab: Lab) -> Answers:
    """Posts and looks at runs; the first four stay for the tours that follow."""
    for case in (RANKING, SURFACES, PERTURBED, CONTROLS):
        run = lab.finish(case.spec)
        yield f"run {case.name}", _timeless_run(lab.ask("GET", f"/api/runs/{run}"))
        yield f"events {case.name}", normalised(lab.log(run))
    first = lab.runs[0]
    yield "reused", lab.post(RANKING.spec)
    yield "pinned", _timeless_run(lab.ask("PATCH", f"/api/runs/{first}", json={"pinned": True}))
    yield "pin refused", lab.ask("PATCH", f"/api/runs/{first}", json={"status": "finished"})
    for query in ("limit=50", "limit=2", "offset=1&limit=1", "status=finished", "status=failed"):
        yield f"list {query}", _timeless_list(lab.ask("GET", f"/api/runs?{query}"))
    yield "stop ended", lab.ask("POST", f"/api/runs/{first}/stop")
    yield "stop ended, fine", lab.ask("POST", f"/api/runs/{first}/stop?ended_ok=true")
    yield "stream", _stream(lab, f"/api/runs/{first}/events", {})
    yield "stream after", _stream(lab, f"/api/runs/{first}/events?after=3", {})
    yield "stream again", _stream(lab, f"/api/runs/{first}/events", {"Last-Event-ID": "5"})
    for name, spec in REFUSED_SPECS.items():
        yield f"refused {name}", lab.ask("POST", "/api/runs", json=spec)
    for name, method, path, request in REFUSED_TARGETS:
        yield f"refused {name}", lab.ask(method, path, **request)


def _stream(lab: Lab, path: str, headers: dict[str, str]) -> Record:
    """Status, headers and the shape of a finished run's messages; batches depend on the clock."""
    answer = lab.ask("GET", path, headers=headers)
    messages = answer["body"]
    answer["body"] = {
        "fields": sorted({name for message in messages for name in message}),
        "first id": messages[0]["id"],
        "ids have no gaps": all(
            int(later["id"]) - int(earlier["id"]) == 1
            for earlier, later in itertools.pairwise(messages)
        ),
        "ids are those of the data": all(int(m["id"]) == m["data"]["seq"] for m in messages),
        "types": [m["event"] for m in messages if m["event"] != "metrics"],
    }
    return answer


def _landscapes(lab: Lab) -> Answers:
    for name, posted, body in LANDSCAPES:
        request = {**body, "run": lab.runs[posted]}
        yield f"landscape {name}", lab.ask("POST", "/api/landscapes", json=request)


def _exports(lab: Lab) -> Answers:
    run = lab.runs[0]
    for form in ("csv", "json", "html", "spec", "weights", "pdf"):
        path = f"/api/runs/{run}/export?format={form}"
        if form == "weights":
            content = lab.client.get(path).content
            yield "export weights", _tensors(content)
            continue
        answer = lab.ask("GET", path)
        if form == "csv":
            answer["body"] = _sorted_rows(answer["body"])
        elif form == "json":
            answer["body"] = normalised(answer["body"])
        elif form == "html":
            answer["body"] = _report(lab, answer["body"])
        yield f"export {form}", answer


def _sorted_rows(text: str) -> list[list[str]]:
    """Rows in an order of their own (that in the file depends on the batches); no ``seconds``."""
    header, *rows = csv.reader(io.StringIO(text))
    return [header, *sorted(row for row in rows if row[3] != "seconds")]


def _report(lab: Lab, html: str) -> Record:
    """The report's frame and data; its script is the page's own, which the page part compares.

    So the digests by which the frame permits its scripts are left out.
    """
    found = re.search(r'<script type="text/plain" id="([\w-]+)">(.*?)</script>', html, re.S)
    assert found is not None, "the report holds no data"
    packed = base64.b64decode(found.group(2))
    data = json.loads(lab.masked(gzip.decompress(packed).decode()))
    return {
        "frame": re.sub(r"'sha\d+-[^']+'", "'digest'", html[: html.index("<style>")]),
        "id": found.group(1),
        "run": _without_clock(data["run"]),
        "events": normalised(data["events"]),
        "figures": data["figures"],
        "more": sorted(set(data) - {"run", "events", "figures"}),
    }


def _tensors(content: bytes) -> Record:
    """Name, type, shape and digest of each tensor of a safetensors file, and its notes."""
    length = int.from_bytes(content[:8], "little")
    header, values = json.loads(content[8 : 8 + length]), content[8 + length :]
    return {
        name: entry
        if name == "__metadata__"
        else {
            "dtype": entry["dtype"],
            "shape": entry["shape"],
            "sha256": hashlib.sha256(values[slice(*entry["data_offsets"])]).hexdigest(),
        }
        for name, entry in header.items()
    }


def _forks(lab: Lab) -> Answers:
    """A what-if whose other arms are replayed, a longer run, and a parent that does not fit."""
    parent = lab.runs[0]
    change = {"step": 8, "arm": 4, "tikhonov": 1.0}
    what_if = {**RANKING.spec, "changes": [*RANKING.spec["changes"], change]}
    longer = {**RANKING.spec, "steps": 18}
    other = {**RANKING.spec, "seed": 11, "steps": 3, "changes": []}
    for name, spec in (("what-if", what_if), ("longer", longer), ("other", other)):
        run = lab.finish(spec, **{"from": parent})
        yield f"fork {name}", _timeless_run(lab.ask("GET", f"/api/runs/{run}"))
        yield f"fork {name}, events", normalised(lab.log(run))
        yield (
            f"fork {name}, weights",
            _tensors(lab.client.get(f"/api/runs/{run}/export?format=weights").content),
        )


def _queue(lab: Lab) -> Answers:
    """One run in progress, two that wait, one too many; a stopped run that is gone on with."""
    lab.post(RESUMED)
    busy = lab.runs[-1]
    lab.log(busy, until=300)
    for seed in (1, 2):
        yield f"queued {seed}", lab.post({**QUEUED, "seed": seed})
    second = lab.runs[-1]
    yield "queue is full", lab.ask("POST", "/api/runs", json={**QUEUED, "seed": 3})
    yield "list status=queued", _timeless_list(lab.ask("GET", "/api/runs?status=queued"))
    with lab.client.stream("GET", f"/api/runs/{second}/events") as answer:
        yield "place in the queue", list(_first_lines(answer.iter_lines(), 2))
    yield "delete", lab.ask("DELETE", f"/api/runs/{second}")
    yield "deleted", lab.ask("GET", f"/api/runs/{second}")
    stopped = lab.ask("POST", f"/api/runs/{busy}/stop")
    stopped["body"]["status"] = "either: the worker may have ended already"
    yield "stop", stopped
    yield "last words of a stopped run", lab.log(busy)[-1]["type"]
    again = lab.finish(RESUMED)
    yield "gone on with", _timeless_run(lab.ask("GET", f"/api/runs/{again}"))
    yield "gone on with, events", _without_images(normalised(lab.log(again)))


def _without_images(log: Record) -> Record:
    """Images come again where a run goes on, which is where the clock had stopped it."""
    for event in log["others"]:
        for item in event.get("items", ()):
            item["image"] = "IMAGE"
    return log


def _first_lines(lines: Iterator[str], count: int) -> Iterator[str]:
    for _ in range(count):
        yield next(lines)


def _timeless_run(answer: Record) -> Record:
    return {**answer, "body": _without_clock(answer["body"])}


def _timeless_list(answer: Record) -> Record:
    body = answer["body"]
    return {**answer, "body": {**body, "items": [_without_clock(run) for run in body["items"]]}}


def _without_clock(run: Record) -> Record:
    """A run without moments, durations and the number of its events, which depends on the clock."""
    kept = copy.deepcopy(run)
    kept.pop("last_seq", None)
    for name in ("created", "started", "ended"):
        if kept.get(name):
            kept[name] = "TIME"
    if summary := kept.get("summary"):
        for record in (summary, *summary["arms"]):
            record.pop("seconds")
    return kept
