from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer, long_spec
from tests.browser.lab_page import PATIENCE, LabPage, Watch


@pytest.fixture
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server of one's own, to be killed."""
    started = LabServer(tmp_path_factory.mktemp("fragile") / "data", workers=1, fork_workers=0)
    started.start()
    yield started
    started.close()


def test_a_server_killed_and_restarted_under_the_page(
    browser: Browser, fragile: LabServer, watch: Watch
) -> None:
    watch.expected += ["ERR_", "Failed to load resource"]
    lab = LabPage.open(browser, fragile.url, watch)
    run_id = fragile.post(long_spec(seed=202, steps=100_000))["id"]
    lab.go_to_run(run_id)
    lab.wait(lambda: lab.computed > 50, "the run computes")
    fragile.kill()
    expect(lab.page.get_by_text("Connection lost at step")).to_be_visible(timeout=PATIENCE)
    before = lab.computed
    fragile.start(port=int(fragile.url.rsplit(":", 1)[1]))
    expect(lab.page.get_by_text("This run failed")).to_be_visible(timeout=60_000)
    expect(lab.page.get_by_text("interrupted")).to_be_visible()
    assert lab.computed >= before
    # The next action goes on from the last snapshot.
    lab.button("Resume").click()
    lab.wait(lambda: run_id not in lab.page.url, "another run")
    lab.wait(lambda: lab.computed > 50, "it computes")
    lab.close()


def test_a_page_without_its_server_says_so(
    browser: Browser, fragile: LabServer, watch: Watch
) -> None:
    watch.expected += ["ERR_", "Failed to load resource"]
    lab = LabPage.open(browser, fragile.url, watch)
    lab.go()
    expect(lab.bar.get_by_role("button", name="Play")).to_be_enabled(timeout=PATIENCE)
    fragile.kill()
    lab.bar.get_by_role("button", name="Play").click()
    expect(lab.page.get_by_role("alert")).to_contain_text("The server does not answer")
    fragile.start(port=int(fragile.url.rsplit(":", 1)[1]))
    lab.button("Try again").click()
    lab.wait(lambda: "/runs/" in lab.page.url, "the run starts after all")
    lab.close()


def test_places_in_the_queue(browser: Browser, fragile: LabServer, watch: Watch) -> None:
    specs = [long_spec(seed=seed, steps=100_000) for seed in (301, 302, 303)]
    first, second, third = (fragile.post(spec)["id"] for spec in specs)
    lab = LabPage.open(browser, fragile.url, watch)
    lab.go(f"runs/{third}")
    expect(lab.page.get_by_text("one run is before it")).to_be_visible(timeout=PATIENCE)
    blocker = lab.page.get_by_role("status").get_by_role("link")
    expect(blocker).to_have_attribute("href", f"runs/{first}", timeout=PATIENCE)
    expect(lab.page.get_by_text("which takes about")).to_be_visible(timeout=PATIENCE)
    fragile.client.post(f"/api/runs/{second}/stop")
    expect(lab.page.get_by_text("This run is next")).to_be_visible(timeout=PATIENCE)
    lab.button("Leave the queue").click()
    expect(lab.page.get_by_text("This run was stopped")).to_be_visible(timeout=PATIENCE)
    fragile.client.post(f"/api/runs/{first}/stop")
    lab.close()
