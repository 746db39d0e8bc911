"""Lessons on the page: paging, a prediction that the run judges, links that set the lab, phones."""

import re

from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import LabPage, Watch


def test_a_prediction_is_judged_by_the_run(lab: LabPage) -> None:
    page = lab.page
    page.goto(f"{lab.url}/lessons")
    page.get_by_role("link", name="Curvature wins").click()
    expect(page.get_by_role("heading", name="A network that drives")).to_be_visible()
    page.get_by_role("radio", name="Clipped").check()
    page.get_by_role("button", name="That is my prediction").click()
    question = page.get_by_role("region", name="Predict")
    expect(question).to_contain_text("You say: Clipped")
    expect(question).to_contain_text("the run answers")
    page.get_by_role("region", name="The lab").get_by_role("button", name="Train").first.click()
    expect(question).to_contain_text("Not so. At step 100 Hessian is highest.", timeout=90_000)
    page.reload()  # the answer is kept; the run is not on the page any more
    expect(question).to_contain_text("You say: Clipped")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"/lessons/curvature-wins\?page=2$"))
    page.go_back()
    expect(page.get_by_role("heading", name="A network that drives")).to_be_visible()


def test_the_text_drives_the_lab_and_terms_explain_themselves(lab: LabPage) -> None:
    page = lab.page
    page.goto(f"{lab.url}/lessons/newton-step?page=5")
    damping = page.get_by_role("textbox", name="Tikhonov λ")
    expect(damping).to_have_value("2")
    page.get_by_role("button", name="λ = 10").click()
    expect(damping).to_have_value("10")
    expect(page.get_by_role("textbox", name="Start x")).to_have_count(0)  # the scene hides it
    page.get_by_role("article").get_by_role("button", name="Tikhonov damping").click()
    meaning = page.get_by_role("dialog")
    expect(meaning).to_contain_text("A number added to every curvature")
    meaning.get_by_role("link", name="A Newton step").click()
    expect(meaning).to_be_hidden()
    expect(page.get_by_role("heading", name="One step to the bottom")).to_be_visible()


def test_on_a_phone_the_lab_is_above_the_text(
    browser: Browser, server: LabServer, watch: Watch
) -> None:
    phone = LabPage.open(browser, server.url, watch, width=390, height=844)
    phone.page.goto(f"{server.url}/lessons/newton-step")
    heading = phone.page.get_by_role("heading", name="One step to the bottom")
    expect(heading).to_be_visible()
    above = phone.page.get_by_role("region", name="The lab").bounding_box()
    below = heading.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"] < 844
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()
