"""A real browser on a real server: whatever a reader of the page would notice fails a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from app.static import page_dir
from scripts.lab_browser import ARGUMENTS, find_browser
from tests.app.harness import LabServer
from tests.app.tiny_lesson import TINY
from tests.browser.lab_page import LabPage, Watch

MISSING = "NO BROWSER: the tests of the page did not run; install chromium to run them"


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # For this package alone: while it is open, its event loop counts as running in this thread.
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    if not (page_dir() / "index.html").is_file():
        pytest.fail("the page is not built: run `make page`")
    started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    yield started
    started.close()


@pytest.fixture(scope="package")
def own_lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's own lessons, with one in it."""
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "tiny.md").write_text(TINY, "utf-8")
    return folder


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, own_lessons: Path) -> Iterator[LabServer]:
    data_dir = tmp_path_factory.mktemp("lab") / "data"
    started = LabServer(data_dir, workers=1, fork_workers=1, lessons_dir=own_lessons)
    started.start()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _no_run_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stops what a test has left going: the next one would wait for the only worker."""
    if "server" not in request.fixturenames:
        yield
        return
    server: LabServer = request.getfixturevalue("server")
    yield
    server.stop_runs()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the page must not do; a test that expects some of it says so."""
    watched = Watch()
    yield watched
    assert watched.complaints() == []


@pytest.fixture
def lab(browser: Browser, server: LabServer, watch: Watch) -> Iterator[LabPage]:
    """A page of 1280 x 900, in light, that has not gone anywhere yet."""
    opened = LabPage.open(browser, server.url, watch)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def finished(server: LabServer) -> str:
    """A small run that has finished, shared by tests that only look."""
    return server.finish(
        {
            "task": {"name": "ranking", "n": 4, "test_sets": 50},
            "loss": {"name": "neuralsort"},
            "arms": [
                {"label": "Vanilla"},
                {"label": "Hessian", "curvature": "hessian"},
                {"label": "Fisher", "curvature": "fisher"},
            ],
            "steps": 200,
            "batch_size": 8,
            "evaluate_every": 50,
        }
    )


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
