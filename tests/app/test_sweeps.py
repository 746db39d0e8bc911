"""Sweeps on a server: what they compute, reuse, keep and refuse."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.database import Database, SweepRow
from app.evidence.comparison import sentence_of
from app.evidence.exports import as_latex
from app.runs.feed import Feed
from app.sweeps import SweepStore, SweepWish
from app.sweeps.records import SweepEnd, SweepReport, metric_of, reported_comparison
from newton_core.evidence import Axis, CellStore, confirm, expand, sweep, with_seeds
from newton_core.evidence.cells import cells_of
from newton_core.experiment.spec import ExperimentSpec
from tests.app.harness import LabServer, Spec, long_spec, tiny_spec

GRID = [{"path": "arms.1.tikhonov", "values": [0.1, 10.0]}]


def wish(spec: Spec | None = None, **changes: Any) -> dict[str, Any]:
    body = {"spec": spec or tiny_spec(), "grid": GRID, "seeds": 2, "report_seeds": 3}
    return {**body, **changes}


def post(server: LabServer, body: dict[str, Any]) -> dict[str, Any]:
    answer = server.client.post("/api/sweeps", json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def detail(server: LabServer, sweep_id: str) -> dict[str, Any]:
    return dict(server.client.get(f"/api/sweeps/{sweep_id}").json())


def events(server: LabServer, sweep_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The whole log of a sweep, once it has ended."""
    with server.client.stream("GET", f"/api/sweeps/{sweep_id}/events", timeout=120) as answer:
        lines = [line for line in answer.iter_lines() if line]
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    bodies = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data")]
    return [one for one in zip(kinds, bodies, strict=True) if one[0] != "ping"]


def wait_for(
    server: LabServer, sweep_id: str, happened: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if happened(found := detail(server, sweep_id)):
            return found
        time.sleep(0.05)
    pytest.fail(f"it did not happen to {found}")


def test_a_sweep_says_what_the_command_line_says_and_is_never_computed_again(
    server: LabServer,
) -> None:
    started = post(server, wish())
    assert started["cells"] == 2
    log = events(server, started["id"])
    assert [kind for kind, _ in log] == ["cell", "cell", "report", "finished"]
    found = detail(server, started["id"])
    assert (found["status"], found["seeds"]) == ("finished", [10_000, 10_001])

    store = CellStore(server.data_dir / "cells")
    files = sorted(store.folder.rglob("*.json"))
    spec = ExperimentSpec.model_validate(tiny_spec())
    axes = [Axis("arms.1.tikhonov", (0.1, 10.0))]
    own = sweep(spec, axes, seeds=range(10_000, 10_002), store=store)
    assert own.best is not None
    claimed = confirm(own.best.cell, seeds=range(3), store=store)
    assert sorted(store.folder.rglob("*.json")) == files, "all cells came from the store"
    values = [cell.comparison and cell.comparison.arms[1].mean for cell in own.cells]
    assert [cell["mean"] for cell in found["done"]] == values
    assert found["best"] == own.best.cell.index == found["report"]["index"]
    arms = found["report"]["arms"]
    assert [arm["mean"] for arm in arms] == [arm.mean for arm in claimed.arms]
    assert claimed.arms[1].difference is not None
    assert arms[1]["difference"]["low"] == claimed.arms[1].difference.low
    assert arms[0]["low"] <= arms[0]["mean"] <= arms[0]["high"]

    asked = {"sweep": started["id"]}
    compared = server.client.get("/api/comparisons", params=asked).json()
    gain, own_gain = compared["arms"][1]["gain"], claimed.arms[1].difference
    assert [gain["mean"], gain["low"], gain["high"]] == [own_gain.mean, own_gain.low, own_gain.high]
    assert (compared["seeds"], compared["sentence"]) == ([0, 1, 2], sentence_of(claimed))
    exported = server.client.get("/api/comparisons/export", params={**asked, "format": "tex"})
    assert exported.text == as_latex(claimed)

    again = post(server, wish())
    assert (again["id"], again["reused"]) == (started["id"], True)
    wider = post(server, wish(grid=[{"path": "arms.1.tikhonov", "values": [0.1, 10.0, 30.0]}]))
    events(server, wider["id"])
    assert len(list(store.folder.rglob("*.json"))) - len(files) <= 2 + 3, "only what is new"


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"grid": [{"path": "arms.1.tikonov", "values": [1]}]}, "grid", "did you mean 'tikhonov'"),
        ({"grid": [{"path": "arms.1.lr", "values": [-1]}]}, "grid", "arms.1.lr"),
        ({"grid": [{"path": "steps", "values": [10, 10**7]}]}, "grid", "steps"),
        ({"grid": [{"path": "steps", "values": list(range(1, 900))}], "seeds": 50}, "grid", "most"),
        ({"grid": []}, "grid", "at least 1"),
        ({"seeds": "3"}, "seeds", "valid integer"),
        ({"seeds": 0}, "seeds", "greater"),
        ({"preset": "nothing"}, "body", "one of both"),
        ({"spec": tiny_spec(seconds=3.0)}, "seconds", "clock"),
        ({"spec": tiny_spec(steps=0)}, "steps", "greater"),
    ],
)
def test_what_no_sweep_can_be_made_of_is_refused(
    server: LabServer, changes: dict[str, Any], where: str, words: str
) -> None:
    answer = server.client.post("/api/sweeps", json=wish(**changes))
    assert answer.status_code == 422, answer.text
    problem = answer.json()["detail"][0]
    assert where in problem["loc"]
    assert words in problem["msg"]


def test_times_to_a_target_are_compared_as_the_command_line_compares_them(
    server: LabServer,
) -> None:
    spec = tiny_spec(target=0.34, evaluate_every=2)
    sweep_id = post(server, wish(spec, report_seeds=2))["id"]
    events(server, sweep_id)
    report = detail(server, sweep_id)["report"]
    found = reported_comparison(
        SweepReport.model_validate(report), metric_of(ExperimentSpec.model_validate(spec))
    )
    (cell,) = expand(ExperimentSpec.model_validate(spec), [Axis("arms.1.tikhonov", (
        report["settings"]["arms.1.tikhonov"],))])  # fmt: skip
    assert found == confirm(cell, seeds=range(2), store=CellStore(server.data_dir / "cells"))
    assert any(arm.reached for arm in found.arms)


def test_a_sweep_without_report_seeds_compares_nothing(server: LabServer) -> None:
    sweep_id = post(server, wish(report_seeds=0))["id"]
    events(server, sweep_id)
    answer = server.client.get("/api/comparisons", params={"sweep": sweep_id})
    assert (answer.status_code, "report seeds" in answer.text) == (409, True)
    for params in ({}, {"sweep": sweep_id, "runs": "a,b"}):
        answer = server.client.get("/api/comparisons", params=params)
        assert (answer.status_code, "one of both" in answer.text) == (422, True)
    answer = server.client.get("/api/comparisons", params={"sweep": "none"})
    assert answer.status_code == 404


def test_unknown_sweeps_are_not_found(server: LabServer) -> None:
    for path in ("/api/sweeps/0123456789ab", "/api/sweeps/none", "/api/sweeps/none/events"):
        assert server.client.get(path).status_code == 404
    assert server.client.post("/api/sweeps/none/stop").status_code == 404


def test_runs_come_first_and_a_sweep_survives_stop_and_kill(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    values = [0.1, 0.2]
    spec = long_spec(0, steps=4000, evaluate_every=4000, log_every=4000)
    body = wish(spec, grid=[{"path": "arms.0.lr", "values": values}], seeds=1, report_seeds=0)
    sweep_id = post(server, body)["id"]
    server.finish(tiny_spec(seed=5, steps=4, evaluate_every=4))
    assert detail(server, sweep_id)["done"] == [], "the only worker left its cell for the run"
    assert server.client.post(f"/api/sweeps/{sweep_id}/stop").status_code == 202
    assert detail(server, sweep_id)["status"] == "cancelled"
    assert server.client.post(f"/api/sweeps/{sweep_id}/stop").status_code == 409
    assert post(server, body)["id"] == sweep_id, "the same wish goes on"
    first = wait_for(server, sweep_id, lambda found: len(found["done"]) >= 1)
    server.kill()
    server.start()
    found = wait_for(server, sweep_id, lambda found: found["status"] == "finished")
    assert found["done"][0] == first["done"][0]
    assert [cell["settings"]["arms.0.lr"] for cell in found["done"]] == values
    kinds = [kind for kind, _ in events(server, sweep_id)]
    assert kinds == ["cancelled", "cell", "cell", "finished"], "no cell was computed twice"


def test_each_run_that_waits_gets_a_slot_of_its_own_from_a_sweep(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(workers=2, fork_workers=0).start()
    slow = {"name": "ranking", "n": 5, "test_sets": 2, "model": {"name": "cnn"}}
    cells = tiny_spec(task=slow, batch_size=200, steps=5000, evaluate_every=5000)
    sweep_id = post(server, wish(cells, report_seeds=0))["id"]
    wait_for(server, sweep_id, lambda _: len(server.workers()) == 2)
    long = server.post(long_spec(1, steps=100_000))["id"]
    server.finish(tiny_spec(seed=6, steps=4, evaluate_every=4))  # both came in one step of a cell
    assert server.run(long)["status"] == "running"
    assert detail(server, sweep_id)["done"] == []
    assert server.client.post(f"/api/sweeps/{sweep_id}/stop").status_code == 202


def test_what_the_command_line_computes_just_now_is_left_to_it(server: LabServer) -> None:
    spec = tiny_spec(steps=7, evaluate_every=7)
    (combination, *_) = expand(
        ExperimentSpec.model_validate(spec), [Axis("arms.1.tikhonov", (0.1, 10.0))]
    )
    (run,) = with_seeds(combination.spec, [10_000])
    claimed = cells_of(run)[1]
    store = CellStore(server.data_dir / "cells")
    with store.claim(claimed) as is_ours:
        assert is_ours
        sweep_id = post(server, wish(spec, seeds=1, report_seeds=0))["id"]
        found = wait_for(server, sweep_id, lambda found: bool(found["done"]))
        assert [cell["index"] for cell in found["done"]] == [1], "the other one is there"
        assert store.get(claimed) is None
    found = wait_for(server, sweep_id, lambda found: found["status"] == "finished")
    assert [cell["index"] for cell in found["done"]] == [0, 1]


def test_a_sweep_is_removed_with_its_log_and_leaves_its_cells(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(workers=1, fork_workers=0).start()
    body = wish(report_seeds=0)
    done = post(server, body)["id"]
    events(server, done)
    cells = len(list((server.data_dir / "cells").glob("*/*.json")))
    spec = long_spec(0, steps=100_000, evaluate_every=100_000, log_every=100_000)
    going = post(server, wish(spec, grid=[{"path": "arms.0.lr", "values": [0.1]}], seeds=1))["id"]
    for sweep_id in (done, going):
        assert server.client.delete(f"/api/sweeps/{sweep_id}").status_code == 204
        for path in ("", "/events"):
            assert server.client.get(f"/api/sweeps/{sweep_id}{path}").status_code == 404
        assert server.client.delete(f"/api/sweeps/{sweep_id}").status_code == 404
    assert server.client.get("/api/sweeps").json()["total"] == 0
    again = post(server, body)
    assert (again["id"] != done, again["reused"]) == (True, False)
    assert [kind for kind, _ in events(server, again["id"])] == ["cell", "cell", "finished"]
    assert len(list((server.data_dir / "cells").glob("*/*.json"))) == cells


def test_cells_that_no_sweep_uses_make_room(new_server: Callable[..., LabServer]) -> None:
    server = new_server(cells_mb=1).start()
    folder = server.data_dir / "cells" / "ab"
    folder.mkdir(parents=True)
    old = folder / "old.json"
    old.write_bytes(bytes(1_000_001))
    os.utime(old, (1000, 1000))
    sweep_id = post(server, wish(report_seeds=0))["id"]
    events(server, sweep_id)
    wait_for(server, sweep_id, lambda _: not old.exists())
    assert len(list(folder.parent.glob("*/*.json"))) == 2 + 2 * 2  # vanilla is shared


def test_a_cell_that_crashes_is_shown_and_stops_no_other(server: LabServer) -> None:
    spec = tiny_spec(
        task={"name": "shortest_path", "data": {"name": "warcraft"}}, loss={"name": "bellman_ford"}
    )
    grid = [{"path": "task.data.name", "values": ["warcraft", "terrain"]}]
    spec["steps"], spec["evaluate_every"] = 2, 2
    body = wish(spec, grid=grid, seeds=1, report_seeds=0)
    found = detail(server, post(server, body)["id"])
    found = wait_for(server, found["id"], lambda found: found["status"] != "running")
    assert found["status"] == "finished"
    broken, whole = found["done"]
    assert "could not be computed" in broken["error"]
    assert broken["mean"] is None
    assert whole["error"] is None
    assert found["best"] == 1


def test_the_log_of_a_sweep_ends_and_goes_on(database: Database) -> None:
    store = SweepStore(database, Feed())
    spec = ExperimentSpec.model_validate(tiny_spec())
    asked = SweepWish.model_validate({"spec": spec, "grid": GRID})
    row, found = store.create(asked, 2, "title", None)
    assert not found
    store.append(row.id, [("cancelled", SweepEnd())])
    store.append(row.id, [("cell", SweepEnd())])
    assert [event.type for event in store.all(row.id)] == ["cancelled"]
    assert store.read(row.id, 0).ended
    again, found = store.create(asked, 2, "title", None)
    assert (found, again.id, again.status) == (True, row.id, "running")
    store.append(row.id, [("finished", SweepEnd())])
    assert [event.seq for event in store.read(row.id, 0).events] == [1, 2]
    ended: SweepRow | None = store.get(row.id)
    assert ended is not None
    assert ended.status == "finished"
