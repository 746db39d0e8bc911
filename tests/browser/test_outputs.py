"""The loss over two outputs: which two, the quadratic on it, and what is said about them."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, SMALL_MAPS, LabPage

SPAN = "plot => plot.layout.xaxis.range[1]"
TITLES = "plot => [plot.layout.xaxis.title.text, plot.layout.yaxis.title.text]"
LAYER = "plot => plot.data.find((trace) => trace.meta.role === 'layer').z"
MIDDLE = "plot => plot.data[0].customdata[30][30]"


@pytest.fixture(scope="module")
def maps(server: LabServer) -> str:
    """A short run on small maps that has finished."""
    return server.finish(
        {
            "task": SMALL_MAPS,
            "loss": {"name": "smoothed_loss", "sigma": 0.5, "samples": 5},
            "arms": [{}, {"curvature": "hessian", "definiteness": "clip", "tikhonov": 20}],
            "steps": 30,
            "batch_size": 8,
        }
    )


def opened(lab: LabPage, run_id: str) -> Locator:
    """The panel with its picture."""
    lab.go_to_run(run_id)
    panel = lab.page.get_by_role("region", name="Loss over the outputs")
    panel.get_by_role("button", name="Show").click()
    expect(panel.get_by_text("down the gradient of")).to_be_visible(timeout=PATIENCE)
    panel.scroll_into_view_if_needed()
    lab.wait(lambda: len(plot(panel).evaluate("plot => plot.data ?? []")) > 1, "it is drawn")
    return panel


def plot(panel: Locator) -> Locator:
    return panel.locator(".picture-plot")


def choose(panel: Locator, name: str, value: str) -> None:
    panel.get_by_role("combobox", name=name).select_option(value=value)


def wait_for_titles(lab: LabPage, panel: Locator, across: str, up: str) -> None:
    lab.wait(lambda: plot(panel).evaluate(TITLES) == [across, up], f"axes are {across}, {up}")


def test_two_tiles_are_chosen_in_lists_and_on_the_map(lab: LabPage, maps: str) -> None:
    panel = opened(lab, maps)
    for name, which, label in (
        ("across: row", 0, "5"), ("column", 0, "3"), ("up: row", 0, "2"), ("column", 1, "1"),
    ):  # fmt: skip
        panel.get_by_role("combobox", name=name).nth(which).select_option(label=label)
    first, second = (
        "change of the tile at row 5, column 3", "change of the tile at row 2, column 1",
    )  # fmt: skip
    wait_for_titles(lab, panel, first, second)
    board = panel.get_by_role("button", name="Map of the sample")
    box = board.bounding_box()
    assert box is not None
    board.click(position={"x": box["width"] * 3.5 / 6, "y": box["height"] * 0.5 / 6})
    wait_for_titles(lab, panel, "change of the tile at row 1, column 4", second)
    board.press("ArrowRight")
    wait_for_titles(
        lab, panel, "change of the tile at row 1, column 4", "change of the tile at row 2, column 2"
    )
    expect(panel).to_contain_text("5 noise samples, the same ones at every point")


def test_the_quadratic_is_the_arm_s_with_or_without_its_damping(lab: LabPage, maps: str) -> None:
    panel = opened(lab, maps)
    choose(panel, "arm", "1")
    expect(panel).to_contain_text("negative eigenvalues set to 0; λ = 20 (the arm's own) on its")
    damped = plot(panel).evaluate(LAYER)
    choose(panel, "λ = 20", "out")
    expect(panel).to_contain_text("λ = 20 (the arm's own) is left out of it, but not of z*")
    lab.wait(lambda: plot(panel).evaluate(LAYER) != damped, "the quadratic is flatter")
    choose(panel, "directions", "newton")
    wait_for_titles(lab, panel, "along the gradient, uphill to the right", "across it")
    expect(panel).to_contain_text(re.compile(r"to z\*, [\d.e-]+ long, all of that within"))
    target = plot(panel).evaluate("p => p.data.find((trace) => trace.meta.role === 'name')")
    assert abs(target["x"][0]) < plot(panel).evaluate(SPAN), "z* is in the picture"
    assert target["y"][0] <= 0
    choose(panel, "range", "0.5")
    lab.wait(lambda: plot(panel).evaluate(SPAN) == 0.5, "the range is the one chosen")


def test_hovering_reads_loss_quadratic_and_gap(lab: LabPage, finished: str) -> None:
    panel = opened(lab, finished)
    assert re.fullmatch(r"loss (\S+)<br>quadratic \1, gap 0", plot(panel).evaluate(MIDDLE))
    box = plot(panel).bounding_box()
    assert box is not None
    lab.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3)
    label = plot(panel).locator(".hovertext")
    expect(label).to_contain_text(re.compile(r"loss .*quadratic .*, gap "))


def test_two_scores_are_named_by_their_images(lab: LabPage, finished: str) -> None:
    panel = opened(lab, finished)
    options = panel.get_by_role("combobox", name="across").locator("option").all_inner_texts()
    assert [re.fullmatch(r"output (\d) \(\d+\)", text).group(1) for text in options] == [
        "1", "2", "3", "4",
    ]  # fmt: skip
    choose(panel, "across", "3")
    choose(panel, "up", "3")
    lab.wait(lambda: "output 4" in plot(panel).evaluate(TITLES)[1], "the axes have changed places")
    assert "output 2" in plot(panel).evaluate(TITLES)[0]
