import json
import time
from urllib.parse import urlsplit

from playwright.sync_api import Route, expect

from tests.app.harness import LabServer, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage, Watch


def test_a_reload_in_the_middle_comes_back_to_the_step(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished)
    lab.scrub(77)
    lab.wait(lambda: "step=77" in lab.page.url, "the address follows")
    lab.page.reload()
    lab.wait(lambda: lab.step == 77, "back at the step")
    expect(lab.sentence).not_to_be_empty()


def test_a_shared_link_shows_the_same_in_a_second_tab(lab: LabPage, finished: str) -> None:
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.go_to_run(finished, "?step=120")
    lab.page.get_by_label("smoothing").select_option("10")
    lab.bar.get_by_label("Speed").select_option("20")
    lab.share("Copy a link")
    expect(lab.page.get_by_text("Link copied")).to_be_visible()
    link = lab.page.evaluate("navigator.clipboard.readText()")
    other = lab.second_tab()
    other.page.goto(link)
    other.wait(lambda: other.step == 120, "the same step")
    expect(other.sentence).to_have_text(lab.sentence.inner_text(), use_inner_text=True)
    expect(other.page.get_by_label("smoothing")).to_have_value("10")
    expect(other.bar.get_by_label("Speed")).to_have_value("20")


def test_a_spec_travels_in_the_address(lab: LabPage) -> None:
    lab.go("?preset=sgd")
    number = lab.page.get_by_label("Numbers in a ranking", exact=True)
    number.fill("7")
    number.press("Enter")
    arms = lab.page.locator(".arm").count()
    lab.button("Add an arm").click()
    expect(lab.page.locator(".arm")).to_have_count(arms + 1)
    # both edits: an address that is written between them has only one
    lab.wait(
        lambda: "task.n~7" in lab.page.url and f"~arms.{arms}." in lab.page.url,
        "the address follows",
    )
    other = lab.second_tab()
    other.page.goto(lab.page.url)
    expect(other.page.get_by_label("Numbers in a ranking", exact=True)).to_have_value("7")
    expect(other.page.locator(".arm")).to_have_count(lab.page.locator(".arm").count())
    expect(other.page.get_by_label("Preset")).to_have_value("")


def test_nonsense_in_an_address_is_ignored(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=-4&speed=fast&nonsense=1&yaxis=up&with=&colours=99&smooth=1.5")
    lab.wait(lambda: lab.step == 200, "the run's end")
    lab.go("?spec=~~~&preset=no-such-preset")
    expect(lab.page.get_by_role("alert")).to_contain_text("cannot be read", timeout=PATIENCE)
    expect(lab.bar.get_by_role("button", name="Play")).to_be_enabled(timeout=PATIENCE)


def test_a_run_that_is_gone_says_so(lab: LabPage, watch: Watch) -> None:
    watch.expected.append("404")
    lab.go("runs/0123456789ab")
    expect(lab.page.get_by_role("alert")).to_contain_text("there is no run", timeout=PATIENCE)
    expect(lab.bar.get_by_role("button", name="Play")).to_be_enabled()


def test_the_back_button_leads_back(lab: LabPage, finished: str) -> None:
    lab.go()
    expect(lab.bar.get_by_role("button", name="Play")).to_be_enabled(timeout=PATIENCE)
    lab.page.get_by_role("link", name="Runs", exact=True).click()
    lab.page.locator(f'a[href="runs/{finished}"]').click()
    lab.wait(lambda: lab.step == 200, "the run")
    lab.page.go_back()
    expect(lab.page.get_by_role("heading", name="Runs")).to_be_visible()
    lab.page.go_back()
    expect(lab.page.get_by_role("heading", name="Task and loss")).to_be_visible()


def test_two_runs_laid_over_each_other(lab: LabPage, server: LabServer, finished: str) -> None:
    other = server.finish(tiny_spec(seed=7))
    lab.go("runs")
    for run_id in (finished, other):
        lab.page.locator(".run-row", has=lab.page.locator(f'a[href="runs/{run_id}"]')).get_by_role(
            "checkbox"
        ).check()
    lab.button("Compare these 2").click()
    expect(lab.page.get_by_text("The faint curves are run")).to_be_visible(timeout=PATIENCE)
    assert urlsplit(lab.page.url).path == f"/runs/{finished}"
    lab.wait(lambda: f"with={other}" in lab.page.url, "the address names both")
    lab.page.reload()
    expect(lab.page.get_by_text("The faint curves are run")).to_be_visible(timeout=PATIENCE)
    lab.button("Hide them").click()
    expect(lab.page.get_by_text("The faint curves are run")).to_be_hidden()


def test_runs_of_two_tasks_are_not_laid_over_each_other(
    lab: LabPage, server: LabServer, finished: str
) -> None:
    other = server.finish(
        tiny_spec(task={"name": "classification"}, loss={"name": "cross_entropy"}, seed=7)
    )
    lab.go("runs")
    for run_id in (finished, other):
        lab.page.locator(".run-row", has=lab.page.locator(f'a[href="runs/{run_id}"]')).get_by_role(
            "checkbox"
        ).check()
    expect(lab.page.get_by_role("button", name="these have nothing in common")).to_be_disabled()
    lab.go_to_run(finished, f"?with={other}")
    expect(lab.page.get_by_role("alert")).to_contain_text("another task", timeout=PATIENCE)
    expect(lab.page.get_by_text("The faint curves are run")).to_be_hidden()


def test_pinning_forking_and_removing(lab: LabPage, server: LabServer) -> None:
    run_id = server.finish(tiny_spec(seed=8, steps=41))
    lab.go("runs")
    row = lab.page.locator(".run-row", has=lab.page.locator(f'a[href="runs/{run_id}"]'))
    row.get_by_role("button", name="Pin", exact=True).click()
    expect(row.get_by_role("button", name="Unpin")).to_be_visible()
    assert server.run(run_id)["pinned"] is True
    row.get_by_role("button", name="Fork").click()
    lab.page.get_by_role("region", name="Task and loss").get_by_text("More").click()
    expect(lab.page.get_by_label("Steps", exact=True)).to_have_value("41")
    lab.wait(lambda: "spec=" in lab.page.url, "the address holds the spec")
    lab.go("runs")
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Really remove").click()
    expect(row).to_have_count(0)
    assert server.client.get(f"/api/runs/{run_id}").status_code == 404


def test_every_export_leads_to_a_file(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished)
    lab.page.get_by_text("Export", exact=True).click()
    links = lab.page.locator(".menu-list a")
    expect(links).to_have_count(5)
    for name, begins in (("Numbers", "run,arm,step,metric,value"), ("Spec", "{")):
        with lab.page.expect_download() as download:
            links.filter(has_text=name).first.click()
        text = download.value.path().read_text()
        assert text.startswith(begins)
        lab.page.get_by_text("Export", exact=True).click()
    assert json.loads(text)["steps"] == 200


def test_a_report_says_that_it_is_being_made(lab: LabPage, watch: Watch, finished: str) -> None:
    lab.go_to_run(finished)
    held: list[Route] = []
    lab.page.route("**/export?format=html", lambda route: held.append(route))
    made = lab.page.get_by_text("The report is being made")

    def press() -> Route:
        lab.page.get_by_text("Export", exact=True).click()
        lab.page.locator(".menu-list a").filter(has_text="Report").click()
        expect(made).to_be_visible()
        lab.wait(lambda: bool(held), "it is asked for")
        return held.pop()

    watch.expected.append("503")
    press().fulfill(status=503, json={"detail": "The page is not built."})
    expect(lab.page.get_by_text("No report: The page is not built.")).to_be_visible()
    expect(made).to_have_count(0)
    with lab.page.expect_download() as download:
        press().fulfill(
            body="<p>it", headers={"Content-Disposition": 'attachment; filename="it.html"'}
        )
    assert download.value.suggested_filename == "it.html"
    expect(made).to_have_count(0)


def later(route: Route) -> None:
    """A slow server: what a link names must wait until it is known to be there."""
    time.sleep(0.5)
    route.continue_()


def test_a_page_of_its_own_is_in_its_address(lab: LabPage) -> None:
    lab.page.route("**/api/catalog", later)
    lab.go("three-numbers?across=-7&up=0.3&range=10&tikhonov=1e-9&step=45&lr=nonsense&loss=none")
    step = lab.page.get_by_role("slider", name="Step")
    expect(lab.page.get_by_label("Start, across")).to_have_value("-7")
    expect(lab.page.get_by_label("Start, up")).to_have_value("0.3")
    expect(lab.page.get_by_label("Tikhonov λ", exact=True)).to_have_value("1e-9")
    expect(lab.page.get_by_label("Learning rate")).to_have_value("1")  # what it is without a link
    expect(lab.page.get_by_label("Loss", exact=True)).not_to_have_value("none")
    expect(step).to_have_value("45")
    lab.page.get_by_label("Loss", exact=True).select_option("softsort")
    lab.page.get_by_role("button", name="Back 1").click()
    lab.wait(lambda: "step=44" in lab.page.url, "the address follows")
    lab.page.get_by_role("link", name="Surfaces").click()
    lab.page.get_by_role("link", name="Three numbers").click()
    expect(step).to_have_value("44")
    lab.page.reload()
    expect(step).to_have_value("44")
    expect(lab.page.get_by_label("Start, across")).to_have_value("-7")
    expect(lab.page.get_by_label("Loss", exact=True)).to_have_value("softsort")
