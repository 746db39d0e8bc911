"""Many tabs of one browser, and connections that die without a word."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer, long_spec
from tests.browser.lab_page import LabPage, Watch
from tests.browser.silence import Proxy, proxy


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server that tells how many streams are open, and whose pings come often."""
    started = LabServer(
        tmp_path_factory.mktemp("tabs") / "data",
        workers=1,
        fork_workers=0,
        prometheus=True,
        keepalive_seconds=0.5,
    )
    started.start()
    yield started
    started.close()


@pytest.fixture
def going(watched: LabServer) -> Iterator[str]:
    """A run that is under way for as long as a test looks."""
    run_id = watched.post(long_spec(seed=700, steps=100_000, log_every=100))["id"]
    yield run_id
    watched.client.post(f"/api/runs/{run_id}/stop?ended_ok=true")
    watched.wait_for(run_id, lambda run: run["ended"] is not None)


def streams(server: LabServer) -> int:
    lines = server.client.get("/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith("newton_lab_viewers ")]
    return int(float(line.split()[1]))


@pytest.fixture
def first(browser: Browser, watched: LabServer, watch: Watch) -> Iterator[LabPage]:
    """The first tab; those that it opens are closed with it, also where a test fails."""
    opened = LabPage.open(browser, watched.url, watch)
    yield opened
    opened.close()


def goes_on(tab: LabPage, steps: int = 0) -> None:
    reached = tab.computed
    tab.wait(lambda: tab.computed > reached + steps, "a tab goes on")


def test_seven_tabs_of_a_running_run_share_one_stream(
    first: LabPage, watched: LabServer, going: str
) -> None:
    tabs = [first, *(first.second_tab() for _ in range(6))]
    for tab in tabs:
        tab.go_to_run(going, "?step=0")  # paused: the tabs need not all draw
    first.wait(lambda: streams(watched) == 1, "one stream is left")
    for tab in tabs:
        goes_on(tab)
    # The others go on where a tab is closed, also that which was there first.
    first.page.close()
    for tab in tabs[1:]:
        goes_on(tab)


def test_tabs_go_on_when_what_they_share_dies(browser: Browser, first: LabPage, going: str) -> None:
    second = first.second_tab()
    for tab in (first, second):
        tab.go_to_run(going, "?step=0")  # paused: the tabs need not all draw
    session = browser.new_browser_cdp_session()

    def workers() -> list[str]:
        targets = session.send("Target.getTargets")["targetInfos"]
        return [each["targetId"] for each in targets if each["type"] == "shared_worker"]

    first.wait(lambda: len(workers()) == 1, "those of closed tabs are gone")
    session.send("Target.closeTarget", {"targetId": workers()[0]})
    goes_on(first, steps=2000)  # more than it may have heard of already
    goes_on(second)


@pytest.fixture
def line(watched: LabServer) -> Iterator[Proxy]:
    with proxy(int(watched.url.rsplit(":", 1)[1])) as started:
        yield started


def test_a_connection_that_falls_silent(
    browser: Browser, watched: LabServer, going: str, line: Proxy, watch: Watch
) -> None:
    lab = LabPage.open(browser, line.url, watch)
    lab.go_to_run(going)
    lost = lab.page.get_by_text("Connection lost at step")
    line.fall_silent()
    expect(lost).to_be_visible()  # and until it is seen: a line that heals at once says so briefly
    line.recover()
    goes_on(lab)
    expect(lost).to_be_hidden()
    lab.close()
