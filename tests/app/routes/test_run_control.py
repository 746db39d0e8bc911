"""What people do with runs: name, find, stop, discard them, and wait for them."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from app.presets import get_preset
from tests.app.harness import ENDED, LabServer, long_spec, tiny_spec


def test_a_preset_keeps_its_name_with_another_seed(server: LabServer) -> None:
    spec = get_preset("calm-classification").spec
    runs = []
    for changes in ({"seed": 77}, {"seed": 77, "steps": 11}):
        run_id = server.post({**spec, **changes})["id"]
        runs.append(server.run(run_id))
        server.client.delete(f"/api/runs/{run_id}")
    assert [run["preset"] for run in runs] == ["calm-classification", None]
    assert runs[0]["title"] == get_preset("calm-classification").title


def test_a_run_without_a_name_is_told_by_task_loss_and_arms(server: LabServer) -> None:
    driven = {"task": {"name": "trajectory"}, "loss": {"name": "trajectory"}}
    titles = []
    for changes in ({"seed": 78}, {"seed": 78, **driven}):
        run_id = server.post(tiny_spec(**changes))["id"]
        titles.append(server.run(run_id)["title"])
        server.client.delete(f"/api/runs/{run_id}")
    assert titles == ["ranking, neuralsort: Vanilla, Fisher", "trajectory: Vanilla, Fisher"]


def test_a_run_is_renamed_and_found_by_its_name(server: LabServer) -> None:
    run_id = server.finish(tiny_spec(seed=7001))
    other = server.finish(tiny_spec(seed=7002))
    answer = server.client.patch(f"/api/runs/{run_id}", json={"title": "  Tuesday\n 10 % group "})
    assert answer.json()["title"] == "Tuesday 10 % group"
    assert not server.run(run_id)["pinned"]
    for words, found in (("GROUP tues", [run_id]), ("10 %", [run_id]), ("1_ group", [])):
        page = server.client.get("/api/runs", params={"search": words}).json()
        assert [item["id"] for item in page["items"]] == found
        assert page["total"] == len(found)
    assert server.run(other)["title"] != "Tuesday 10 % group"
    for body in ({}, {"title": ""}, {"title": " \n"}, {"title": "a\0"}, {"title": "x" * 201}):
        assert server.client.patch(f"/api/runs/{run_id}", json=body).status_code == 422
    assert server.client.get("/api/runs?search=%00").status_code == 422


def test_a_waiting_run_names_what_it_waits_for(server: LabServer) -> None:
    going = [server.post(long_spec(seed=7100 + i, steps=100_000))["id"] for i in range(8)]
    waiting = server.wait_for(going[-1], lambda run: bool((run["waits_for"] or {}).get("id")))
    blocker = waiting["waits_for"]
    ahead = server.run(blocker["id"])
    assert ahead["status"] == "running"
    assert ahead["waits_for"] is None
    assert blocker["title"] == ahead["title"]
    known = server.wait_for(going[-1], lambda run: run["waits_for"]["seconds_left"] is not None)
    assert known["waits_for"]["seconds_left"] > 0
    for run_id in going:
        server.client.post(f"/api/runs/{run_id}/stop?discard=true")
    for run_id in going:
        server.wait_until_gone(run_id)


def test_a_discarded_run_is_gone_once_it_has_ended(server: LabServer) -> None:
    run_id = server.post(long_spec(seed=7200, steps=100_000))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 0)
    before = {worker.pid for worker in server.workers()}
    assert server.client.post(f"/api/runs/{run_id}/stop?discard=true").status_code == 202
    server.wait_until_gone(run_id)
    assert before <= {worker.pid for worker in server.workers()}, "its worker was not ended"
    ended = server.finish(tiny_spec(seed=7201))
    assert server.run(ended)["status"] in ENDED
    server.client.post(f"/api/runs/{ended}/stop?discard=true")
    server.wait_until_gone(ended)


@pytest.mark.parametrize("how", ["", "?discard=true"])
def test_a_run_that_is_about_to_end_answers_no_other_request(server: LabServer, how: str) -> None:
    spec = long_spec(seed=7300 + len(how), steps=100_000)
    run_id = server.post(spec)["id"]
    server.wait_for(run_id, lambda run: run["step"] > 0)
    workers = server.workers()
    with ThreadPoolExecutor() as threads:
        for worker in workers:
            worker.suspend()
        assert server.client.post(f"/api/runs/{run_id}/stop{how}").status_code == 202
        again = threads.submit(server.post, spec)
        wait([again], timeout=0.3)  # it is answered now, or once the run has ended
        for worker in workers:
            worker.resume()
    assert again.result()["id"] != run_id
    assert not again.result()["reused"]
    server.client.delete(f"/api/runs/{again.result()['id']}")
