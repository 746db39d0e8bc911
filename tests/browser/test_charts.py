"""The charts: read together, zoomed while data arrive, as tables, as pictures."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch

X_ENDS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) =>
    plot.data.filter((trace) => ['raw', 'smooth'].includes(trace.meta.role))
        .map((trace) => Math.max(...trace.x)))"""


def chart(lab: LabPage, title: str) -> Locator:
    return lab.page.get_by_role("region", name=title, exact=True)


def plot(card: Locator) -> Locator:
    """The drawn chart: one image to a screen reader, with its label."""
    return card.locator(".chart-plot")


@pytest.fixture
def charts(lab: LabPage, finished: str) -> LabPage:
    """A finished run of 200 steps, every chart drawn up to its end."""
    lab.page.set_viewport_size({"width": 1440, "height": 2200})
    lab.go_to_run(finished, "?step=200")
    for title in ("Exact match", "Loss", "Output gradient", "Curvature", "Hessian spectrum"):
        expect(plot(chart(lab, title))).to_have_attribute(
            "aria-label", re.compile("At step 200"), timeout=PATIENCE
        )
    return lab


def drag_across(lab: LabPage, card: Locator, start: float, end: float) -> None:
    """Drags a zoom box between two shares of a chart's width."""
    box = plot(card).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    lab.page.mouse.move(box["x"] + start * box["width"], middle)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + end * box["width"], middle, steps=6)
    lab.page.mouse.up()


def x_range(card: Locator) -> list[float]:
    found: list[float] = plot(card).evaluate("(element) => element.layout.xaxis.range")
    return found


def test_nothing_after_the_playback_step_is_drawn(charts: LabPage) -> None:
    assert max(charts.page.evaluate(X_ENDS)) == 200
    charts.scrub(60)
    charts.wait(lambda: max(charts.page.evaluate(X_ENDS)) == 60, "curves end at step 60")
    expect(plot(chart(charts, "Loss"))).to_have_attribute("aria-label", re.compile("At step 60"))


def test_a_chart_says_in_words_what_it_shows(charts: LabPage) -> None:
    label = plot(chart(charts, "Exact match")).get_attribute("aria-label") or ""
    for arm in ("Vanilla", "Hessian", "Fisher"):
        assert re.search(rf"{arm} \d+\.\d %", label), label


def test_pointing_at_one_chart_reads_all_of_them(charts: LabPage) -> None:
    box = plot(chart(charts, "Loss")).bounding_box()
    assert box is not None
    charts.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    note = chart(charts, "Loss").locator(".chart-note")
    expect(note).to_contain_text(re.compile(r"step \d+.*Vanilla.*Hessian.*Fisher"))
    for title in ("Exact match", "Output gradient", "Curvature"):
        expect(chart(charts, title).locator(".chart-note")).to_be_visible()
        expect(chart(charts, title).locator(".chart-hover-line")).to_be_visible()
    charts.page.mouse.move(5, 5)
    expect(note).to_be_hidden()


def test_a_zoom_is_for_all_charts_and_stays_while_the_run_plays(charts: LabPage) -> None:
    loss, gradient = chart(charts, "Loss"), chart(charts, "Output gradient")
    drag_across(charts, loss, 0.3, 0.5)
    charts.wait(lambda: x_range(gradient) == x_range(loss) != [0, 200], "both are zoomed")
    kept = x_range(loss)
    assert 0 < kept[0] < kept[1] < 200
    charts.scrub(150)
    expect(plot(loss)).to_have_attribute("aria-label", re.compile("At step 150"))
    assert x_range(loss) == kept
    chart(charts, "Loss").get_by_role("button", name="reset zoom").click()
    charts.wait(lambda: x_range(gradient)[0] == 0, "the zoom is gone everywhere")


def test_another_metric_and_another_scale(charts: LabPage) -> None:
    card = chart(charts, "Output gradient")
    scale = "(element) => element.layout.yaxis.type"
    assert plot(card).evaluate(scale) == "log"
    card.get_by_role("combobox", name="Metric of this chart").select_option("direction_norm")
    renamed = chart(charts, "Direction")
    expect(plot(renamed)).to_have_attribute("aria-label", re.compile("Direction, norm"))
    renamed.hover()
    renamed.get_by_role("button", name="log").click()
    charts.wait(lambda: plot(renamed).evaluate(scale) == "linear", "the axis is linear")


def test_seconds_on_x(charts: LabPage) -> None:
    charts.page.get_by_role("combobox", name="x", exact=True).select_option("seconds")
    charts.wait(lambda: x_range(chart(charts, "Loss"))[1] < 100, "x counts seconds")
    charts.wait(lambda: "x=seconds" in charts.page.url, "the address says so")


def test_the_table_behind_a_chart_follows_the_run(charts: LabPage) -> None:
    card = chart(charts, "Exact match")
    card.hover()
    card.get_by_role("button", name="Numbers as a table").click()
    table = card.get_by_role("table")
    expect(table.locator("caption")).to_contain_text("Exact match")
    expect(table.get_by_role("columnheader")).to_have_text(["step", "Vanilla", "Hessian", "Fisher"])
    expect(table.get_by_role("rowheader")).to_have_text(["0", "50", "100", "150", "200"])
    charts.scrub(100)
    expect(table.get_by_role("rowheader")).to_have_text(["0", "50", "100"])
    card.get_by_role("button", name="Numbers as a table").click()
    expect(plot(card)).to_be_visible()


def test_a_chart_is_saved_as_a_picture(charts: LabPage, finished: str, downloads: Path) -> None:
    card = chart(charts, "Exact match")
    card.hover()
    with charts.page.expect_download() as started:
        card.get_by_role("button", name="Save as a picture (PNG)").click()
    name = started.value.suggested_filename
    assert name == f"newton-lab-exact-match-step-200-{finished[:8]}.png"
    started.value.save_as(downloads / name)
    content = (downloads / name).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (2560, 1440)
    # The drawing has what a small chart has no room for: each arm's name.
    small = chart(charts, "Loss")
    small.hover()
    with charts.page.expect_download() as started:
        small.get_by_role("button", name="Save as a drawing (SVG)").click()
    started.value.save_as(downloads / "loss.svg")
    drawn = (downloads / "loss.svg").read_text("utf-8")
    assert all(f">{arm} " in drawn for arm in ("Vanilla", "Hessian", "Fisher"))


def test_a_chart_made_large_and_back(charts: LabPage) -> None:
    card = chart(charts, "Curvature")
    before = card.bounding_box()
    assert before is not None
    card.hover()
    card.get_by_role("button", name="Make it large").click()
    charts.wait(lambda: card.bounding_box()["width"] > 2 * before["width"], "the card is large")
    width = "(element) => element.layout.width"
    charts.wait(lambda: plot(card).evaluate(width) > 2 * before["width"], "it is redrawn")
    card.get_by_role("button", name="Back to its size").click()
    charts.wait(lambda: plot(card).evaluate(width) < before["width"], "it is small again")


@pytest.mark.parametrize("query", ["", "&present"])
def test_a_chart_made_large_is_in_sight_below_the_bar(
    lab: LabPage, finished: str, query: str
) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 720})
    lab.go_to_run(finished, f"?step=200{query}")
    card = chart(lab, "Loss")
    expect(plot(card)).to_have_attribute("aria-label", re.compile("At step 200"), timeout=PATIENCE)
    card.hover()
    card.get_by_role("button", name="Make it large").click()

    def is_whole() -> bool:
        bar, box = lab.bar.bounding_box(), card.bounding_box()
        assert bar is not None
        assert box is not None
        below = bar["y"] + bar["height"]
        return box["height"] > 400 and below <= box["y"] and box["y"] + box["height"] <= 720

    lab.wait(is_whole, "the large chart is whole, below the bar of time")


def test_charts_fit_a_narrow_screen(
    browser: Browser, server: LabServer, watch: Watch, finished: str
) -> None:
    narrow = LabPage.open(browser, server.url, watch, width=360, height=3200)
    narrow.go_to_run(finished, "?step=200")
    narrow.wait_for_curve()
    # All boxes at one moment: a panel between two charts grows once it has its pictures.
    boxes = narrow.page.locator(".chart").evaluate_all(
        "(cards) => cards.map((card) => card.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) == 9
    for above, below in pairwise(boxes):
        assert above["width"] <= 360
        assert below["top"] >= above["bottom"]
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 360
    narrow.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_controls_of_a_chart_leave_its_title_alone(
    browser: Browser, server: LabServer, watch: Watch, finished: str, width: int
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=width)
    lab.go_to_run(finished, "?step=200")
    lab.wait_for_curve()
    covered = lab.page.evaluate(
        """() => [...document.querySelectorAll('.chart')].flatMap((chart) => {
            const [title, tools] = ['.chart-title', '.chart-tools']
                .map((name) => chart.querySelector(name).getBoundingClientRect());
            const apart = tools.left >= title.right || tools.top >= title.bottom - 2;
            return apart ? [] : [chart.dataset.chart];
        })"""
    )
    assert covered == []
    lab.close()
