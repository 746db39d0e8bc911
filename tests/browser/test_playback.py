import re

import pytest
from playwright.sync_api import expect

from tests.app.harness import LabServer, long_spec, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage


def test_the_first_visit_is_one_press_from_training(lab: LabPage, server: LabServer) -> None:
    lab.go()
    expect(lab.page.get_by_label("Preset")).to_have_value(
        server.client.get("/api/catalog").json()["presets"][0]["name"]
    )
    lab.bar.get_by_role("button", name="Play").click()
    expect(lab.page).to_have_url(re.compile("/runs/"), timeout=PATIENCE)
    lab.wait_for_curve()
    expect(lab.sentence).not_to_be_empty()
    server.client.post(f"/api/runs/{lab.page.url.split('/runs/')[1][:12]}/stop")


def test_playing_moves_on_and_pausing_rests(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=0&speed=5")  # forty seconds to its end: time to press Pause
    lab.bar.get_by_role("button", name="Play").click()
    lab.wait(lambda: lab.step > 5, "playback moves")
    lab.bar.get_by_role("button", name="Pause").click()
    rested = lab.step
    lab.page.wait_for_timeout(400)
    assert lab.step == rested
    lab.bar.get_by_label("Speed").select_option("100")
    lab.bar.get_by_role("button", name="Play").click()
    lab.wait(lambda: lab.step == 200, "playback reaches the end")
    expect(lab.bar.get_by_role("button", name="Play")).to_be_visible()


def test_stepping_by_each_size(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    for size in (1, 10, 100):
        lab.bar.get_by_label("Steps at a time").select_option(str(size))
        lab.scrub(50)
        lab.bar.get_by_role("button", name="Forward").click()
        assert lab.step == 50 + size
        lab.bar.get_by_role("button", name="Back").click()
        assert lab.step == 50


def test_scrubbing_moves_everything(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished)
    lab.wait_for_curve()
    lab.wait(lambda: lab.step == 200, "an ended run shows its end")
    big = lab.page.locator(".chart-plot").first
    expect(big).to_have_attribute("aria-label", re.compile("At step 200"))
    at_end = lab.sentence.inner_text()
    drawn = lab.points_drawn()
    lab.scrub(0)
    expect(lab.sentence).to_contain_text("same weights")
    expect(lab.page.get_by_text("after step 0")).to_be_visible()
    lab.wait(lambda: lab.points_drawn() < drawn, "charts show less")
    lab.scrub(200)
    expect(lab.sentence).to_have_text(at_end)
    lab.wait(lambda: lab.points_drawn() == drawn, "charts show all again")


def test_playback_stays_within_what_is_computed(lab: LabPage, server: LabServer) -> None:
    run_id = server.post(long_spec(seed=101, steps=100_000))["id"]
    lab.go_to_run(run_id)
    lab.wait(lambda: lab.computed > 50, "the run computes")
    lab.scrub(99_999)
    assert 0 < lab.step <= lab.computed < 99_999
    rested, head = lab.step, lab.computed
    lab.wait(lambda: lab.computed > head, "the run computes on while playback rests")
    assert lab.step == rested
    lab.bar.get_by_role("button", name="To the newest step").click()
    assert lab.step > rested
    server.client.post(f"/api/runs/{run_id}/stop")
    expect(lab.page.get_by_text("This run was stopped")).to_be_visible(timeout=PATIENCE)


def test_keys(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    press = lab.page.keyboard.press
    press(".")
    assert lab.step == 101
    press("ArrowLeft")
    press("ArrowLeft")
    assert lab.step == 99
    press("Shift+ArrowRight")
    assert lab.step == 109
    press("l")
    assert lab.step == 200
    press("?")
    expect(lab.page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(lab.page.get_by_role("dialog")).to_be_hidden()
    lab.scrub(10)
    press("Space")
    lab.wait(lambda: lab.step > 10, "space plays")
    press("Space")
    expect(lab.bar.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize("button", ["Reset", "New seed"])
def test_again_from_the_start(lab: LabPage, server: LabServer, finished: str, button: str) -> None:
    lab.go_to_run(finished, "?step=120")
    lab.bar.get_by_role("button", name=button).click()
    if button == "Reset":
        lab.wait(lambda: lab.step == 0, "back at the start")
        assert finished in lab.page.url
        return
    lab.wait(lambda: "/runs/" in lab.page.url and finished not in lab.page.url, "another run")
    other = lab.page.url.split("/runs/")[1][:12]
    first = server.client.get(f"/api/runs/{finished}").json()["spec"]
    second = server.client.get(f"/api/runs/{other}").json()["spec"]
    assert second == {**first, "seed": first["seed"] + 1}


def test_space_types_nothing_elsewhere(lab: LabPage, finished: str) -> None:
    """A key that a focused control needs is left to it."""
    lab.go_to_run(finished, "?step=100")
    lab.bar.get_by_label("Steps at a time").focus()
    lab.page.keyboard.press("Space")
    lab.page.keyboard.press("Escape")
    assert lab.step == 100


def test_marks_of_the_time_slider_lead_there(lab: LabPage, server: LabServer) -> None:
    changes = [{"step": step, "arm": 1, "tikhonov": 7.0} for step in (10, 30)]
    lab.go_to_run(server.finish(tiny_spec(steps=40, changes=changes)), "?step=0")
    marks = lab.bar.get_by_role("toolbar", name="Spikes and changes").get_by_role("button")
    lab.bar.get_by_role("button", name="Fisher: λ 7 from step 30").click()
    lab.wait(lambda: lab.step == 30, "the press leads to the change")
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowLeft")
    assert lab.step == 30, "arrows go through the marks, not through the run"
    first = marks.nth(0)
    expect(first).to_be_focused()
    told = re.search(r"step (\d+)", first.get_attribute("aria-label") or "")
    assert told is not None
    lab.page.keyboard.press("Space")
    lab.wait(lambda: lab.step == int(told[1]), "space presses the mark, and does not play")
