"""What the page shows runs with: all of it comes from the server."""

from typing import Any

import pytest

from app.figures.palette import ARM_STYLES, DARK
from newton_core.metrics import EXPLODING, METRIC_NAMES, SPIKE_FACTOR, VANISHING
from tests.app.harness import LabServer


@pytest.fixture
def catalog(server: LabServer) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get("/api/catalog").json()
    return found


def test_metrics_describe_themselves(catalog: dict[str, Any]) -> None:
    for task in catalog["tasks"]:
        metrics = catalog["metrics"]["tasks"][task["name"]]
        primary = [metric["name"] for metric in metrics if metric["primary"]]
        assert primary == [task["primary_metric"]]
    assert [metric["name"] for metric in catalog["metrics"]["steps"]] == list(METRIC_NAMES)


def test_every_name_has_a_label(catalog: dict[str, Any]) -> None:
    labels = catalog["labels"]
    for kind, entries in (("task", catalog["tasks"]), ("loss", catalog["losses"])):
        assert set(labels[kind]) == {entry["name"] for entry in entries}
    for kind in ("data", "model", "optimizer", "curvature", "plane", "metric", "arm"):
        assert all(labels[kind].values())


def test_thresholds_limits_and_colours(server: LabServer, catalog: dict[str, Any]) -> None:
    assert catalog["thresholds"] == {
        "vanishing": VANISHING, "exploding": EXPLODING, "spike_factor": SPIKE_FACTOR,
    }  # fmt: skip
    styles = catalog["arm_styles"]
    assert [style["dash"] for style in styles] == [style.dash for style in ARM_STYLES]
    assert styles[1]["dark"] == {"color": DARK.arms[1].color, "ink": DARK.arms[1].ink}
    assert catalog["limits"]["max_walkers"] == 8
    assert catalog["limits"]["keepalive_seconds"] == 0.5  # as the server was told


def test_simulators_say_how_their_condition_grows(catalog: dict[str, Any]) -> None:
    by_steps = dict(catalog["conditions"]["trajectory"])
    assert by_steps[64] == pytest.approx(2.307e7, rel=1e-3)
    assert dict(catalog["conditions"]["heat"])[8] == pytest.approx(5e6, rel=0.1)
    assert "squared_error" not in catalog["conditions"]


def test_some_values_are_known_up_to_a_constant(catalog: dict[str, Any]) -> None:
    assert catalog["up_to_constant"] == ["perturbed_fy", "soft_dtw"]
    assert catalog["host"] is None, "a lab for this machine alone has no address for others"


def test_the_schema_says_when_a_setting_has_an_effect(catalog: dict[str, Any]) -> None:
    arm = catalog["schema"]["$defs"]["ArmSpec"]["properties"]
    assert arm["clip_norm"]["used_if"] == {"curvature": ["none"], "gradient": ["clip"]}
    assert "used_if" not in arm["lr"]
