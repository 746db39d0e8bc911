"""A lab with codes: who may enter, whose runs are whose, and what the admin may do."""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from app.settings import SettingsError, load_settings
from app.visitors import COOKIE_SECONDS, WRONG_CODES_PER_MINUTE
from tests.app.harness import LabServer, long_spec, tiny_spec

CODE, ADMIN = "sesame 42", "the teacher's own"
HTML = {"Accept": "text/html"}
GUARDED = (
    "/api/runs", "/api/catalog", "/api/figures", "/api/runs/000000000000/events", "/openapi.json",
    "/api/lessons", "/api/visitor", "/api/queue", "/assets/x.js", "/metrics",
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    lab = LabServer(
        tmp_path_factory.mktemp("shared") / "data",
        access_code=CODE, admin_code=ADMIN, own_runs_only=1, runs_per_visitor=2,
        workers=1, fork_workers=0, prometheus=1,
    )  # fmt: skip
    lab.start().client.headers.update(bearer(ADMIN))
    yield lab
    lab.close()


def browser(server: LabServer) -> httpx.Client:
    """A browser that knows nothing yet; a redirect is followed as browsers do."""
    return httpx.Client(base_url=server.url, headers=HTML, timeout=30.0, follow_redirects=True)


@contextlib.contextmanager
def enter(server: LabServer, code: str = CODE) -> Iterator[httpx.Client]:
    """A browser whose visitor has given a code."""
    with browser(server) as client:
        client.post("/enter", data={"code": code, "next": "/runs"})
        assert "newton_lab_visitor" in client.cookies
        yield client


def bearer(code: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {code}"}


@pytest.mark.parametrize("path", GUARDED)
def test_without_the_code_nothing_is_shown(shared: LabServer, path: str) -> None:
    answer = httpx.get(f"{shared.url}{path}")
    assert answer.status_code == 401
    assert "access code" in answer.json()["detail"]
    assert answer.headers["content-security-policy"]


def test_without_the_code_nothing_is_changed(shared: LabServer) -> None:
    for method, path in (("POST", "/api/runs"), ("DELETE", "/api/runs/000000000000")):
        assert httpx.request(method, f"{shared.url}{path}").status_code == 401
    assert httpx.get(f"{shared.url}/api/health").status_code == 200


def test_a_page_asks_for_the_code_and_leads_on(shared: LabServer) -> None:
    with browser(shared) as client:
        asked = client.get("/runs/3f2a?step=5")
        assert asked.status_code == 401
        assert 'value="/runs/3f2a?step=5"' in asked.text
        assert "<script" not in asked.text
        answer = client.post(
            "/enter", data={"code": f" {CODE} ", "next": "/runs/3f2a?step=5"},
            follow_redirects=False,
        )  # fmt: skip
        assert answer.status_code == 303
        assert answer.headers["location"] == "/runs/3f2a?step=5"
        cookie = answer.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=lax", f"Max-Age={COOKIE_SECONDS}", "Path=/"):
            assert part in cookie
        assert CODE not in cookie
        assert client.get("/api/runs").status_code == 200
        assert client.delete("/api/visitor").status_code == 204
        assert client.get("/api/runs").status_code == 401


@pytest.mark.parametrize("onward", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_a_code_leads_nowhere_else(shared: LabServer, onward: str) -> None:
    with browser(shared) as client:
        form = {"code": CODE, "next": onward}
        answer = client.post("/enter", data=form, follow_redirects=False)
        assert answer.headers["location"] == "/"


def test_what_is_asked_for_reaches_the_page_as_text(shared: LabServer) -> None:
    answer = httpx.get(f'{shared.url}/runs?x="><script>alert(1)</script>', headers=HTML)
    assert answer.status_code == 401
    assert "<script" not in answer.text


def test_scripts_send_the_code_in_a_header(shared: LabServer) -> None:
    assert httpx.get(f"{shared.url}/api/runs", headers=bearer(CODE)).status_code == 200
    wrong = httpx.get(f"{shared.url}/api/runs", headers=bearer("sesame 43"))
    assert wrong.status_code == 401
    assert wrong.json()["detail"] == "this is not the code"


def test_codes_cannot_be_tried_out(shared: LabServer) -> None:
    with browser(shared) as client:
        client.headers["X-Forwarded-For"] = "192.0.2.7"  # the address that a proxy here names
        statuses = [
            client.post("/enter", data={"code": f"wrong {k}"}).status_code
            for k in range(WRONG_CODES_PER_MINUTE + 1)
        ]
        assert statuses == [403] * WRONG_CODES_PER_MINUTE + [429]
        for right in (CODE, ADMIN):
            refused = client.post("/enter", data={"code": right})
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) > 0
            assert client.get("/api/runs", headers=bearer(right)).status_code == 429
    with enter(shared) as other:
        assert other.get("/api/runs").status_code == 200, "other addresses are let in"


def test_runs_are_their_visitors_own(shared: LabServer) -> None:
    with enter(shared) as ada, enter(shared) as ben, enter(shared, ADMIN) as teacher:
        run = ada.post("/api/runs", json=tiny_spec(seed=1)).json()["id"]
        again = ben.post("/api/runs", json=tiny_spec(seed=1)).json()
        assert (again["id"], again["reused"], again["changeable"]) == (run, True, False)
        path = f"/api/runs/{run}"
        assert ada.get(path).json()["changeable"]
        assert not ben.get(path).json()["changeable"]
        assert ben.patch(path, json={"pinned": True}).status_code == 403
        assert ben.post(f"{path}/stop", params={"ended_ok": True}).status_code == 403
        refused = ben.delete(path)
        assert refused.status_code == 403
        assert "started by another visitor" in refused.json()["detail"]
        assert ada.patch(path, json={"title": "mine"}).json()["title"] == "mine"
        assert teacher.patch(path, json={"pinned": True}).json()["pinned"]
        assert teacher.delete(path).status_code == 204


def test_one_visitor_has_a_few_runs_at_a_time(shared: LabServer) -> None:
    with enter(shared) as ada, enter(shared) as ben, enter(shared, ADMIN) as teacher:
        specs = [long_spec(seed, steps=100_000) for seed in (40, 41, 42)]
        answers = [ada.post("/api/runs", json=spec) for spec in specs]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert "2 of your runs" in answers[2].json()["detail"]
        assert int(answers[2].headers["retry-after"]) > 0
        assert ada.post("/api/runs", json=specs[0]).status_code == 200, "it is there already"
        assert ben.post("/api/runs", json=specs[2]).status_code == 201
        assert ben.get("/api/queue").status_code == 403
        assert ben.post("/api/queue/clear").status_code == 403
        first, second = (answer.json()["id"] for answer in answers[:2])
        shared.wait_for(first, lambda run: run["status"] == "running")
        queue = teacher.get("/api/queue").json()
        assert [run["id"] for run in queue["running"]] == [first]
        assert queue["waiting"][0]["id"] == second
        third = queue["waiting"][1]["id"]
        marks = [run["visitor"] for run in (*queue["running"], *queue["waiting"])]
        assert marks[0] == marks[1] != marks[2]
        assert teacher.post("/api/queue/clear").json() == {"stopped": 2}
        assert [shared.run(run)["status"] for run in (second, third)] == ["cancelled"] * 2
        assert teacher.post("/api/queue/clear", params={"running": True}).json() == {"stopped": 1}
        assert shared.events(first)[-1]["type"] == "cancelled"


def test_a_visitor_is_a_random_cookie_or_an_address(shared: LabServer) -> None:
    with enter(shared) as ada:
        cookies = {cookie.name: cookie.value or "" for cookie in ada.cookies.jar}
        assert set(cookies) == {"newton_lab_access", "newton_lab_visitor"}
    script = httpx.Client(base_url=shared.url, headers=bearer(CODE), timeout=30.0)
    with script:
        run = script.post("/api/runs", json=tiny_spec(seed=2)).json()["id"]
        assert not script.cookies, "a program that keeps no cookies is known by its address"
        assert script.get(f"/api/runs/{run}").json()["changeable"]
    shared.events(run)
    stored = (shared.data_dir / "newton-lab.sqlite3").read_bytes()
    stored += (shared.data_dir / "newton-lab.sqlite3-wal").read_bytes()
    for secret in (cookies["newton_lab_visitor"], CODE, ADMIN):
        assert secret.encode() not in stored


def test_an_open_lab_sets_no_cookie_and_owns_nothing(server: LabServer) -> None:
    with browser(server) as client:
        client.get("/")
        assert not client.cookies
        assert client.get("/api/visitor").json() == {
            "is_admin": False, "takes_codes": False, "told_apart": False, "own_runs_only": False,
        }  # fmt: skip
        assert client.get("/api/queue").status_code == 403
        assert client.post("/enter", data={"code": ADMIN}).status_code == 404
    run = server.finish(tiny_spec(seed=77))
    assert server.run(run)["changeable"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"access_code": "12345"}, "6 characters at least"),
        ({"access_code": "change-me-please"}, "choose a code of your own"),
        ({"access_code": CODE, "admin_code": f" {CODE}"}, "needs another one"),
    ],
)
def test_codes_that_keep_nobody_out_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings(**given)
    assert not any(code in str(refused.value) for code in given.values())
