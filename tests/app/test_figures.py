"""The chart templates: complete figures without data, in colours that can be told apart."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from app.figures import palettes, templates
from app.figures.palette import ARM_STYLES
from newton_core.experiment.events import CurvatureEvent, SpectrumRecord
from newton_core.metrics import METRIC_NAMES
from newton_core.tasks import TASKS

FRONTEND = Path(__file__).parents[2] / "frontend"
COLOR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\(")
KINDS = {name: figure["layout"]["meta"]["kind"] for name, figure in templates().items()}
CHARTS = [name for name, kind in KINDS.items() if kind in {"curves", "fan", "heat"}]
CURVES = [name for name, kind in KINDS.items() if kind == "curves"]


def meta(name: str) -> dict[str, Any]:
    found: dict[str, Any] = templates()[name]["layout"]["meta"]
    return found


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_the_main_chart_comes_first_and_alone_is_large() -> None:
    assert CHARTS[0] == "accuracy"
    assert [name for name in CHARTS if meta(name)["span"] == "hero"] == ["accuracy"]
    assert {"loss", "gradients", "curvature", "cosine"} <= set(CHARTS)


@pytest.mark.parametrize("name", KINDS)
def test_a_template_is_a_figure_of_plotly(name: str) -> None:
    template = templates()[name]
    figure = go.Figure(template)  # refuses what plotly.js does not know
    assert set(template) == {"data", "layout"}
    assert figure.layout.title.text == meta(name)["choices"][0]["title"]
    if name in CHARTS:
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text
    assert json.loads(json.dumps(template)) == template


@pytest.mark.parametrize("name", KINDS)
def test_a_template_has_no_data_and_no_colours_of_its_own(name: str) -> None:
    template = templates()[name]
    for trace in template["data"]:
        assert trace["x"] == []
        assert trace["y"] == []
    del template["layout"]["meta"]["palettes"]
    assert not COLOR.search(json.dumps(template))


@pytest.mark.parametrize("name", CHARTS)
def test_every_trace_says_whose_and_what_for(name: str) -> None:
    first = meta(name)["choices"][0]["metric"]
    tags = [trace["meta"] for trace in templates()[name]["data"]]
    assert {tag["arm"] for tag in tags} == {"*"}
    assert {tag["metric"] for tag in tags} == {first}
    roles = [tag["role"] for tag in tags]
    assert len(roles) == len(set(roles))


@pytest.mark.parametrize("name", CURVES)
def test_curves_have_a_ghost_beneath_a_line_and_a_label(name: str) -> None:
    roles = [trace["meta"]["role"] for trace in templates()[name]["data"]]
    assert roles[0] == "ghost"
    assert roles[-2:] == ["smooth", "label"]
    assert "band" in roles  # over seeds every curve has one
    assert ("raw" in roles) == (meta(name)["source"] == "metrics")
    assert not any(trace.get("connectgaps") for trace in templates()[name]["data"])


@pytest.mark.parametrize("name", CHARTS)
def test_every_choice_is_explained(name: str) -> None:
    choices = meta(name)["choices"]
    assert len({(choice["metric"], choice["task"]) for choice in choices}) == len(choices)
    words = [choice["metric"] for choice in choices if choice["task"] is None]
    assert len(set(words)) == len(words)
    assert {choice["metric"] for choice in choices} == set(words)
    for choice in choices:
        assert choice["title"][0].isupper() or choice["title"] in {"x", "y"}
        assert choice["unit"]
        assert choice["description"].endswith(".")
        assert re.fullmatch(r"%\{[yz]:\.\d[fr]\}( %)?", choice["hover"])
        assert (choice["factor"] == 100) == choice["hover"].endswith(" %")


@pytest.mark.parametrize("name", CHARTS)
def test_the_page_says_the_scale_as_it_is_and_units_do_not(name: str) -> None:
    for choice in meta(name)["choices"]:
        assert choice["signed"] == (KINDS[name] == "fan")
        # The heat map's scale cannot be changed.
        assert ("log" in choice["unit"]) == (KINDS[name] == "heat")


CHOICES = [choice for name in CHARTS for choice in meta(name)["choices"]]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice["metric"])
def test_metrics_are_those_of_the_events(choice: dict[str, Any]) -> None:
    metric, source = choice["metric"], choice["source"]
    if source == "metrics":
        assert metric in METRIC_NAMES
    elif source == "curvature" and "." in metric:
        record, field = metric.split(".")
        assert record in {"own", "hessian", "fisher"}
        assert field in set(SpectrumRecord.model_fields) | {"largest", "smallest"}
    elif source == "curvature":
        derived = {"vanishing", "exploding"}  # by the page, from the histogram of norms
        assert metric in set(CurvatureEvent.model_fields) | derived


@pytest.mark.parametrize("task", TASKS.names())
def test_the_primary_metric_of_every_task_is_explained(task: str) -> None:
    explained = {choice["metric"] for choice in meta("accuracy")["choices"]}
    assert TASKS.get(task).primary_metric in explained


def test_each_caller_may_change_its_copy() -> None:
    templates()["loss"]["layout"].clear()
    assert templates()["loss"]["layout"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_and_lines_can_be_seen(theme: str) -> None:
    palette = palettes()[theme]
    for name in ("ink", "soft", "faint", "warn", "accent"):
        assert contrast(palette[name], palette["panel"]) >= 4.5, name
    for arm in palette["arms"]:
        assert contrast(arm["ink"], palette["panel"]) >= 4.5
        assert contrast(arm["color"], palette["panel"]) >= 3


def test_arms_differ_in_colour_dash_and_marker() -> None:
    for theme in ("light", "dark"):
        colors = [arm["color"] for arm in palettes()[theme]["arms"]]
        for one, other in combinations(colors, 2):
            channels = [abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in (1, 3, 5)]
            assert sum(channels) > 60, (one, other)
    assert len(ARM_STYLES) == len(palettes()["light"]["arms"]) == 6
    assert len({style.dash for style in ARM_STYLES}) == len(ARM_STYLES)
    assert len({style.symbol for style in ARM_STYLES}) == len(ARM_STYLES)
    assert len({style.name for style in ARM_STYLES}) == len(ARM_STYLES)


def test_vanilla_is_grey() -> None:
    for theme in ("light", "dark"):
        color = palettes()[theme]["arms"][0]["color"]
        channels = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert max(channels) - min(channels) < 24


@pytest.fixture(scope="module")
def tokens() -> dict[str, tuple[str, str]]:
    """Custom properties of the page's style sheet: light and dark."""
    text = (FRONTEND / "src/styles/tokens.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", text)
    return {name: (light, dark) for name, light, dark in found}


def test_the_page_has_the_same_colours(tokens: dict[str, tuple[str, str]]) -> None:
    light, dark = palettes()["light"], palettes()["dark"]
    for name in set(light) - {"arms"}:
        assert tokens[name] == (light[name], dark[name]), name
    for slot, (day, night) in enumerate(zip(light["arms"], dark["arms"], strict=True)):
        assert tokens[f"arm-{slot}"] == (day["color"], night["color"])
        assert tokens[f"arm-{slot}-ink"] == (day["ink"], night["ink"])


@pytest.mark.parametrize("name", ["landscape", "step"])
def test_planes_have_one_scale_on_both_axes(name: str) -> None:
    assert templates()[name]["layout"]["yaxis"]["scaleanchor"] == "x"
