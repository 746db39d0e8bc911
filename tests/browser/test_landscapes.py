"""Landscapes on the page: slices that follow the cursor, layers, surfaces, starts."""

from itertools import cycle

import pytest
from playwright.sync_api import Locator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch

RUN = {
    "task": {"name": "ranking", "n": 3, "test_sets": 20},
    "loss": {"name": "neuralsort"},
    "arms": [
        {"label": "Vanilla"},
        {"label": "Hessian", "curvature": "hessian"},
        {"label": "Fisher", "curvature": "fisher"},
    ],
    "steps": 60,
    "batch_size": 4,
    "evaluate_every": 20,
    "landscape_every": 30,
    "seed": 7,
}
LINES = "p => (p.data ?? []).length"
ROLES = "plot => (plot.data ?? []).map((trace) => trace.meta.role)"
KEPT = """() => [...document.querySelectorAll('canvas')]
    .map((canvas) => canvas.getContext('webgl2') ?? canvas.getContext('webgl'))
    .filter((context) => context !== null)
    .map((context) => context.isContextLost())"""


def landscape(lab: LabPage) -> Locator:
    panel = lab.page.get_by_role("region", name="Loss landscape")
    panel.scroll_into_view_if_needed()
    return panel


def read_at_pointer(lab: LabPage, plot: Locator, words: str) -> None:
    """Points here and there until these words are said.

    Near a path its steps are said, and a picture that is drawn again, finer than before, says
    nothing until the pointer moves.
    """
    places = cycle([(0.5, 0.22), (0.2, 0.3), (0.8, 0.7), (0.3, 0.8)])

    def point() -> bool:
        across, down = next(places)
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        lab.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        lab.page.wait_for_timeout(100)  # Plotly answers a pointer that rests for a moment
        said = plot.locator(".hoverlayer").text_content() or ""
        return words in " ".join(said.split())

    lab.wait(point, f"the picture says {words}")


def choose(lab: LabPage, panel: Locator, name: str, option: str) -> None:
    panel.get_by_role("combobox", name=name).select_option(option)


def roles(panel: Locator, index: int = 0) -> list[str]:
    found: list[str] = panel.locator(".picture-plot").nth(index).evaluate(ROLES)
    return found


def middle_height(panel: Locator, index: int = 0) -> float:
    script = "plot => plot.data[0].z[10][10]"
    return float(panel.locator(".picture-plot").nth(index).evaluate(script))


def test_slices_follow_the_cursor_and_say_what_they_leave_out(
    lab: LabPage, server: LabServer
) -> None:
    # By the link: the pictures of another plane would stay until these are drawn over them.
    lab.go_to_run(server.finish(RUN), "?step=60&plane=run")
    panel = landscape(lab)
    lab.wait(lambda: "contour" in roles(panel, 2), "three pictures are drawn")
    expect(panel.locator(".landscape h3")).to_have_count(3)
    expect(panel).to_contain_text("of the path lies outside this plane")
    late = middle_height(panel)
    assert middle_height(panel, 1) != late
    lab.scrub(45)
    expect(panel).to_contain_text("at step 30")
    lab.wait(lambda: middle_height(panel) != late, "the picture is that of step 30")


def test_two_surfaces_are_alive_at_most_and_keep_their_contexts(
    lab: LabPage, server: LabServer, watch: Watch
) -> None:
    watch.expected += ["GPU stall due to ReadPixels", "willReadFrequently", "software WebGL"]
    lab.go_to_run(server.finish(RUN), "?step=60")
    panel = landscape(lab)
    choose(lab, panel, "plane", "run")
    lab.wait(lambda: "contour" in roles(panel, 2), "three pictures are drawn")
    choose(lab, panel, "shape", "surface")
    for _ in range(2):
        lab.wait(
            lambda: sum("surface" in roles(panel, i) for i in range(3)) == 2, "two are surfaces"
        )
        panel.get_by_role("button", name="Show in 3-D").click()
    lab.scrub(0)
    lab.wait(lambda: sum("surface" in roles(panel, i) for i in range(3)) == 2, "still two")
    # Plotly's data are there before its canvases are.
    lab.wait(lambda: lab.page.evaluate(KEPT).count(False) == 2, "two contexts are alive")
    assert not any(lab.page.evaluate(KEPT))


def test_an_ended_run_shows_the_plane_nearest_to_its_paths_and_says_why(
    lab: LabPage, server: LabServer
) -> None:
    lab.go_to_run(server.finish(RUN), "?step=60")
    panel = landscape(lab)
    expect(panel).to_contain_text("The run has ended, so each arm is shown in the plane nearest")
    lab.wait(lambda: "path" in roles(panel, 2), "three pictures, each with its path", 90)
    choose(lab, panel, "plane", "principal")
    lab.wait(lambda: roles(panel).count("path") == 3, "one picture with three paths", 90)
    expect(panel.locator(".landscape")).to_have_count(1)
    expect(panel).not_to_contain_text("has ended")
    expect(panel).to_contain_text("at step 60")
    here = "plot => plot.data.filter((t) => t.meta.role === 'here').map((t) => [t.x[0], t.y[0]])"
    ends = panel.locator(".picture-plot").evaluate(here)
    read_at_pointer(lab, panel.locator(".picture-plot"), "loss ")
    lab.scrub(20)
    expect(panel).to_contain_text("at step 21")  # the nearest of its snapshots
    plot = panel.locator(".picture-plot")
    lab.wait(lambda: plot.evaluate(here) != ends, "the paths end where they were then")
    choose(lab, panel, "plane", "run")
    expect(panel.locator(".landscape")).to_have_count(3)
    lab.wait(lambda: "contour" in roles(panel, 2), "three pictures are drawn")
    read_at_pointer(lab, panel.locator(".picture-plot").nth(1), "Hessian: loss")


def test_the_line_between_two_arms_goes_with_the_plane_through_them(
    lab: LabPage, server: LabServer
) -> None:
    lab.go_to_run(server.finish(RUN), "?step=60")
    panel = landscape(lab)
    choose(lab, panel, "plane", "arms")
    line = panel.locator(".arms-line")
    expect(line).to_contain_text("arrier between them", timeout=90_000)
    choose(lab, panel, "to", "2")
    title = "plot => plot.layout?.xaxis?.title?.text"
    plot = line.locator(".picture-plot")
    plot.scroll_into_view_if_needed()  # what is out of sight is not drawn
    lab.wait(lambda: plot.evaluate(title) == "0: Vanilla, 1: Fisher", "it is that of Fisher")
    choose(lab, panel, "to", "0")
    expect(line).to_contain_text("two arms that differ")


def test_scrubbing_and_leaving_cancel_a_slice(lab: LabPage, server: LabServer) -> None:
    cancelled: list[str] = []
    lab.page.on("requestfailed", lambda request: cancelled.append(request.url))
    lab.go_to_run(server.finish(RUN), "?step=60")
    panel = landscape(lab)
    choose(lab, panel, "plane", "filter_normalised")
    choose(lab, panel, "points per side", "101")
    expect(panel.get_by_text("Computing, coarse to fine")).to_be_visible()
    lab.scrub(0)
    lab.wait(lambda: any("landscapes" in url for url in cancelled), "the slice is cancelled")
    expect(panel).to_contain_text("at step 0", timeout=PATIENCE)
    expect(panel.get_by_text("Computing, coarse to fine")).to_be_visible()
    cancelled.clear()
    lab.page.get_by_role("link", name="Surfaces").click()
    lab.wait(lambda: any("landscapes" in url for url in cancelled), "leaving cancels it too")


def test_a_picture_can_be_saved_read_as_a_table_and_made_large(
    lab: LabPage, server: LabServer
) -> None:
    lab.go_to_run(server.finish(RUN), "?step=60")
    panel = landscape(lab)
    choose(lab, panel, "plane", "principal")
    lab.wait(lambda: roles(panel).count("path") == 3, "the picture is drawn", 90)
    card = panel.locator(".picture-card")
    card.hover()
    with lab.page.expect_download() as saving:
        card.get_by_role("button", name="Save as a picture").click()
    name = saving.value.suggested_filename
    assert name.startswith("newton-lab-loss-landscape-of-vanilla"), name
    assert saving.value.path().read_bytes().startswith(b"\x89PNG")
    low = card.locator(".picture").bounding_box()
    card.get_by_role("button", name="Make it large").click()
    lab.wait(lambda: card.locator(".picture").bounding_box() != low, "the picture changes its size")
    card.get_by_role("button", name="Numbers as a table").click()
    expect(card.get_by_role("rowheader", name="Fisher")).to_be_visible()
    expect(card.get_by_role("table")).to_have_count(2)
    expect(card.locator(".picture")).to_be_hidden()


def test_pages_of_losses_are_read_from_the_back_of_a_room(lab: LabPage) -> None:
    lab.page.set_viewport_size({"width": 1440, "height": 900})
    for page in ("surfaces", "three-numbers", "gradients"):
        lab.go(f"{page}?present")
        ticks = lab.page.locator(".picture-plot .xtick text").first
        expect(ticks).to_be_visible(timeout=PATIENCE)
        assert ticks.evaluate("(text) => parseFloat(getComputedStyle(text).fontSize)") >= 15
        numbers = lab.page.locator(".rail .field input.number").evaluate_all(
            """(fields) => fields.map((field) => field.getBoundingClientRect().right
                - field.closest('.panel').getBoundingClientRect().right)"""
        )
        assert numbers
        assert max(numbers) <= 0


def test_a_start_is_pressed_or_typed_on_the_plane_of_three_numbers(lab: LabPage) -> None:
    lab.go("three-numbers")
    plot = lab.page.locator(".descent-panel .picture-plot").first
    lab.wait(lambda: "contour" in plot.evaluate(ROLES), "the plane is drawn")
    expect(lab.page.locator(".descent-list li").first).to_contain_text("stuck")
    assert len(plot.evaluate("p => p.data.filter((t) => t.meta.role === 'border')")) == 6
    start = lab.page.get_by_label("Start, across")
    before = start.input_value()
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.5})
    expect(start).not_to_have_value(before)
    expect(lab.page.get_by_role("slider", name="Step")).to_have_value("0")
    start.fill("-2.5")
    first = "p => p.data.find((t) => t.meta.role === 'path').x[0]"
    lab.wait(lambda: abs(plot.evaluate(first) + 2.5) < 1e-5, "walks begin where it was typed")


@pytest.mark.parametrize(
    ("title", "through"),
    [
        ("Vanilla gets stuck, Newton gets through", {"Hessian", "Hessian, saddle-free", "Fisher"}),
        (
            "The same in the log domain: all get through",
            {"Vanilla gradient descent", "Hessian", "Hessian, saddle-free", "Fisher"},
        ),
        ("Only Fisher gets through", {"Fisher"}),
        ("Only vanilla gets through", {"Vanilla gradient descent"}),
    ],
)
def test_what_a_start_is_said_to_show_is_so(lab: LabPage, title: str, through: set[str]) -> None:
    lab.go("three-numbers?lr=0.2&range=7&step=3&across=2.5")
    walks = lab.page.locator(".descent-list li")
    expect(walks).to_have_count(4, timeout=PATIENCE)
    lab.button(title).click()
    lab.wait(
        lambda: (
            {
                str(walks.nth(k).locator("strong").text_content())
                for k in range(4)
                if "sorted from" in str(walks.nth(k).text_content())
            }
            == through
        ),
        "who gets through",
    )
    expect(lab.page.get_by_role("slider", name="Step")).to_have_value("100")


def test_own_formula_walks_and_a_hostile_one_is_refused_at_the_character(
    lab: LabPage, watch: Watch
) -> None:
    watch.expected.append("422")
    lab.go("surfaces")
    plot = lab.page.locator(".descent-panel .picture-plot").first
    lab.wait(lambda: "layer" in plot.evaluate(ROLES), "surface and quadratic are drawn")
    choose(lab, lab.page.locator(".descent-panel"), "local quadratic of", "none")
    lab.wait(lambda: "layer" not in plot.evaluate(ROLES), "the layer is off")
    lab.page.get_by_label("Function").select_option("formula")
    lab.page.get_by_label("f(x, y)").fill("x**2 + y**4")
    lab.wait(lambda: plot.evaluate("p => p.layout.xaxis.range[1]") == 3, "the formula is drawn")
    lab.page.get_by_label("f(x, y)").fill("x + __import__('os')")
    expect(lab.page.get_by_role("alert")).to_contain_text("at character", timeout=PATIENCE)


def test_gradient_field_shows_where_rounding_explodes(lab: LabPage) -> None:
    lab.go("gradients")
    plots = lab.page.locator(".picture-plot")
    drawn = f"plots => plots.map({LINES})"
    lab.wait(lambda: plots.evaluate_all(drawn) == [3, 3], "both are drawn")
    assert plots.nth(1).evaluate("p => p.layout.shapes.length") >= 2  # the score's own place too
    lab.page.get_by_label("Scores, in their true order").fill("-1, 0, 4")
    expect(lab.page.get_by_label("Numbers n")).to_have_value("3")
    lab.wait(lambda: plots.nth(0).evaluate(LINES) == 3, "it follows what is typed")
    lab.page.get_by_label("Scores, in their true order").fill("-1, zwei")
    expect(lab.page.get_by_role("alert")).to_contain_text("at least two numbers")
    lab.page.get_by_label("Scores, in their true order").fill("")
    expect(lab.page.get_by_label("Scores, in their true order")).to_have_value("")
    expect(lab.page.get_by_role("alert")).to_have_count(0)
    lab.page.get_by_label("Numbers n").fill("4")
    expect(lab.page.get_by_label("Scores, in their true order")).to_have_value(
        "-1.5, -0.5, 0.5, 1.5"
    )


def test_the_scores_of_a_run_stay_in_the_address(lab: LabPage, watch: Watch, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    lab.page.get_by_role("link", name="Gradients").click()
    scores = lab.page.get_by_label("Scores, in their true order")
    expect(scores).to_have_value("-2, -1, 0, 1, 2")
    lab.page.get_by_role("button", name="This batch").click()
    expect(lab.page.get_by_text("as ranked at step 100")).to_be_visible()
    expect(scores).not_to_have_value("-2, -1, 0, 1, 2")
    lab.page.get_by_label("Arm", exact=True).select_option(label="Fisher")
    lab.page.get_by_label("Step", exact=True).fill("160")
    expect(lab.page.get_by_text("as ranked at step 150")).to_be_visible()
    said = scores.input_value()
    lab.wait(lambda: f"run={finished}&arm=2&step=160" in lab.page.url, "the address holds them")
    lab.page.reload()
    expect(scores).to_have_value(said, timeout=PATIENCE)
    lab.page.get_by_label("Scores from").select_option(value="")
    expect(scores).to_have_value("-2, -1, 0, 1, 2")
    watch.expected.append("404")
    lab.go("gradients?run=0123456789ab")
    expect(lab.page.get_by_role("alert")).to_contain_text("there is no run", timeout=PATIENCE)


def test_what_has_vanished_and_what_explodes_is_the_readers_to_say(
    lab: LabPage, watch: Watch
) -> None:
    # At this λ no step flips, which would be shaded too.
    lab.go("gradients?exploding=1e30&vanishing=0&numerics=log_domain&tikhonov=1000")
    plots = lab.page.locator(".picture-plot")
    shades = "p => (p.layout?.shapes ?? []).filter((shape) => shape.type === 'rect').length"
    drawn = f"plots => plots.map({LINES})"
    lab.wait(lambda: plots.evaluate_all(drawn) == [3, 3], "both are drawn")
    assert plots.nth(0).evaluate(shades) == plots.nth(1).evaluate(shades) == 0
    lab.page.get_by_label("Exploding above").fill("0.5")
    lab.wait(lambda: plots.nth(0).evaluate(shades) > 0, "a stretch is shaded")
    watch.expected.append("422")
    lab.page.get_by_label("Vanished below").fill("1")
    expect(lab.page.get_by_role("alert")).to_contain_text("must be more than vanishing")
