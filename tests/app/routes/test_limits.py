"""What the server refuses, and how it says so: field paths, limits, queue, disk."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.app.harness import LabServer, long_spec, tiny_spec


def problems(server: LabServer, body: Any) -> list[tuple[list[Any], str]]:
    answer = server.client.post("/api/runs", json=body)
    assert answer.status_code == 422, answer.text
    details = answer.json()["detail"]
    assert all(set(detail) == {"loc", "msg", "type"} for detail in details)
    return [(detail["loc"], detail["msg"]) for detail in details]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in tiny_spec().items() if key != name}


FISHER = {"curvature": "fisher"}


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        (tiny_spec(steps=0), ["steps"], "greater than or equal to 1"),
        (
            tiny_spec(steps=200_000, evaluate_every=1000),
            ["steps"],
            "at most 100000 steps on this server",
        ),
        (tiny_spec(steps="many"), ["steps"], "valid integer"),
        (tiny_spec(steps="3"), ["steps"], "valid integer"),
        (tiny_spec(steps=True), ["steps"], "valid integer"),
        (tiny_spec(target="0.5"), ["target"], "valid number"),
        (tiny_spec(task={"name": "ranking", "n": "3"}), ["task", "n"], "valid integer"),
        (tiny_spec(arms=[{"lr": True}]), ["arms", 0, "lr"], "valid number"),
        (
            tiny_spec(arms=[{"lr_milestones": [1, "2"]}]),
            ["arms", 0, "lr_milestones", 1],
            "valid integer",
        ),
        (tiny_spec(unknown=1), ["unknown"], "not permitted"),
        (without("loss"), ["loss"], "required"),
        (tiny_spec(loss={"name": "nope"}), ["loss"], "does not match any of the expected tags"),
        (tiny_spec(loss={}), ["loss"], "discriminator 'name'"),
        (
            tiny_spec(loss={"name": "neuralsort", "temperature": -1}),
            ["loss", "temperature"],
            "greater than",
        ),
        (tiny_spec(loss={"name": "cross_entropy"}), ["loss"], "does not fit the task ranking"),
        (tiny_spec(task={"name": "ranking", "n": 1}), ["task", "n"], "greater than or equal"),
        (tiny_spec(arms=[]), ["arms"], "at least 1"),
        (tiny_spec(arms=[{}] * 7), ["arms"], "at most 6"),
        (tiny_spec(arms=[{}, {"tikhonov": 0}]), ["arms", 1, "tikhonov"], "greater than"),
        (tiny_spec(arms=[{"curvature": "x"}]), ["arms", 0, "curvature"], "'none', 'hessian'"),
        (
            tiny_spec(arms=[{"loss": {"name": "neuralsort", "foo": 1}}]),
            ["arms", 0, "loss", "foo"],
            "not permitted",
        ),
        (
            tiny_spec(arms=[{"gradient": "clip", **FISHER}]),
            ["arms", 0],
            "a control without curvature",
        ),
        (
            tiny_spec(changes=[{"step": 900, "arm": 0, "lr": 1}]),
            ["changes", 0, "step"],
            "not before the last",
        ),
        (
            tiny_spec(changes=[{"step": 9, "arm": 0, "tikhonov": 1}]),
            ["changes", 0, "tikhonov"],
            "has no curvature",
        ),
        (tiny_spec(changes=[{"step": 9, "arm": 5, "lr": 1}]), ["changes", 0, "arm"], "no arm 5"),
        (tiny_spec(changes=[{"step": 9, "arm": 0}]), ["changes", 0], "needs tikhonov, lr or both"),
        (
            tiny_spec(changes=[{"step": 9, "arm": 0, "lr": 1}, {"step": 9, "arm": 0, "lr": 2}]),
            ["changes", 1],
            "changes twice",
        ),
        (tiny_spec(device="cuda:77"), ["device"], "is not available; use one of cpu"),
        (tiny_spec(device="tpu"), ["device"], "pattern"),
        (
            tiny_spec(steps=90_000, evaluate_every=1),
            ["evaluate_every"],
            "at least 45 on this server",
        ),
        (
            tiny_spec(task={"name": "ranking", "data": {"name": "folder", "path": "/etc"}, "n": 3}),
            ["task", "data", "path"],
            "server's data directory",
        ),
        (
            tiny_spec(task={"name": "ranking", "data": {"name": "folder", "path": "../x"}, "n": 3}),
            ["task", "data", "path"],
            "server's data directory",
        ),
        ({"preset": "no such preset"}, ["preset"], "unknown preset 'no such preset'; known:"),
        ({"preset": 3}, ["preset"], "valid string"),
        ({"preset": "collapse", "steps": 1}, ["steps"], "not permitted"),
        ([], [], "valid dictionary"),
    ],
)
def test_bad_spec_is_refused_with_the_field(
    server: LabServer, spec: Any, path: list[Any], said: str
) -> None:
    found = problems(server, spec)
    assert [loc for loc, _ in found] == [["body", *path]]
    assert said in found[0][1]


def test_every_problem_is_said_at_once(server: LabServer) -> None:
    spec = tiny_spec(steps=0, batch_size=-1, seed="x", arms=[{"lr": -1}])
    assert [loc for loc, _ in problems(server, spec)] == [
        ["body", "arms", 0, "lr"], ["body", "steps"], ["body", "batch_size"], ["body", "seed"],
    ]  # fmt: skip


ENDLESS = {
    "fields": tiny_spec(**{f"x{i}": 1 for i in range(8000)}),
    "fields of a loss": tiny_spec(
        loss={"name": "neuralsort", **{f"x{i}": 1 for i in range(60000)}}
    ),
    "arms": tiny_spec(arms=[1] * 300_000),
    "milestones": tiny_spec(arms=[{"lr_milestones": ["x"] * 150_000}]),
    "long names": tiny_spec(**{"x" * 900_000: 1, "\ud800": 2}),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_flood_of_problems_holds_up_nobody(server: LabServer, kind: str) -> None:
    body = json.dumps(ENDLESS[kind])
    answers: list[httpx.Response] = []

    def post() -> None:
        headers = {"Content-Type": "application/json"}
        answers.append(server.client.post("/api/runs", content=body, headers=headers))

    senders = [threading.Thread(target=post) for _ in range(8)]
    for sender in senders:
        sender.start()
    waited = []
    while any(sender.is_alive() for sender in senders):
        began = time.monotonic()
        assert server.client.get("/api/health").status_code == 200
        waited.append(time.monotonic() - began)
    assert max(waited) < 5.0, "9 s for 8,000 unknown fields, when each was compared with each"
    for answer in answers:
        assert answer.status_code == 422
        assert len(answer.content) < 5000
        assert 1 <= len(answer.json()["detail"]) <= 101


def test_every_route_counts_what_it_does_not_know(server: LabServer) -> None:
    """Each unknown field as a problem of its own would cost seconds: see the test above."""
    flood = {f"field{i}": 1 for i in range(1000)}
    answers = [
        server.client.request(
            method, path.format(run_id="0" * 12, presentation_id="0" * 12), json=flood
        )
        for path, operations in server.client.get("/api/openapi.json").json()["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation and "run_id" not in path
    ]
    assert len(answers) >= 9
    for answer in answers:
        assert answer.status_code == 422, answer.url
        assert [d["msg"][:13] for d in answer.json()["detail"]] == ["1000 unknown "], answer.url


def test_long_lists_are_not_looked_at(server: LabServer) -> None:
    body = {"scores": [[1.0, 2.0]], "order": [{}] * 50_000}
    answer = server.client.post("/api/gradients", json=body)
    assert answer.status_code == 422
    assert [d["loc"] for d in answer.json()["detail"]] == [["body", "order"]]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_know_are_refused(server: LabServer, word: str) -> None:
    text = '{"task":{"name":"ranking"},"loss":{"name":"neuralsort"},"arms":[{}],"seconds":%s}'
    answer = server.client.post(
        "/api/runs", content=text % word, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "seconds"]


@pytest.mark.parametrize("text", ["", "{", "null", "[" * 100_000])
def test_broken_json_is_refused(server: LabServer, text: str) -> None:
    answer = server.client.post(
        "/api/runs", content=text, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


def test_body_that_is_too_large_is_refused(server: LabServer) -> None:
    big = {**tiny_spec(), "padding": "x" * 1_100_000}
    assert server.client.post("/api/runs", json=big).status_code == 413

    def drip() -> Any:  # no Content-Length: only counting tells
        for _ in range(20):
            yield b" " * 100_000

    answer = server.client.post(
        "/api/runs", content=drip(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    detail = "the body is too large: at most 1000000 bytes on this server"
    assert answer.json() == {"detail": detail}


def test_requests_by_pages_of_other_sites_are_refused(server: LabServer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert server.client.post("/api/runs", json=tiny_spec(), headers=headers).status_code == 403
    assert server.client.get("/api/health", headers=headers).status_code == 200


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Any:
    server = LabServer(
        tmp_path_factory.mktemp("strict") / "data",
        fork_workers=0, max_queue=2, max_steps=5000, max_arms=2, max_outputs=4,
        max_batch_entries=1000, disk_mb=30, runs_per_minute=30,
    )  # fmt: skip
    yield server.start()
    server.close()


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"steps": 5001}, ["steps"], "at most 5000"),
        ({"arms": [{}] * 3}, ["arms"], "at most 2 arms on this server"),
        ({"task": {"name": "ranking", "n": 5}}, ["task", "n"], "5 outputs a sample, at most 4"),
        ({"batch_size": 112}, ["batch_size"], "at most 111 on this server, with 3 outputs"),
    ],
)
def test_settings_limit_what_is_computed(
    strict: LabServer, changes: dict[str, Any], path: list[Any], said: str
) -> None:
    found = problems(strict, tiny_spec(**changes))
    assert found[0][0] == ["body", *path]
    assert said in found[0][1]
    limits = strict.client.get("/api/catalog").json()["limits"]
    assert (limits["max_steps"], limits["max_arms"], limits["max_outputs"]) == (5000, 2, 4)


def test_full_queue_is_said_with_when_to_come_back(strict: LabServer) -> None:
    spec = long_spec(300) | {"steps": 5000}
    ids = [strict.post({**spec, "seed": seed})["id"] for seed in (300, 301)]
    strict.wait_for(ids[0], lambda run: run["status"] == "running")
    ids.append(strict.post({**spec, "seed": 302})["id"])
    answer = strict.client.post("/api/runs", json={**spec, "seed": 303})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "2 runs wait" in answer.json()["detail"]
    assert strict.post({**spec, "seed": 302})["reused"], "a run that is there can always be had"
    for run_id in reversed(ids):
        strict.client.delete(f"/api/runs/{run_id}")


def test_old_runs_make_room_but_pinned_ones_stay(strict: LabServer) -> None:
    spec = tiny_spec(task={"name": "ranking", "n": 3, "test_sets": 20}, steps=10)
    ids = []
    for seed in range(310, 316):
        ids.append(strict.finish({**spec, "seed": seed}))
        if len(ids) == 1:
            strict.client.patch(f"/api/runs/{ids[0]}", json={"pinned": True})
    strict.wait_for(ids[0], lambda _: strict.client.get(f"/api/runs/{ids[1]}").status_code == 404)
    assert strict.client.get(f"/api/runs/{ids[0]}").status_code == 200
    folders = {path.name for path in (strict.data_dir / "snapshots").iterdir()}
    kept = {run["id"] for run in strict.client.get("/api/runs").json()["items"]}
    assert folders == kept
    assert ids[1] not in kept


def test_address_that_starts_too_many_runs_has_to_wait(
    new_server: Callable[..., LabServer],
) -> None:
    server = new_server(fork_workers=0, runs_per_minute=2).start()
    for seed in (1, 2):
        server.finish(tiny_spec(seed=seed, steps=2))
    assert server.post(tiny_spec(seed=1, steps=2))["reused"]
    answer = server.client.post("/api/runs", json=tiny_spec(seed=3, steps=2))
    assert answer.status_code == 429
    assert "too many runs" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/runs"), ("POST", "/api/nope"), ("PUT", "/api/runs"), ("POST", "/"),
     ("PATCH", "/api/runs/x"), ("POST", "/api/surfaces"), ("GET", "/api/runs")],
)  # fmt: skip
def test_every_refusal_of_a_large_body_is_json(server: LabServer, method: str, path: str) -> None:
    answer = server.client.request(method, path, content=b"x" * 1_100_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["detail"], str)


def test_what_is_no_http_is_refused_in_json(server: LabServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60.0) as raw:
        raw.sendall(b"no such thing\r\n\r\n")
        head, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    assert json.loads(body) == {"detail": "Invalid HTTP request received."}


def own_data(path: str) -> dict[str, Any]:
    return tiny_spec(task={"name": "ranking", "data": {"name": "folder", "path": path}, "n": 3})


@pytest.mark.parametrize("path", ["x" * 999, "loop", "loop/x", "a\0b", "/".join(["x"] * 3000)])
def test_folder_that_cannot_be_is_refused(server: LabServer, path: str) -> None:
    own = server.data_dir / "own"
    own.mkdir(exist_ok=True)
    if not (own / "loop").is_symlink():
        (own / "loop").symlink_to("loop")
    answer = server.client.post("/api/runs", json=own_data(path))
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][:4] == ["body", "task", "data", "path"]


def test_loop_of_links_inside_a_folder_is_no_error_of_the_server(server: LabServer) -> None:
    folder = server.data_dir / "own" / "looping"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "loop").is_symlink():
        (folder / "loop").symlink_to("loop")
        (folder / "up").symlink_to("..")
    answer = server.client.post("/api/runs", json=own_data("looping"))
    assert answer.status_code == 422
    said = answer.json()["detail"][0]["msg"]
    assert str(server.data_dir) not in said, "strangers learn no path of the server"
    assert said.startswith("the data folder/own/looping: "), "but which folder it was"


def test_text_that_postgresql_cannot_store_is_refused(server: LabServer) -> None:
    found = problems(server, tiny_spec(arms=[{"label": "ok"}, {"label": "a\0b"}]))
    assert found == [(["body", "arms", 1, "label"], "the character NUL cannot be stored")]


def test_answers_to_monitors_have_no_body(server: LabServer) -> None:
    answer = server.client.head("/api/health")
    assert (answer.status_code, answer.content) == (200, b"")
