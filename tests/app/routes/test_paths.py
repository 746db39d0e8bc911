"""The paths that noise on a map's costs leads to, over HTTP."""

from itertools import pairwise
from typing import Any

import pytest

from tests.app.harness import LabServer

COSTS = [[1.0, 9.0, 9.0], [9.0, 1.0, 9.0], [9.0, 9.0, 1.0]]
DIAGONAL = [[0, 0], [1, 1], [2, 2]]


def ask(server: LabServer, **changes: Any) -> Any:
    return server.client.post("/api/perturbed-paths", json={"costs": COSTS, **changes})


def test_little_noise_leaves_the_cheapest_path(server: LabServer) -> None:
    assert ask(server, sigma=1e-3, samples=3).json() == {"paths": [DIAGONAL] * 3}


def test_much_noise_spreads_the_paths_and_a_seed_repeats_them(server: LabServer) -> None:
    first = ask(server, sigma=10, samples=20).json()["paths"]
    assert len(first) == 20
    assert len({str(path) for path in first}) == 3
    for path in first:
        assert path[0] == [0, 0]
        assert path[-1] == [2, 2]
        steps = pairwise(path)
        assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1 for a, b in steps)
    assert ask(server, sigma=10, samples=20).json()["paths"] == first
    assert ask(server, sigma=10, samples=20, seed=1).json()["paths"] != first


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"costs": [[1, 2], [3]]}, ["costs", 1], "1 tiles, but the first row has 2"),
        ({"costs": [[1, -2]]}, ["costs"], "must be positive and finite"),
        ({"costs": [[1, None]]}, ["costs", 0, 1], "valid number"),
        ({"costs": [[1.0] * 65]}, ["costs", 0], "at most 64 items"),
        ({"sigma": 0}, ["sigma"], "greater than 0"),
        ({"samples": 101}, ["samples"], "less than or equal to 100"),
    ],
)
def test_bad_requests_are_refused_by_field(
    server: LabServer, changes: dict[str, Any], path: list[Any], said: str
) -> None:
    answer = ask(server, **changes)
    assert answer.status_code == 422, answer.text
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["body", *path]
    assert said in detail["msg"]
