"""A class's lab in the browser: its code, a student's runs, the teacher's queue."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer, long_spec
from tests.browser.lab_page import PATIENCE, LabPage, Watch
from tests.browser.test_accessibility import serious

CODE, ADMIN = "sesame 42", "the teacher's own"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    lab = LabServer(
        tmp_path_factory.mktemp("class") / "data",
        access_code=CODE, admin_code=ADMIN, own_runs_only=1, workers=1, fork_workers=0,
    )  # fmt: skip
    lab.start().client.headers["Authorization"] = f"Bearer {ADMIN}"
    yield lab
    lab.close()


def give(lab: LabPage, code: str) -> None:
    lab.page.get_by_label("Code").fill(code)
    lab.button("Enter").click()


def test_a_student_enters_and_the_teacher_clears_the_queue(
    browser: Browser, shared: LabServer, watch: Watch
) -> None:
    watch.expected += ["status of 40[13]"]
    runs = [shared.post(long_spec(seed, steps=100_000))["id"] for seed in range(3)]
    lab = LabPage.open(browser, shared.url, watch, width=390)
    lab.page.goto(f"{shared.url}/runs")
    assert serious(lab) == []
    give(lab, "a wrong one")
    expect(lab.page.get_by_role("alert")).to_have_text("This is not the code: try again.")
    give(lab, CODE)
    rows = lab.page.locator(".run-row")
    expect(rows).to_have_count(3, timeout=PATIENCE)
    expect(rows.get_by_role("button", name="Fork")).to_have_count(3)
    expect(rows.get_by_role("button", name="Remove")).to_have_count(0)
    expect(lab.page.get_by_text("A random cookie tells visitors apart")).to_be_visible()
    rows.last.get_by_role("link").click()
    expect(lab.page.get_by_text("another visitor’s run")).to_be_visible(timeout=PATIENCE)
    expect(lab.button("Stop the run")).to_have_count(0)
    lab.page.go_back()
    lab.page.get_by_role("link", name="Enter the admin’s code").click()
    give(lab, ADMIN)
    queue = lab.page.get_by_role("region", name="Queue")
    expect(queue.get_by_role("listitem")).to_have_count(3, timeout=PATIENCE)
    expect(rows.get_by_role("button", name="Remove")).to_have_count(3)
    assert serious(lab) == []
    queue.get_by_role("button", name="Clear the queue").click()
    queue.get_by_role("button", name="Really stop 2 waiting?").click()
    expect(queue.get_by_role("listitem")).to_have_count(1, timeout=PATIENCE)
    queue.get_by_role("button", name="Stop").last.click()
    expect(queue.get_by_text("Nothing runs and nothing waits")).to_be_visible(timeout=PATIENCE)
    assert {shared.run(run)["status"] for run in runs} == {"cancelled"}
    rows.get_by_role("button", name="Resume").first.click()
    lab.wait(lambda: lab.computed > 50, "it goes on")
    assert lab.page.url.rpartition("/")[2] not in runs
    lab.close()
