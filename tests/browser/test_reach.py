"""The page for those who go by keyboard, by touch, with forced colours or on a phone."""

import base64
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch


def test_the_skip_link_leads_past_the_header(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=10")
    lab.page.keyboard.press("Tab")
    expect(lab.page.get_by_role("button", name="Skip to the content")).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(lab.page.get_by_role("main")).to_be_focused()
    lab.page.keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.closest('main') !== null")


def test_every_page_has_a_title_of_its_own(lab: LabPage) -> None:
    titles = []
    for path in ("?preset=sgd", "surfaces", "three-numbers", "gradients", "runs", "sweeps"):
        lab.go(path)
        expect(lab.page.get_by_role("main")).to_be_visible()
        lab.wait(lambda: " · " in lab.page.title(), "a title")
        titles.append(lab.page.title())
    assert len(set(titles)) == 6
    assert titles[-1] == "Sweeps · Newton Lab"


def test_the_focus_is_kept_when_training_starts(lab: LabPage, server: LabServer) -> None:
    lab.go("?preset=calm-classification&seed=61")
    train = lab.page.get_by_role("main").get_by_role("button", name="Train", exact=True)
    train.focus()
    lab.page.keyboard.press("Enter")
    lab.wait(lambda: "/runs/" in lab.page.url, "the run starts")
    expect(lab.bar.locator(".go")).to_be_focused(timeout=PATIENCE)
    run_id = lab.page.url.split("/runs/")[1][:12]
    lab.leave()
    server.client.post(f"/api/runs/{run_id}/stop?discard=true")


def test_controls_of_an_arm_are_grouped_by_its_name(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=10")
    group = lab.page.get_by_role("group", name="Fisher", exact=True)
    expect(group.get_by_role("textbox", name="Tikhonov λ")).to_be_visible()


def test_sliders_are_seen_with_forced_colours(
    browser: Browser, server: LabServer, finished: str
) -> None:
    page = browser.new_page(forced_colors="active", color_scheme="dark")
    page.goto(f"{server.url}/runs/{finished}?step=100")
    slider = page.get_by_role("slider", name="Tikhonov λ, slider").first
    expect(slider).to_be_visible(timeout=PATIENCE)
    # Chromium tells no styles of a slider's parts: count the colours that it paints.
    count = page.evaluate(
        """async (png) => {
            const image = new Image();
            image.src = `data:image/png;base64,${png}`;
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height);
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const { data } = context.getImageData(0, 0, image.width, image.height);
            const counts = new Map();
            for (let i = 0; i < data.length; i += 4) {
                const colour = data.slice(i, i + 3).join();
                counts.set(colour, (counts.get(colour) ?? 0) + 1);
            }
            return [...counts.values()].filter((pixels) => pixels > 50).length;
        }""",
        base64.b64encode(slider.screenshot()).decode(),
    )
    assert count >= 3  # paper, track and what is filled
    page.close()


@pytest.fixture(scope="module")
def of_six_arms(server: LabServer) -> str:
    """A small run of as many arms as the largest presets have, four of them with a λ."""
    halves = ({"component": "length"}, {"component": "direction"})
    arms = [
        {"label": "Vanilla"},
        {"label": "Vanilla, clipped at the median", "gradient": "clip"},
        {"label": "Hessian", "curvature": "hessian"},
        {"label": "Fisher", "curvature": "fisher"},
        *(
            {"label": f"Fisher, {half['component']} only (batch)", "curvature": "fisher", **half}
            for half in halves
        ),
    ]
    task = {"name": "ranking", "n": 4, "test_sets": 20}
    loss = {"name": "neuralsort"}
    return server.finish({"task": task, "loss": loss, "arms": arms, "steps": 20, "batch_size": 4})


@pytest.mark.parametrize(("width", "height"), [(360, 800), (390, 844)])
def test_lambda_and_its_chart_share_a_phone_screen(
    browser: Browser, server: LabServer, of_six_arms: str, watch: Watch, width: int, height: int
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=width, height=height)
    lab.go_to_run(of_six_arms)
    lab.wait_for_curve()
    sliders = lab.page.locator(".near-lambdas").get_by_role("slider")
    expect(sliders).to_have_count(4)
    chart = lab.page.locator(".chart-area").first

    def on_screen() -> bool:
        boxes = [found.bounding_box() for found in (sliders.first, sliders.last, chart)]
        return all(box["y"] + box["height"] <= height for box in boxes)

    lab.wait(on_screen, "all λ and the chart are on the screen")
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= width
    lab.close()


@pytest.mark.parametrize(
    ("width", "query"), [(1280, ""), (1440, "?present"), (2560, ""), (1280, "?step=5")]
)
def test_names_at_the_curves_ends_are_whole(
    lab: LabPage, of_six_arms: str, width: int, query: str
) -> None:
    lab.page.set_viewport_size({"width": width, "height": 900})
    lab.go_to_run(of_six_arms, query)
    hero = lab.page.locator(".chart-hero .chart-plot")
    expect(hero).to_have_attribute("aria-label", re.compile(f"At step {lab.step}"))
    names = lab.page.locator(".chart-hero .chart-ink text").all_text_contents()
    words = re.sub(r"\s+", " ", " ".join(names))
    assert re.search(r"Vanilla, clipped at the median \d", words), words
    assert re.search(r"Fisher, direction only \(batch\) \d", words), words
    assert "…" not in words


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720)])
def test_a_presentation_says_what_it_shows_on_one_screen(
    lab: LabPage, finished: str, width: int, height: int
) -> None:
    lab.page.set_viewport_size({"width": width, "height": height})
    lab.go_to_run(finished, "?present")
    about = lab.page.get_by_role("region", name="What is shown")
    expect(about).to_contain_text("Hessian λ 0.1")
    bottom = "(chart) => chart.getBoundingClientRect().bottom"
    hero = lab.page.locator(".chart-hero")
    lab.wait(lambda: hero.evaluate(bottom) <= height, "the big chart is on the screen")
    area = lab.page.get_by_role("region", name="Per-sample gradients").locator(".chart-area")
    assert area.evaluate("(area) => area.clientHeight") >= 250  # below it there is room
    lab.page.keyboard.press("Escape")
    expect(about).to_have_count(0)
    expect(lab.page.get_by_role("complementary", name="Settings")).to_be_visible()


SHEET = """() => {
    dispatchEvent(new Event('beforeprint'));
    return [...document.querySelectorAll('.charts .chart')].map((card) => {
        const drawn = card.querySelector('.main-svg')?.clientWidth ?? 0;
        return [card.querySelector('h3').textContent, drawn, card.clientWidth];
    });
}"""


def test_before_the_browser_prints_all_charts_are_drawn_for_the_sheet(
    browser: Browser, server: LabServer, watch: Watch, finished: str
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=1440, dark=True)
    lab.go_to_run(finished, "?step=200")
    lab.wait_for_curve()
    charts = lab.page.evaluate(SHEET)  # at once: a printer waits for nothing
    assert len(charts) >= 8
    for title, drawn, card in charts:
        assert card - 30 <= drawn <= card, f"{title}: {drawn} of {card} pixels"
        assert 600 < card <= 718, title
    root = lab.page.locator(":root")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert lab.page.evaluate(paper) == "rgb(255, 255, 255)"
    lab.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(root).not_to_have_attribute("data-paper", "")
    lab.wait(lambda: lab.page.evaluate(paper) == "rgb(20, 24, 27)", "the page is dark again")
    lab.close()
