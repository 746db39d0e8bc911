"""Lessons on the page: paging, predictions that the run judges, links that set the lab, phones."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.app.tiny_lesson import TINY
from tests.browser.lab_page import PATIENCE, LabPage, Watch
from tests.browser.test_accessibility import serious


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


def test_a_lesson_is_presented_until_the_teacher_ends_it(lab: LabPage) -> None:
    presents = "document.documentElement.hasAttribute('data-present')"
    size = "(text) => parseFloat(getComputedStyle(text).fontSize)"
    lab.page.goto(f"{lab.url}/lessons/gradients?page=2")
    text = lab.page.locator(".lesson-text")
    usual = text.evaluate(size)
    lab.button("Present").click()
    lab.wait(lambda: text.evaluate(size) >= 1.25 * usual, "the text is larger")
    lab.page.get_by_role("link", name="Next").click()
    expect(lab.page.get_by_role("heading", name="One batch in thousands")).to_be_visible()
    expect(
        lab.page.get_by_role("region", name="The lab").get_by_role("button", name="Train").first
    ).to_be_visible()
    assert lab.page.evaluate(presents)
    lab.page.keyboard.press("Escape")
    lab.wait(lambda: not lab.page.evaluate(presents), "it is over")
    lab.page.goto(f"{lab.url}/lessons/gradients?page=3&present")
    expect(lab.page.get_by_role("heading", name="The collapse")).to_be_visible()
    assert lab.page.evaluate(presents)


def test_the_way_to_the_next_lesson_keeps_inside_the_text(lab: LabPage) -> None:
    lab.page.goto(f"{lab.url}/lessons/curvature?page=5")
    onward = lab.page.get_by_role("link", name="Next lesson: A Newton step, and when it fails")
    expect(onward).to_be_visible()
    right = "(element) => element.getBoundingClientRect().right"
    assert onward.evaluate(right) <= lab.page.locator(".lesson-text").evaluate(right)
    pages = lab.page.get_by_text("5 of 5")
    assert pages.evaluate("(words) => words.getClientRects().length") == 1
    assert pages.bounding_box()["height"] < 30


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
    lab = phone.page.get_by_role("region", name="The lab")

    def is_above() -> bool:
        above, below = lab.bounding_box(), heading.bounding_box()
        return bool(above["y"] + above["height"] <= below["y"] < 844)

    phone.wait(is_above, "the lab and the heading share the screen")  # once the lab is filled
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_a_drawn_curve_is_judged_by_the_run(lab: LabPage) -> None:
    page = lab.page
    page.goto(f"{lab.url}/lessons/tiny")
    question = page.get_by_role("region", name="How does the loss of Vanilla go?")
    pad = question.locator("svg")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] - 30, steps=12)
    page.mouse.up()
    first = question.get_by_role("slider").first
    assert float(first.get_attribute("aria-valuenow") or "0") > 1.5
    first.press("ArrowDown")
    question.get_by_role("button", name="That is my prediction").click()
    expect(question).to_contain_text("play to the end: the run answers")
    page.get_by_role("region", name="The lab").get_by_role("button", name="Train").first.click()
    expect(question).to_contain_text("The solid line is what the run did.", timeout=90_000)
    expect(question.locator(".curve-true")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert serious(lab) == []


def test_a_lesson_of_ones_own_shows_its_changes_and_its_mistakes(
    lab: LabPage, own_lessons: Path
) -> None:
    page = lab.page
    file = own_lessons / "springs.md"
    file.write_text(TINY.replace("Which arm is ahead", "Springs"), "utf-8")
    page.goto(f"{lab.url}/lessons/springs")
    expect(page.get_by_role("heading", name="Springs")).to_be_visible()
    file.write_text(TINY.replace("Which arm is ahead", "Stiff springs"), "utf-8")
    expect(page.get_by_role("heading", name="Stiff springs")).to_be_visible(timeout=PATIENCE)
    file.write_text(TINY.replace("metric: loss\nstep: 20", "metric: loss\nstep: soon"), "utf-8")
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"Line \d+ of the lesson’s file: .*step"), timeout=PATIENCE
    )
    expect(page.get_by_role("heading", name="Which arm is ahead")).to_be_visible()
    lab.leave()  # the page asks for the lesson again and again
    file.unlink()


def test_the_keyboard_alone_goes_through_a_lesson(lab: LabPage) -> None:
    page = lab.page
    page.goto(f"{lab.url}/lessons")
    link = page.get_by_role("link", name="Tiny")
    expect(link).to_be_visible()
    tab_to(lab, "Two arms rank three numbers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Which arm is ahead")).to_be_visible()
    question = page.get_by_role("region", name="Which arm has the higher loss")
    train = page.get_by_role("region", name="The lab").get_by_role("button", name="Train").first
    expect(train).to_be_enabled()  # what is not there yet, Tab does not reach
    tab_to(lab, "Vanilla")
    page.keyboard.press("Space")
    tab_to(lab, "That is my prediction")
    page.keyboard.press("Enter")
    expect(question).to_contain_text("You say: Vanilla")
    tab_to(lab, "Train")
    page.keyboard.press("Enter")
    expect(question).to_contain_text(re.compile("At step 20 .* is highest"), timeout=90_000)
    page.keyboard.press("Home")
    tab_to(lab, "Next")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A surface", exact=True)).to_be_visible()
    damping = page.get_by_role("textbox", name="Tikhonov λ")
    expect(damping).to_be_visible()
    tab_to(lab, "a stronger damping")
    page.keyboard.press("Enter")
    expect(damping).to_have_value("10")


def tab_to(lab: LabPage, words: str) -> None:
    """Presses Tab until what has the focus says these words, and shows that it has it."""
    for _ in range(120):
        lab.page.keyboard.press("Tab")
        name, outline = lab.page.evaluate(
            "(() => { const e = document.activeElement;"
            " const words = e.closest('label')?.innerText ?? e.innerText ?? '';"
            " return [words, getComputedStyle(e).outlineStyle]; })()"
        )
        if words in name and name.strip().count("\n") < 4:
            assert outline != "none", f"the focus on {words} is visible"
            return
    raise AssertionError(f"Tab does not reach {words}")
