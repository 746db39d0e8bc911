"""Bodies that cannot be read or do not fit say why, and where."""

import json
from typing import Any

import pytest

from tests.app.harness import LabServer, tiny_spec


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            b'{"task": }',
            "application/json",
            "the body is not JSON: Expecting value, at character 9",
        ),
        (b"[" * 100_000, "application/json", "its JSON is nested too deeply"),
        (b'{"task": "\xff"}', "application/json", "it is not encoded as UTF-8"),
        (b'{"steps": ' + b"9" * 5000 + b"}", "application/json", "Exceeds the limit (4300 digits)"),
        (b"{}", "text/plain", "must be JSON, sent with the header Content-Type: application/json"),
        (b"{}", "application/x-www-form-urlencoded", "the body must be JSON, sent with the header"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(
    server: LabServer, body: bytes, kind: str, words: str
) -> None:
    for path in ("/api/runs", "/api/sweeps"):
        answer = server.client.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 422)
        assert words in json.dumps(answer.json()["detail"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/runs", {"preset": "x", "foo": 3}, ["foo"]),
        ("/api/runs", {"preset": ["x"]}, ["preset"]),
        ("/api/sweeps", {"spec": tiny_spec(steps=0), "grid": []}, ["spec", "steps"]),
        ("/api/sweeps", {"preset": 3, "grid": [{"path": "steps", "values": [1]}]}, ["preset"]),
        ("/api/landscapes", {"space": "line", "run": "x", "start": "a"}, ["start"]),
        ("/api/landscapes", {"space": "step", "run": "x", "step": 5, "tikhonov": 0}, ["tikhonov"]),
        ("/api/landscapes", {"space": "turn", "run": "x", "step": "a"}, ["step"]),
        ("/api/landscapes", {"space": "parameters", "run": "x", "step": "a"}, ["step"]),
    ],
)
def test_paths_of_errors_are_those_of_the_body(
    server: LabServer, path: str, body: dict[str, Any], field: list[str]
) -> None:
    details = server.client.post(path, json=body).json()["detail"]
    assert ["body", *field] in [detail["loc"] for detail in details]
