"""Landscapes over HTTP: weights and outputs of a run, surfaces, three numbers, gradient fields."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import TypeAdapter

from app.landscapes.answers import LandscapeStreamEvent
from app.landscapes.requests import ParameterLandscapeRequest
from app.landscapes.service import LandscapeFailure, LandscapeService
from app.settings import load_settings
from tests.app.harness import LabServer, long_spec, read_messages, tiny_spec

STREAM_EVENTS: TypeAdapter[LandscapeStreamEvent] = TypeAdapter(LandscapeStreamEvent)


@pytest.fixture(scope="module")
def run_id(server: LabServer) -> str:
    return server.finish(tiny_spec(seed=44))


def ask(server: LabServer, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of an answer."""
    with server.client.stream("POST", "/api/landscapes", json=body, timeout=120.0) as answer:
        assert answer.status_code == 200, answer.read()
        for message in read_messages(answer.iter_lines()):
            part = {"event": message["event"], "data": json.loads(message["data"])}
            typed = STREAM_EVENTS.validate_python(part)
            assert STREAM_EVENTS.dump_python(typed, mode="json", exclude_unset=True) == part
            yield part["event"], part["data"]


def refused(server: LabServer, path: str, body: Any) -> tuple[list[Any], str]:
    answer = server.client.post(path, json=body)
    assert answer.status_code == 422, answer.text
    (detail,) = answer.json()["detail"]
    return detail["loc"], detail["msg"]


def test_weights_come_coarse_to_fine_on_one_plane(server: LabServer, run_id: str) -> None:
    events = list(ask(server, {"run": run_id, "step": 23, "points": 21, "samples": 10}))
    kind, start = events[0]
    assert kind == "start"
    assert start["step"] in start["steps"]
    nearest = min(start["steps"], key=lambda step: (abs(step - 23), step))
    assert start["step"] == nearest
    assert [picture["arms"] for picture in start["pictures"]] == [[0], [1]]
    assert all(0 <= path["residual"] <= 1 for p in start["pictures"] for path in p["paths"])
    patches = [data for kind, data in events if kind == "patch"]
    sizes = [len(patch["grid"]["a"]) for patch in patches]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1
    assert sizes[-1] == 21
    finest = [patch for patch in patches if patch["level"] == patch["levels"] - 1]
    assert [patch["picture"] for patch in finest] == [0, 1]
    assert finest[0]["grid"] == finest[1]["grid"]
    assert finest[0]["values"] != finest[1]["values"]
    assert events[-1] == ("done", {})


@pytest.mark.parametrize("plane", ["principal", "arms"])
def test_shared_planes_have_one_picture_for_all_arms(
    server: LabServer, run_id: str, plane: str
) -> None:
    events = list(ask(server, {"run": run_id, "step": 40, "points": 21, "plane": plane}))
    (picture,) = events[0][1]["pictures"]
    assert picture["arms"] == [0, 1]
    assert picture["plane"] == plane
    assert events[-1][0] == "done"


def test_outputs_and_their_quadratic_touch_at_the_centre(server: LabServer, run_id: str) -> None:
    body = {
        "space": "outputs", "run": run_id, "step": 40, "arm": 1, "points": 21, "samples": 4,
        "surrogates": [{"curvature": "hessian"}, {"curvature": "fisher"}],
    }  # fmt: skip
    (kind, data), last = ask(server, body)
    assert (kind, last) == ("slice", ("done", {}))
    found = data["slice"]
    assert len(data["outputs"]) == 3
    for surrogate in found["surrogates"]:
        assert surrogate["values"][10][10] == pytest.approx(found["loss"][10][10])
        assert len(surrogate["eigenvalues"]) == 2
        assert surrogate["target"] is not None


def test_a_step_is_seen_beside_its_gradient(server: LabServer, run_id: str) -> None:
    body = {"space": "step", "run": run_id, "step": 40, "arm": 1, "points": 21}
    (kind, data), last = ask(server, body | {"earlier": 100.0})
    assert (kind, last) == ("step", ("done", {}))
    plane = data["plane"]
    assert plane["change"]["ratio"] > 0
    assert 0 <= plane["change"]["degrees"] <= 180
    assert plane["before"]["ratio"] > 1, "less damping, a longer step"
    true, alike = plane["views"]
    assert len(true["loss"]) == len(true["quadratic"]) == 21
    assert alike["unit"] == pytest.approx(alike["gradient"][0])
    (kind, data), = ask(server, body | {"arm": 9})  # fmt: skip
    assert (kind, "no arm 9" in data["message"]) == ("problem", True)


def test_the_line_between_two_arms_ends_at_both(server: LabServer, run_id: str) -> None:
    body = {"space": "line", "run": run_id, "step": 40, "start": 1, "end": 0, "points": 11}
    (kind, data), last = ask(server, body)
    assert (kind, last) == ("line", ("done", {}))
    line = data["line"]
    assert {0.0, 1.0} <= set(line["t"])
    assert len(line["values"]) == len(line["t"])
    (_, back), _ = ask(server, body | {"start": 0, "end": 1})
    at = dict(zip(line["t"], line["values"], strict=True))
    there = dict(zip(back["line"]["t"], back["line"]["values"], strict=True))
    assert (at[0.0], at[1.0]) == (there[1.0], there[0.0])
    (kind, data), = ask(server, body | {"end": 9})  # fmt: skip
    assert kind == "problem"
    assert "no arm 9" in data["message"]


def test_what_cannot_be_drawn_is_said_in_words(server: LabServer, run_id: str) -> None:
    (kind, data), = ask(server, {"run": run_id, "space": "outputs", "arm": 5})  # fmt: skip
    assert kind == "problem"
    assert "no arm 5" in data["message"]
    again = list(ask(server, {"run": run_id, "points": 21}))
    assert again[-1][0] == "done", "the process goes on"


def test_who_asks_after_one_who_left_is_answered(server: LabServer, run_id: str) -> None:
    """Whoever leaves must leave nothing of theirs in the pipe that the next one reads."""
    for samples in (50, 51, 52):
        for kind, _ in ask(server, {"run": run_id, "points": 101, "samples": samples}):
            if kind != "done":
                break
        events = list(ask(server, {"run": run_id, "points": 21, "samples": 5}))
        assert events[-1] == ("done", {}), events[-1]
        assert {kind for kind, _ in events} == {"start", "patch", "done"}


def test_leaving_cancels_and_a_running_run_does_not_matter(server: LabServer, run_id: str) -> None:
    running = server.post(long_spec(45))["id"]
    server.wait_for(running, lambda run: run["step"] > 200)
    heavy = {"run": run_id, "step": 40, "points": 101, "samples": 1000}
    for kind, _ in ask(server, heavy):
        if kind == "patch":
            break  # leaves the connection
    began = time.monotonic()
    events = list(ask(server, {"run": run_id, "points": 21, "samples": 5}))
    assert events[-1][0] == "done"
    assert time.monotonic() - began < 20
    assert list(ask(server, {"run": running, "points": 21, "samples": 5}))[-1][0] == "done"
    server.client.post(f"/api/runs/{running}/stop")


def test_a_run_whose_spec_names_what_is_gone_has_no_landscape(tmp_path: Path) -> None:
    service = LandscapeService(load_settings(data_dir=tmp_path))

    async def ask_for_one() -> None:
        spec = json.dumps(tiny_spec(loss={"name": "of_a_plugin"}))
        async for _ in service.answer(spec, tmp_path, ParameterLandscapeRequest(run="0")):
            pass

    with pytest.raises(LandscapeFailure, match=r"cannot be read: .*\n.*loss"):
        asyncio.run(ask_for_one())


def landscape_worker(server: LabServer) -> psutil.Process:
    (found,) = [p for p in server.workers() if p.cmdline()[-1] == "newton-lab landscape worker"]
    return found


def test_process_that_is_killed_while_idle_is_replaced(server: LabServer, run_id: str) -> None:
    body = {"run": run_id, "points": 21, "samples": 5}
    assert list(ask(server, body))[-1][0] == "done"
    killed = landscape_worker(server)
    killed.kill()
    kind, data = list(ask(server, body))[-1]
    if kind == "problem":  # it was dying still when it was asked
        assert "lost; ask again" in data["message"]
        kind, data = list(ask(server, body))[-1]
    assert kind == "done"
    assert landscape_worker(server) != killed


def test_process_that_does_not_stop_for_who_left_is_replaced(
    server: LabServer, run_id: str
) -> None:
    for kind, _ in ask(server, {"run": run_id, "points": 101, "samples": 1000}):
        if kind == "start":
            stopped = landscape_worker(server)
            os.kill(stopped.pid, signal.SIGSTOP)
            break  # leaves the connection
    assert list(ask(server, {"run": run_id, "points": 21, "samples": 5}))[-1][0] == "done"
    assert landscape_worker(server) != stopped


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        ({}, ["run"], "required"),
        ({"run": "nope"}, ["run"], "there is no run 'nope'"),
        ({"run": "0" * 12}, ["run"], "there is no run"),
        ({"run": "x", "points": 22}, ["points"], "22 is even"),
        ({"run": "x", "points": 1001}, ["points"], "less than or equal to 101"),
        ({"run": "x", "plane": "mars"}, ["plane"], "'filter_normalised'"),
        ({"run": "x", "span": 0}, ["span"], "greater than 0"),
        ({"run": "x", "space": "outputs", "samples": 0}, ["samples"], "greater than"),
        ({"run": "x", "space": "outputs", "spam": 0}, ["spam"], "not permitted"),
        ({"run": "x", "space": "mars"}, ["space"], "'parameters'"),
    ],
)
def test_bad_slices_are_refused_with_the_field(
    server: LabServer, body: Any, path: list[Any], said: str
) -> None:
    loc, message = refused(server, "/api/landscapes", body)
    assert loc == ["body", *path]
    assert said in message


NEWTON = [{"method": "gradient_descent", "lr": 0.001}, {"method": "newton"}]


def test_newton_arrives_on_rosenbrock_and_trust_is_actual_over_predicted(
    server: LabServer,
) -> None:
    body = {"walkers": NEWTON, "start": [-1.0, 1.0], "steps": 40, "points": 21}
    answer = server.client.post("/api/surfaces", json=body).json()
    descent, newton = answer["walks"]
    assert newton["path"][0] == [-1.0, 1.0]
    assert newton["path"][-1] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert descent["values"][-1] > 1e-3
    assert newton["trust"][0] == pytest.approx(newton["actual"][0] / newton["predicted"][0])
    assert len(answer["picture"]["values"]) == 21


def test_what_is_not_finite_travels_as_null(server: LabServer) -> None:
    body = {"loss": {"name": "formula", "expression": "log(x)"}, "start": [-1, 0], "points": 11}
    answer = server.client.post("/api/surfaces", json={**body, "walkers": NEWTON}).json()
    assert answer["walks"][0]["values"][0] is None
    assert answer["walks"][0]["problem"] is not None
    assert answer["picture"]["values"][0][0] is None


def test_vanilla_is_stuck_where_fisher_gets_through(server: LabServer) -> None:
    body = {
        "loss": {"name": "softsort", "temperature": 0.1, "numerics": "bce_loss"},
        "start": [-1.0, -1.2],
        "walkers": [{}, {"method": "newton", "curvature": "fisher"}],
    }
    answer = server.client.post("/api/three-numbers", json=body).json()
    assert [walk["outcome"] for walk in answer["walks"]] == ["stuck", "arrived"]
    assert len(answer["plane"]["wedges"]) == 6
    assert sum(wedge["correct"] for wedge in answer["plane"]["wedges"]) == 1


def test_rounding_explodes_in_float32_alone(server: LabServer) -> None:
    body = {
        "loss": {"name": "neuralsort", "temperature": 0.1},
        "scores": [[0, 1, 2, 3, 4]], "points": 401,
    }  # fmt: skip
    answer = server.client.post("/api/gradients", json=body).json()
    assert [curve["name"] for curve in answer["field"]["curves"]] == ["raw", "hessian", "fisher"]
    exploding = [
        any(region["kind"] == "exploding" for region in curve["regions"])
        for curve in answer["numerics"]["curves"]
    ]
    assert exploding == [True, False, False]


@pytest.mark.parametrize(
    ("path", "body", "field", "said"),
    [
        ("surfaces", {"loss": {"name": "nope"}}, ["loss", "name"], "use one of"),
        (
            "surfaces",
            {"loss": {"name": "formula", "expression": "__import__('os')"}},
            ["loss", "expression"],
            "at character 12",
        ),
        ("surfaces", {"steps": 9999}, ["steps"], "less than or equal to 500"),
        ("surfaces", {"walkers": [{}] * 9}, ["walkers"], "at most 8"),
        ("surfaces", {"x": [1, 0]}, ["x"], "the range is empty"),
        ("three-numbers", {"loss": {"name": "rosenbrock"}}, ["loss", "name"], "neuralsort"),
        ("three-numbers", {"points": 22}, ["points"], "22 is even"),
        ("gradients", {}, ["scores"], "required"),
        (
            "gradients",
            {"scores": [[1, 2], [1, 2, 3]]},
            ["scores"],
            "as many scores as the first, 2",
        ),
        ("gradients", {"scores": [[1, 2]], "item": 2}, ["item"], "there are 2 scores"),
        ("gradients", {"scores": [[1] * 65]}, ["scores", 0], "at most 64"),
    ],
)
def test_bad_questions_are_refused_with_the_field(
    server: LabServer, path: str, body: Any, field: list[Any], said: str
) -> None:
    loc, message = refused(server, f"/api/{path}", body)
    assert loc == ["body", *field]
    assert said in message


def test_the_turn_of_a_gradient_comes_over_eight_decades(server: LabServer, run_id: str) -> None:
    body = {"space": "turn", "run": run_id, "step": 40, "arm": 1, "samples": 10}
    (kind, data), last = ask(server, body)
    assert (kind, last) == ("turn", ("done", {}))
    assert [curve["curvature"] for curve in data["curves"]] == ["hessian", "fisher"]
    for curve in data["curves"]:
        shares = [tikhonov / curve["largest"] for tikhonov in curve["tikhonov"]]
        assert (shares[0], shares[-1]) == pytest.approx((1e-6, 1e2))
        assert len(curve["degrees"]) == len(shares)
        assert 0 < curve["degrees"][-1] < 5, "much damping leaves the gradient's direction"
    (kind, data), = ask(server, body | {"arm": 9})  # fmt: skip
    assert kind == "problem"
    assert "no arm 9" in data["message"]
