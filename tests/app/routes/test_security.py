"""What a stranger may try through the HTTP interface alone."""

import contextlib
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.app.harness import LabServer, tiny_spec

SECRETS = ("root:x:0:0", "SQLite format 3", "[project]")
CLIMBS = ("../../../../../../etc/passwd", "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
          "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd", "..%5c..%5cetc%5cpasswd",
          "%2fetc%2fpasswd", "../newton-lab.sqlite3", "..%2f..%2fpyproject.toml")  # fmt: skip
PLACES = (
    "/",
    "/assets/",
    "/api/runs/",
    "/api/runs/x/",
    "/api/results/",
    "/api/sweeps/",
    "/report/",
)


def raw(server: LabServer, request: bytes) -> bytes:
    """The answer to bytes that no client would send."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30.0) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError):  # a server that has seen enough hangs up
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
    return answer


@pytest.mark.parametrize("place", PLACES)
def test_no_path_climbs_out_of_its_folder(server: LabServer, place: str) -> None:
    for climb in CLIMBS:
        request = f"GET {place}{climb} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = raw(server, request.encode()).decode(errors="replace")
        status = int(answer.split()[1])
        assert status in (200, 404), (climb, answer[:200])
        assert status == 404 or "<title>Newton Lab" in answer, climb  # an address of the page
        assert not any(secret in answer for secret in SECRETS), climb


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/api/health", "/api/catalog", "/api/runs/000000000000", "/nope.js"]
)
def test_every_answer_has_the_headers_that_browsers_obey(server: LabServer, path: str) -> None:
    headers = server.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"


def test_floods_of_headers_are_refused(server: LabServer) -> None:
    many = "".join(f"X-Filler-{i}: {'a' * 100}\r\n" for i in range(2000))
    answer = raw(server, f"GET /api/health HTTP/1.1\r\nHost: localhost\r\n{many}\r\n".encode())
    assert answer == b"" or int(answer.split()[1]) in (400, 431)
    assert server.client.get("/api/health").status_code == 200


@pytest.mark.parametrize(
    "expression",
    ["9**9**9**9**9*x", "(" * 150 + "x" + ")" * 150, "x**999999999", "exp(exp(exp(exp(x))))",
     "__import__('os').system('id')", "x.__class__", "lambda: x", "[x for x in y]", "x" * 100_000],
)  # fmt: skip
def test_a_formula_costs_no_time_and_runs_no_code(server: LabServer, expression: str) -> None:
    began = time.monotonic()
    body = {"surface": {"name": "formula", "expression": expression}}
    answer = server.client.post("/api/surfaces", json=body)
    assert answer.status_code in (200, 422), answer.text[:300]
    assert time.monotonic() - began < 20.0
    assert "uid=" not in answer.text


def test_a_label_reaches_exports_as_text(server: LabServer) -> None:
    label = '=HYPERLINK("http://evil")<script>'
    run = server.finish(tiny_spec(seed=901, steps=2, arms=[{"label": label}]))
    table = server.client.get(f"/api/runs/{run}/export?format=csv")
    assert "'=HYPERLINK" in table.text
    assert ",=HYPERLINK" not in table.text
    assert table.headers["content-disposition"].startswith("attachment")
    log = server.client.get(f"/api/runs/{run}/export?format=json")
    assert log.headers["content-type"].startswith("application/json")
    assert log.headers["x-content-type-options"] == "nosniff"


def test_errors_tell_a_stranger_no_path(server: LabServer) -> None:
    folder = str(Path(server.data_dir))
    for answer in (
        server.client.get("/api/runs/zzz"),
        server.client.post("/api/runs", content=b"{"),
        server.client.post("/api/runs", json={"preset": "../../x"}),
        server.client.get("/api/results/nope"),
        httpx.get(f"{server.url}/api/runs", params={"limit": "1e9"}),
    ):
        assert answer.status_code in (404, 422, 400), answer.text
        assert folder not in answer.text
        assert "Traceback" not in answer.text
