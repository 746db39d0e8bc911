"""Runs over HTTP: life cycle, reuse, forks, pins, removal."""

import json
import threading
from typing import Any

import pytest

from tests.app.harness import LabServer, long_spec, numbers_of, tiny_spec
from tests.newton_core.data.own_images import write_folder

GONE = {"detail": "there is no run 'ffffffffffff'; it may have been removed"}


def test_life_of_a_run(server: LabServer) -> None:
    spec = tiny_spec(seed=100)
    answer = server.client.post("/api/runs", json=spec)
    assert answer.status_code == 201
    posted = answer.json()
    assert set(posted) == {"id", "status", "position", "reused", "changeable"}
    assert (posted["status"], posted["reused"]) == ("queued", False)
    assert answer.headers["location"].endswith(f"/api/runs/{posted['id']}")
    events = server.events(posted["id"])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("started", "finished")
    assert events[0]["spec"]["batch_size"] == 4
    assert events[0]["spec"]["arms"][1]["tikhonov"] == 0.1, "defaults are filled in"
    run = server.run(posted["id"])
    assert run["status"] == "finished"
    assert (run["step"], run["steps"], run["last_seq"]) == (40, 40, len(events))
    assert run["created"] <= run["started"] <= run["ended"]
    assert run["spec"] == events[0]["spec"]
    assert run["summary"] == events[-1]["summary"]
    assert run["task"] == "ranking"
    assert [arm["label"] for arm in run["arms"]] == ["Vanilla", "Fisher"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_spec_with_a_byte_order_mark_is_read(server: LabServer, encoding: str) -> None:
    spec = tiny_spec(seed=109, arms=[{"label": "λ"}])
    answer = server.client.post(
        "/api/runs",
        content=json.dumps(spec, ensure_ascii=False).encode(encoding),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in (200, 201), answer.text
    assert server.run(answer.json()["id"])["arms"][0]["label"] == "λ"


def test_own_images_are_classified_by_their_labels(server: LabServer) -> None:
    write_folder(server.data_dir / "own" / "pets", ["cat", "dog"] * 10)
    task = {"name": "classification", "data": {"name": "folder", "path": "pets"}}
    spec = tiny_spec(task=task, loss={"name": "cross_entropy"}, steps=4)
    events = server.events(server.post(spec)["id"])
    assert events[-1]["type"] == "finished", events[-1]
    shown = next(event for event in events if event["type"] == "examples")["items"]
    assert {item["label"] for item in shown} <= {"cat", "dog"}


def test_unusable_own_images_are_named_without_the_servers_paths(server: LabServer) -> None:
    write_folder(server.data_dir / "own" / "odd", [1, 2, "none"])
    task = {"name": "ranking", "n": 2, "data": {"name": "folder", "path": "odd"}}
    refused = server.client.post("/api/runs", json=tiny_spec(task=task))
    assert refused.status_code == 422, "before it waits"
    assert [(d["loc"], d["msg"]) for d in refused.json()["detail"]] == [
        (
            ["body", "task", "data", "path"],
            "the data folder/own/odd/values.csv: 1 row cannot be used:\n  line 4: expected a number"
            " as value, found 'none'",
        )
    ]
    (write_folder(server.data_dir / "own" / "odd", [1, 2, 3]) / "1.png").write_text("no picture")
    error = server.events(server.post(tiny_spec(task=task))["id"])[-1]["error"]
    assert error.startswith("the data folder/own/odd/values.csv: 1 row cannot be used:\n  line 3:")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "series.csv: the series is empty: expected a row for each step of time"),
        ([*range(150), "NaN", 1], "series.csv: 1 row cannot be used:\n  line 152: there is no val"),
        ([*range(90)], "series.csv: the training part has 72 steps, too few for a history of 48"),
        ([1] * 150, "series.csv: every value is 1: there is nothing to forecast in a constant"),
        ([*[1] * 160, *range(40)], "the training part, its first 160 steps, is constant"),
    ],
)
def test_an_unusable_series_is_refused_before_the_run(
    server: LabServer, values: list[object], said: str
) -> None:
    folder = server.data_dir / "own" / f"series-{len(values)}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "series.csv").write_text("\n".join(["value", *map(str, values)]))
    task = {"name": "forecast", "data": {"name": "table", "path": folder.name}}
    spec = tiny_spec(task=task, loss={"name": "soft_dtw"})
    refused = server.client.post("/api/runs", json=spec)
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["body", "task", "data", "path"]
    assert said in problem["msg"]


def test_same_spec_is_answered_with_the_run_it_has(server: LabServer) -> None:
    run_id = server.finish(tiny_spec(seed=101))
    written_otherwise = {**tiny_spec(seed=101), "log_every": 1, "device": "cpu"}
    answer = server.client.post("/api/runs", json=written_otherwise)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": run_id, "status": "finished", "position": None, "reused": True, "changeable": True,
    }  # fmt: skip
    other = server.post(tiny_spec(seed=102))
    assert not other["reused"]
    assert other["id"] != run_id


def test_class_pressing_play_at_once_costs_one_run(server: LabServer) -> None:
    together = threading.Barrier(12)
    answers = []

    def press() -> None:
        together.wait()
        answers.append(server.client.post("/api/runs", json=tiny_spec(seed=103)).json())

    students = [threading.Thread(target=press) for _ in range(12)]
    for student in students:
        student.start()
    for student in students:
        student.join()
    assert len({answer["id"] for answer in answers}) == 1
    assert sum(not answer["reused"] for answer in answers) == 1


def test_run_with_a_time_limit_is_never_reused(server: LabServer) -> None:
    spec = tiny_spec(seed=104, seconds=60.0)
    assert server.finish(spec) != server.finish(spec)


def test_stopped_run_is_cancelled_and_goes_on_when_posted_again(server: LabServer) -> None:
    spec = long_spec(105)
    run_id = server.post(spec)["id"]
    server.wait_for(run_id, lambda run: run["step"] >= 2100)
    answer = server.client.post(f"/api/runs/{run_id}/stop")
    assert answer.status_code == 202
    events = server.events(run_id)
    assert events[-1]["type"] == "cancelled"
    assert server.run(run_id)["status"] == "cancelled"
    assert server.client.post(f"/api/runs/{run_id}/stop").status_code == 409
    late = server.client.post(f"/api/runs/{run_id}/stop?ended_ok=true")
    assert (late.status_code, late.json()["status"]) == (202, "cancelled")
    again = server.post(spec)
    assert not again["reused"]
    server.wait_for(again["id"], lambda run: run["step"] >= 2300)
    server.client.post(f"/api/runs/{again['id']}/stop")
    resumed = server.events(again["id"])
    before = numbers_of(events)["metrics"][0]
    after = numbers_of(resumed)["metrics"][0]
    assert list(after) == list(range(1, 10 * len(after), 10))
    shared = before.keys() & after.keys()
    assert max(shared) > 2000
    assert all(before[step] == after[step] for step in shared)
    # It went on from a snapshot: the seconds of the first steps were copied with the numbers.
    assert _seconds(resumed)[:200] == _seconds(events)[:200]


def _seconds(events: list[dict[str, Any]]) -> list[float]:
    """The first arm's clock at every step."""
    batches = [e for e in events if e["type"] == "metrics" and e["arm"] == 0]
    return [value for batch in batches for value in batch["values"]["seconds"]]


@pytest.mark.parametrize("use_parent", [True, False])
def test_fork_equals_the_run_from_scratch(server: LabServer, use_parent: bool) -> None:
    seed = 106 if use_parent else 107
    parent = server.finish(tiny_spec(seed=seed))
    changes = [{"step": 26, "arm": 1, "tikhonov": 3.0}, {"step": 31, "arm": 0, "lr": 0.1}]
    spec = tiny_spec(seed=seed, changes=changes)
    query = {"from": parent} if use_parent else {}
    fork = server.finish(spec, **query)
    assert server.run(fork)["parent"] == (parent if use_parent else None)
    events = server.events(fork)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert [(e["step"], e["arm"]) for e in events if e["type"] == "changed"] == [(26, 1), (31, 0)]
    # The same again from scratch: a run that a clock decides is never answered with another.
    scratch = server.finish({**spec, "seconds": 600.0})
    assert numbers_of(events) == numbers_of(server.events(scratch))


@pytest.mark.parametrize("parent", ["ffffffffffff", "nonsense", "", "../../etc"])
def test_unusable_parent_means_from_scratch(server: LabServer, parent: str) -> None:
    run_id = server.finish(tiny_spec(seed=108, steps=20 + len(parent)), **{"from": parent})
    assert server.run(run_id)["parent"] is None


def test_reuse_comes_before_the_parent(server: LabServer) -> None:
    parent = server.finish(tiny_spec(seed=109))
    answer = server.post(tiny_spec(seed=109), **{"from": parent})
    assert answer == {
        "id": parent, "status": "finished", "position": None, "reused": True, "changeable": True,
    }  # fmt: skip


def test_list_is_paged_newest_first(server: LabServer) -> None:
    ids = [server.finish(tiny_spec(seed=seed, steps=5)) for seed in (110, 111, 112)]
    page = server.client.get("/api/runs", params={"limit": 2}).json()
    assert [run["id"] for run in page["items"]] == [ids[2], ids[1]]
    assert page["total"] >= 3
    rest = server.client.get("/api/runs", params={"limit": 1, "offset": 2}).json()
    assert [run["id"] for run in rest["items"]] == [ids[0]]
    assert "spec" not in page["items"][0]
    failed = server.client.get("/api/runs", params={"status": "failed"}).json()
    assert all(run["status"] == "failed" for run in failed["items"])


def test_run_is_pinned(server: LabServer) -> None:
    run_id = server.finish(tiny_spec(seed=113, steps=5))
    assert not server.run(run_id)["pinned"]
    answer = server.client.patch(f"/api/runs/{run_id}", json={"pinned": True})
    assert answer.json()["pinned"]
    assert server.run(run_id)["pinned"]
    assert server.client.patch(f"/api/runs/{run_id}", json={"status": "x"}).status_code == 422


@pytest.mark.parametrize("when", ["finished", "running", "queued"])
def test_removed_run_leaves_nothing(server: LabServer, when: str) -> None:
    blocker = None
    if when == "finished":
        run_id = server.finish(tiny_spec(seed=114))
        assert (server.data_dir / "snapshots" / run_id).is_dir()
    else:
        run_id = server.post(long_spec(115))["id"]
        server.wait_for(run_id, lambda run: run["status"] == "running")
        if when == "queued":
            blocker, run_id = run_id, server.post(long_spec(116))["id"]
            assert server.run(run_id)["position"] == 1
    assert server.client.delete(f"/api/runs/{run_id}").status_code == 204
    assert not (server.data_dir / "snapshots" / run_id).exists()
    assert server.client.get(f"/api/runs/{run_id}").status_code == 404
    if blocker:
        server.client.delete(f"/api/runs/{blocker}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/stop"),
        ("GET", "/events"), ("GET", "/export?format=csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("run_id", ["ffffffffffff", "%00", "a b"])
def test_unknown_run_is_not_found(server: LabServer, method: str, path: str, run_id: str) -> None:
    body = {"pinned": True} if method == "PATCH" else None
    answer = server.client.request(method, f"/api/runs/{run_id}{path}", json=body)
    assert answer.status_code == 404
    assert "there is no run" in answer.json()["detail"]
    if run_id == "ffffffffffff":
        assert answer.json() == GONE


def test_waiting_run_shows_its_place_and_can_be_stopped(server: LabServer) -> None:
    first = server.post(long_spec(117))["id"]
    server.wait_for(first, lambda run: run["status"] == "running")
    waiting = [server.post(long_spec(seed))["id"] for seed in (118, 119)]
    assert [server.run(run_id)["position"] for run_id in waiting] == [1, 2]
    assert server.client.get("/api/health").json()["queue"] == 2
    assert server.client.post(f"/api/runs/{waiting[0]}/stop").status_code == 202
    assert server.run(waiting[1])["position"] == 1
    assert [event["type"] for event in server.events(waiting[0])] == ["cancelled"]
    assert server.client.post(f"/api/runs/{waiting[0]}/stop").status_code == 409
    for run_id in (waiting[1], first):
        assert server.client.delete(f"/api/runs/{run_id}").status_code == 204


def test_fork_overtakes_long_runs(server: LabServer) -> None:
    spec = long_spec(120)
    parent = server.post(spec)["id"]
    waiting = server.post(long_spec(121))["id"]
    server.wait_for(parent, lambda run: run["step"] >= 1500)
    change = {"step": 1200, "arm": 0, "lr": 0.1}
    fork = server.post({**spec, "changes": [change]}, **{"from": parent})["id"]
    run = server.wait_for(fork, lambda run: run["step"] > 1200)
    assert run["status"] == "running"
    assert server.run(waiting)["status"] == "queued"
    for run_id in (fork, waiting, parent):
        assert server.client.delete(f"/api/runs/{run_id}").status_code == 204
