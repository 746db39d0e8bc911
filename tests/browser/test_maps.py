"""The maps of the shortest-path task: what they show, in words; the cursor; the noise samples."""

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, SMALL_MAPS, LabPage, Watch

TRUE_MAP = "with its cheapest path of"
ARMS = ("Vanilla", "Hessian")


@pytest.fixture(scope="module")
def maps(server: LabServer) -> str:
    """A short run on small maps that has finished."""
    return server.finish(
        {
            "task": SMALL_MAPS,
            "loss": {"name": "perturbed_fy", "sigma": 2.0, "samples": 5},
            "arms": [{"label": ARMS[0]}, {"label": ARMS[1], "curvature": "hessian"}],
            "steps": 50,
            "batch_size": 8,
            "evaluate_every": 25,
        }
    )


def panel(lab: LabPage) -> Locator:
    return lab.page.get_by_role("region", name="What each arm finds")


def costs_of(lab: LabPage, arm: str) -> str:
    picture = panel(lab).get_by_role("img", name=f"{arm}: The arm's costs go from")
    expect(picture).to_have_count(1, timeout=PATIENCE)
    return picture.get_attribute("aria-label") or ""


def test_each_arm_has_its_path_and_its_costs_beside_the_true_path(lab: LabPage, maps: str) -> None:
    lab.go_to_run(maps)
    lab.scrub(50)
    expect(panel(lab).get_by_role("img", name=TRUE_MAP)).to_have_count(1)
    for arm in ARMS:
        costs_of(lab, arm)
    words = panel(lab).locator(".map-verdict").all_inner_texts()
    assert len(words) == len(ARMS)
    assert all(text.startswith(("optimal: ", "not optimal: ")) for text in words)
    panel(lab).get_by_text("All maps as a table").click()
    expect(panel(lab).get_by_role("row")).to_have_count(1 + 4 * len(ARMS))


def test_the_maps_follow_the_cursor_and_the_chosen_map(lab: LabPage, maps: str) -> None:
    lab.go_to_run(maps)
    lab.scrub(50)
    end = costs_of(lab, "Vanilla")
    lab.scrub(0)
    lab.wait(lambda: costs_of(lab, "Vanilla") != end, "the costs are those of step 0")
    expect(panel(lab).locator("image")).to_have_count(1 + len(ARMS))
    lab.scrub(50)
    lab.wait(lambda: costs_of(lab, "Vanilla") == end, "the costs are those of the end again")
    expect(panel(lab).locator("image")).to_have_count(1 + len(ARMS))
    lab.button("Test map 3").click()
    expect(panel(lab).get_by_role("img", name=f"Map 3, 6 by 6 tiles, {TRUE_MAP}")).to_be_visible()


def test_a_press_shows_the_paths_of_the_noise_samples(lab: LabPage, maps: str) -> None:
    lab.go_to_run(maps)
    lab.scrub(50)
    button = lab.button("Vanilla: show the paths of the noise samples")
    button.press("Enter")
    expect(panel(lab).get_by_text("5 noise samples (σ = 2) lead to")).to_be_visible(
        timeout=PATIENCE
    )
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button.locator("polyline")).to_have_count(5)
    button.press("Enter")
    expect(panel(lab).locator(".map-verdict")).to_have_count(len(ARMS))


@pytest.mark.parametrize("dark", [False, True])
def test_the_maps_fit_a_telephone(
    browser: Browser, server: LabServer, watch: Watch, maps: str, dark: bool
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=360, height=740, dark=dark)
    lab.go_to_run(maps)
    expect(panel(lab).get_by_role("img", name=TRUE_MAP)).to_be_visible()
    assert lab.page.evaluate("document.documentElement.scrollWidth") == 360
    lab.close()
