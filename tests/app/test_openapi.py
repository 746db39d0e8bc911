"""Whatever OpenAPI allows (and much that it does not) is answered, never with a 5xx."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.openapi import openapi_document
from tests.app.harness import LabServer

DOCS = Path(__file__).parents[2] / "docs" / "http.md"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server of its own, for runs that nobody waits for."""
    server = LabServer(
        tmp_path_factory.mktemp("fuzzed") / "data",
        fork_workers=0, max_steps=3, max_outputs=8, max_batch_entries=10_000, run_seconds=5,
    )  # fmt: skip
    yield server.start()
    server.close()


def test_every_request_is_answered(fuzzed: LabServer, subtests: pytest.Subtests) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with subtests.test(f"{operation.label}, {mode.value}"):
                _try(operation, mode)


def _try(operation: Any, mode: GenerationMode) -> None:
    @hypothesis.settings(
        max_examples=8,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: schemathesis.Case[Any]) -> None:
        response = case.call(timeout=30)
        case.validate_response(response, checks=CHECKS)

    # An operation without body and parameters cannot be asked wrongly.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        answers()


def test_document_has_the_events_for_the_pages_types() -> None:
    schemas = openapi_document()["components"]["schemas"]
    kinds = schemas["Event"]["discriminator"]["mapping"]
    assert {"started", "metrics", "curvature", "finished", "failed"} <= set(kinds)
    for name in ("ExperimentSpec", "Submitted", "RunInfo", "RunDetail", "RunPage", "Catalog"):
        assert name in schemas
    for name in (
        "RankingExample",
        "ShortestPathExample",
        "LandscapeStreamEvent",
        "LandscapePatch",
        "WalkRecord",
    ):
        assert name in schemas
    assert set(schemas["LandscapeStreamEvent"]["discriminator"]["mapping"]) == {
        "start", "patch", "slice", "line", "step", "turn", "problem", "done",
    }  # fmt: skip
    named = {"$ref": "#/components/schemas/Named"}
    assert named.items() <= schemas["ExperimentSpec"]["properties"]["loss"].items()
    spec = schemas["RunDetail"]["properties"]["spec"]
    assert spec["$ref"] == "#/components/schemas/ExperimentSpec"
    assert not [name for name in schemas if "-Input" in name or "-Output" in name]


def test_every_address_is_documented() -> None:
    text = DOCS.read_text("utf-8")
    for path, methods in openapi_document()["paths"].items():
        for method in methods:
            assert f"| {method.upper()} `{path}` |" in text, f"{method} {path} is not in {DOCS}"
