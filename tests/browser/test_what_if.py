from typing import Any

from playwright.sync_api import Locator, expect

from tests.app.harness import LabServer, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage


def tikhonov_of(lab: LabPage, arm: int) -> Locator:
    """The slider of λ of the arm that is the ``arm``-th with curvature, from 0."""
    return lab.page.get_by_role("slider", name="Tikhonov λ, slider").nth(arm)


def shown_run(lab: LabPage) -> str:
    """The run that the address names."""
    return lab.page.url.split("/runs/")[1][:12]


def drag(lab: LabPage, slider: Locator, to: float) -> None:
    """Drags with the mouse to a share of the slider's length."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    mouse = lab.page.mouse
    mouse.move(box["x"] + box["width"] * 0.5, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] * to, middle, steps=4)
    mouse.up()


def test_dragging_lambda_in_the_middle_forks(
    lab: LabPage, server: LabServer, finished: str
) -> None:
    lab.go_to_run(finished, "?step=100")
    drag(lab, tikhonov_of(lab, 1), 0.95)

    def changes() -> list[dict[str, Any]]:
        """Those of the run that the page shows; at first of a place that the drag passed."""
        shown = server.run(shown_run(lab))
        if "spec" not in shown:  # the page has put another in its place just now
            return []
        assert finished in (shown["id"], shown["parent"])
        return shown["spec"]["changes"]

    lab.wait(lambda: any(change["tikhonov"] > 10 for change in changes()), "a fork")
    (change,) = changes()
    assert (change["step"], change["arm"], change["lr"]) == (100, 2, None)
    expect(lab.page.get_by_text("the run as it was, before the change")).to_be_visible()
    lab.wait(lambda: lab.step > 100, "the fork plays on from its step")
    expect(lab.sentence).to_contain_text("since step 100")
    changed = lab.page.get_by_role("textbox", name="Tikhonov λ").nth(1)
    expect(changed).not_to_have_value("0.1", timeout=PATIENCE)


def test_of_many_drags_the_last_counts(lab: LabPage, server: LabServer, finished: str) -> None:
    lab.go_to_run(finished, "?step=50")
    with lab.forks_held():  # a slow hand would meet the first fork, and ask from a later step
        for place in (0.2, 0.35, 0.8):
            drag(lab, tikhonov_of(lab, 0), place)
        wanted = float(lab.page.get_by_role("textbox", name="Tikhonov λ").nth(0).input_value())
    lab.wait(lambda: shown_run(lab) != finished, "the fork of the last drag")
    shown = server.run(shown_run(lab))
    assert [change["tikhonov"] for change in shown["spec"]["changes"]] == [wanted]
    # shown once playback has passed the step from which the change acts
    control = lab.page.get_by_role("textbox", name="Tikhonov λ").nth(0)
    expect(control).to_have_value(f"{wanted:g}", timeout=PATIENCE)


def test_at_the_start_a_drag_sets_the_next_run(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=0")
    drag(lab, tikhonov_of(lab, 0), 0.9)
    expect(lab.page.get_by_text("The controls differ from the run")).to_be_visible()
    expect(lab.bar.get_by_role("button", name="Train")).to_be_visible()
    lab.button("Back to the run’s settings").click()
    expect(lab.bar.get_by_role("button", name="Play")).to_be_visible(timeout=PATIENCE)


def test_the_link_of_a_what_if_shows_the_run_without_it_too(lab: LabPage, finished: str) -> None:
    note = lab.page.get_by_text("the run as it was, before the change")
    lab.go_to_run(finished, "?step=100")
    seen: set[str] = set()
    for place in (0.9, 0.3):  # the second asks the same question again
        seen.add(shown_run(lab))
        drag(lab, tikhonov_of(lab, 1), place)
        lab.wait(lambda: shown_run(lab) not in seen, "a fork")
        expect(note).to_be_visible(timeout=PATIENCE)
    lab.page.reload()
    expect(note).to_be_visible(timeout=PATIENCE)
    lab.page.goto(lab.page.url.replace(shown_run(lab), finished))
    expect(lab.sentence).not_to_be_empty(timeout=PATIENCE)
    expect(note).to_be_hidden()


def test_what_is_set_at_the_end_holds_for_the_whole_next_run(
    lab: LabPage, server: LabServer
) -> None:
    changes = [
        {"step": 10, "arm": 0, "lr": 0.5},
        {"step": 20, "arm": 1, "tikhonov": 7.0},
    ]
    before = server.finish(tiny_spec(steps=40, changes=changes))
    lab.go_to_run(before)
    control = lab.page.get_by_role("textbox", name="Tikhonov λ")
    expect(control).to_have_value("7")
    settings = lab.page.get_by_role("complementary", name="Settings")
    later = settings.get_by_text("7 from step 20 on")
    lab.page.get_by_role("region", name="Task and loss").get_by_text("More").click()
    lab.page.get_by_label("Seed", exact=True).fill("3")
    lab.page.keyboard.press("Tab")
    expect(later).to_be_visible()  # it would be in the next run too
    expect(control).to_have_value("0.1")
    control.fill("5")
    lab.page.keyboard.press("Tab")
    expect(later).to_be_hidden()
    lab.bar.get_by_role("button", name="Train").click()
    lab.wait(lambda: before not in lab.page.url and lab.step == 40, "the next run")
    spec = server.run(shown_run(lab))["spec"]
    assert spec["arms"][1]["tikhonov"] == 5
    assert [(change["arm"], change["lr"]) for change in spec["changes"]] == [(0, 0.5)]
