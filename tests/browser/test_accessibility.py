import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch

AT_REST = """() => !document.querySelector('[aria-busy="true"][data-stale="true"]')
    && document.getAnimations().every((animation) => animation.playState !== "running")"""


def serious(lab: LabPage) -> list[str]:
    """What axe finds serious or worse, with the first element of each.

    It looks at a page at rest: half faded in, every word has too little contrast.
    """
    lab.page.emulate_media(reduced_motion="reduce")
    lab.page.wait_for_function(AT_REST)
    found: list[dict[str, Any]] = Axe().run(lab.page).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: "
        + json.dumps([node["html"][:160] for node in violation["nodes"][:3]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (360, False)], ids=["wide", "dark", "narrow"]
)
def test_axe_finds_nothing_serious(
    browser: Browser, server: LabServer, watch: Watch, finished: str, width: int, dark: bool
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=width, dark=dark)
    lab.go_to_run(finished, "?step=100")
    lab.wait_for_curve()
    for more in lab.page.get_by_role("button", name="More", exact=True).all():
        more.click()
    assert serious(lab) == []
    overflow = lab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page scrolls sideways"
    lab.close()


@pytest.mark.parametrize(
    "path", ["", "runs", "results", "sweeps", "lessons", "lessons/curvature-wins", "no/such/page"]
)
def test_axe_on_the_other_pages(lab: LabPage, finished: str, path: str) -> None:
    lab.go(path)
    expect(lab.page.get_by_role("main")).to_be_visible()
    lab.page.wait_for_load_state("networkidle")
    assert serious(lab) == []
    lab.page.keyboard.press("?")
    expect(lab.page.get_by_role("dialog")).to_be_visible()
    assert serious(lab) == []


def test_the_keyboard_alone_trains_and_asks_what_if(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    lab.page.evaluate("document.body.focus()")
    reached: list[str] = []
    for _ in range(120):
        lab.page.keyboard.press("Tab")
        focused = lab.page.evaluate(
            "(() => { const e = document.activeElement;"
            " return `${e.getAttribute('aria-label') ?? e.innerText ?? ''}|"
            "${getComputedStyle(e).outlineStyle}`; })()"
        )
        name, outline = focused.rsplit("|", 1)
        reached.append(name.strip())
        if name == "Tikhonov λ, slider":
            assert outline != "none", "the focus is visible"
            break
    assert "Tikhonov λ, slider" in reached
    assert {"Compare", "Share"} <= set(reached)
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowRight")
    lab.wait(lambda: finished not in lab.page.url, "a fork, from the keyboard")


def test_what_a_screen_reader_hears_when_playback_rests(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    live = lab.page.locator('[aria-live="polite"][role="status"].visually-hidden')
    expect(live).to_contain_text("Step 100.", timeout=PATIENCE)
    lab.scrub(0)
    expect(live).to_contain_text("same weights", timeout=PATIENCE)
    assert lab.slider.get_attribute("aria-valuetext") == "step 0 of 200, computed to 200"


def test_every_label_explains_itself_on_hover_and_on_focus(lab: LabPage) -> None:
    lab.go("?preset=collapse")
    number = lab.page.get_by_label("Numbers in a ranking", exact=True)
    number.hover()
    tip = lab.page.locator(".tooltip")
    expect(tip).to_contain_text("How many images are ranked")
    lab.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    lab.page.mouse.move(700, 5)
    lab.page.get_by_label("Task", exact=True).focus()
    lab.page.keyboard.press("Tab")
    expect(tip).to_contain_text("How many images are ranked")
    described = number.get_attribute("aria-describedby") or ""
    text = lab.page.evaluate(
        "(id) => document.getElementById(id)?.textContent", described.split()[0]
    )
    assert "How many images are ranked" in text


def test_reduced_motion_still_plays(
    browser: Browser, server: LabServer, watch: Watch, finished: str
) -> None:
    lab = LabPage.open(browser, server.url, watch, reduced_motion=True)
    lab.go_to_run(finished, "?step=0&speed=100")
    lab.page.keyboard.press("Space")
    lab.wait(lambda: lab.step > 3, "playback moves")
    lab.close()
