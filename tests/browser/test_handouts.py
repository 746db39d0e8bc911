"""A lesson as a file, opened from disk with the network off."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab_page import PATIENCE, LabPage, Watch


@pytest.fixture
def handout(lab: LabPage, browser: Browser, watch: Watch, downloads: Path) -> LabPage:
    """The hand-out that the page of a lesson saves, opened without a network."""
    lab.go("lessons/tiny")
    with lab.page.expect_download(timeout=90_000) as download:
        lab.page.get_by_role("button", name="Hand-out").click()
    file = downloads / "tiny.html"
    download.value.save_as(file)
    opened = LabPage.open(browser, file.as_uri(), watch)
    opened.page.context.set_offline(True)
    opened.page.goto(file.as_uri())
    return opened


def test_a_handout_plays_judges_and_prints_without_a_network(handout: LabPage) -> None:
    page = handout.page
    expect(page.get_by_role("heading", name="Which arm is ahead")).to_be_visible(timeout=PATIENCE)
    question = page.get_by_role("region", name="Which arm has the higher loss at step 20?")
    question.get_by_role("radio", name="Fisher").check()
    question.get_by_role("button", name="That is my prediction").click()
    handout.scrub(30)
    expect(question).to_contain_text(
        re.compile(r"(Right|Not so)\. At step 20 (Vanilla|Fisher) is highest")
    )
    step = page.get_by_role("region", name="What curvature does to a gradient")
    verdict = step.locator(".curvature-verdict")
    expect(verdict).to_contain_text("step 40", timeout=PATIENCE)  # of the nearest that is kept
    step.get_by_label("arm").select_option("Vanilla")
    expect(verdict).to_contain_text("Vanilla has no curvature")
    handout.scrub(0)
    assert handout.step == 0
    expect(verdict).to_contain_text("step 0")
    expect(page.get_by_role("button", name="Train")).to_have_count(0)
    page.get_by_role("button", name="the middle").click()
    handout.wait(lambda: handout.step == 20, "the link leads to the middle")
    page.get_by_role("button", name="λ = 0.1").click()  # the run that is inside
    expect(verdict).to_be_visible()
    expect(page.get_by_role("button", name="λ = 5")).to_have_count(0)
    text = page.get_by_role("article").first
    expect(text).to_contain_text("λ = 5 (in the lab: it is another run) is another run.")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.get_by_role("heading", name="A surface", exact=True)).to_be_visible()
    page.get_by_role("button", name="a stronger damping").click()
    damped = page.get_by_role("region", name="The lab").locator("[data-stale='false']")
    expect(damped.locator("strong", has_text="saddle-free")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="Which arm is ahead")).to_be_visible()

    page.set_viewport_size({"width": 794, "height": 1100})
    page.emulate_media(media="print")
    printed = page.locator(".printed-lesson")
    expect(printed).to_be_visible()
    expect(page.locator(".lesson, .header")).to_have_count(2)
    for hidden in page.locator(".lesson, .header").all():
        expect(hidden).to_be_hidden()
    sections = page.locator(".printed-lesson > section")
    expect(sections.locator("> h2")).to_have_text(["1. Which arm is ahead", "2. A surface"])
    expect(sections.locator("> figure")).to_have_count(2)
    drawn = printed.locator("figure svg.main-svg")
    handout.wait(lambda: drawn.count() >= 4, "the figures are drawn")
    overflow = "document.documentElement.scrollWidth - innerWidth"
    handout.wait(lambda: page.evaluate(overflow) <= 0, "the page does not scroll sideways")
    assert page.pdf().startswith(b"%PDF")
    handout.close()
