"""A teacher's page, and a phone that follows it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.app.harness import LabServer, tiny_spec
from tests.browser.lab_page import LabPage, Watch


@pytest.fixture(scope="module")
def finished(server: LabServer) -> str:
    return server.finish(tiny_spec(seed=431, steps=60))


@pytest.fixture
def phone(browser: Browser, server: LabServer, watch: Watch) -> Iterator[LabPage]:
    opened = LabPage.open(browser, server.url, watch, width=390, height=844)
    yield opened
    opened.close()


def says(page: LabPage, words: str) -> None:
    """The teacher's page hears how many follow at its own heartbeats, seconds apart."""
    bar = page.page.get_by_role("region", name="Presentation")
    expect(bar).to_contain_text(words, timeout=30_000)


def test_a_phone_goes_where_the_teacher_goes_until_it_leaves(
    lab: LabPage, phone: LabPage, finished: str
) -> None:
    lab.go_to_run(finished, "?step=10")
    lab.share("Let others follow")
    bar = lab.page.get_by_role("region", name="Presentation")
    link = bar.get_by_role("link").get_attribute("href") or ""
    expect(bar.get_by_role("img", name="QR code")).to_be_visible()
    phone.page.goto(link)
    phone.wait(lambda: finished in phone.page.url, "the phone shows the run")
    phone.wait(lambda: phone.step == 10, "at the teacher's step")
    says(phone, "goes where the teacher’s page goes")
    says(lab, "1 page follows")

    lab.scrub(42)
    phone.wait(lambda: phone.step == 42, "it goes along")
    lab.page.get_by_role("link", name="Surfaces").click()
    phone.wait(lambda: "/surfaces" in phone.page.url, "to other pages too")

    phone.button("Leave").click()
    lab.go_to_run(finished, "?step=20")  # a reload: the presentation goes on
    says(lab, "0 pages follow")
    assert "/surfaces" in phone.page.url
    phone.button("Follow again").click()
    phone.wait(lambda: finished in phone.page.url and phone.step == 20, "it is back")

    lab.button("End").click()
    says(phone, "The presentation is over")
    expect(bar).to_have_count(0)


def test_the_projector_shows_the_code_and_points_at_a_panel(
    lab: LabPage, phone: LabPage, finished: str
) -> None:
    lab.go_to_run(finished)
    lab.share("Let others follow")
    bar = lab.page.get_by_role("region", name="Presentation")
    phone.page.goto(bar.get_by_role("link").get_attribute("href") or "")
    says(phone, "goes where")
    lab.button("Point at panels").click()
    lab.page.locator(".sentence").hover()
    expect(phone.page.locator("[data-pointed]")).to_have_count(1)
    lab.button("Point at panels").click()
    expect(phone.page.locator("[data-pointed]")).to_have_count(0)
    lab.button("Present").click()
    corner = lab.page.get_by_role("complementary", name="Follow this presentation")
    expect(corner).to_contain_text("/follow/")
    lab.page.keyboard.press("Escape")
    expect(corner).to_have_count(0)
    lab.button("End").click()


def slider(page: LabPage) -> Locator:
    return page.page.get_by_role("slider", name="Step")


def test_a_phone_follows_a_lesson_with_its_page_and_its_lab(lab: LabPage, phone: LabPage) -> None:
    lab.go("lessons/newton-step?page=2")
    lab.share("Let others follow")
    bar = lab.page.get_by_role("region", name="Presentation")
    phone.page.goto(bar.get_by_role("link").get_attribute("href") or "")
    slider(lab).fill("7")
    expect(slider(phone)).to_have_value("7")
    assert "/lessons/newton-step?page=2" in phone.page.url

    lab.go("lessons/tiny")
    lab.page.get_by_role("button", name="Train").first.click()
    lab.wait(lambda: lab.computed == 40, "the lesson's run is computed")  # no step is beyond it
    lab.scrub(12)
    phone.wait(lambda: "/lessons/tiny" in phone.page.url and phone.step == 12, "its run too")
    lab.button("End").click()


def test_a_link_to_a_page_of_a_lesson_leads_there(lab: LabPage) -> None:
    lab.go("lessons/newton-step?page=2")
    slider(lab).fill("5")
    lab.share("Embed or save a panel")
    frame = lab.page.get_by_label("HTML of the frame")
    expect(frame).to_have_value(re.compile(r"/embed/lessons/newton-step\?page=2&.*step=5"))
