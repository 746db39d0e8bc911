"""The page as its readers use it: by names and roles, never by the insides."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    Response,
    Route,
    expect,
)

PATIENCE = 40_000  # milliseconds: these machines may be busy
expect.set_options(timeout=PATIENCE)

SMALL_MAPS = {
    "name": "shortest_path",
    "data": {"name": "terrain", "height": 6, "width": 6, "train_maps": 40, "test_maps": 10},
}
"""A task of shortest paths that trains in seconds."""


@dataclass
class Watch:
    """Errors and requests of a page, and which of them a test expects."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    failed: list[Response] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def follow(self, page: Page, origin: str) -> None:
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: (
                self.errors.append(f"console: {message.text}")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("request", lambda request: self._check(request.url, origin))
        page.on("response", self._note)

    def _check(self, url: str, origin: str) -> None:
        if not url.startswith((origin, "data:", "blob:")):
            self.strangers.append(url)

    def _note(self, answer: Response) -> None:
        if answer.status >= 400:
            self.failed.append(answer)

    def read_refusals(self) -> None:
        """Reads what failed requests were answered; their pages must still be open."""
        self.refusals += [told(answer) for answer in self.failed]
        self.failed.clear()

    def complaints(self) -> list[str]:
        """What happened and was not expected."""
        unexpected = [e for e in self.errors if not any(re.search(x, e) for x in self.expected)]
        if unexpected:  # the console says that something was refused, and not what
            unexpected += self.refusals
        return unexpected + [f"request to another origin: {url}" for url in self.strangers]


def told(answer: Response) -> str:
    """What was asked, and how it was refused."""
    asked = f"{answer.request.method} {answer.url} {answer.request.post_data or ''}"
    try:
        body = answer.text()
    except Error as error:  # the page has moved on, and the browser has dropped the answer
        body = error.message
    return f"refused: {asked}: {answer.status} {body}"


class LabPage:
    """One tab."""

    def __init__(self, page: Page, url: str, watch: Watch, context: BrowserContext | None) -> None:
        watch.follow(page, url)
        self.page = page
        self.url = url
        self._watch = watch
        self._context = context
        page.set_default_timeout(PATIENCE)

    @classmethod
    def open(
        cls,
        browser: Browser,
        url: str,
        watch: Watch,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        reduced_motion: bool = False,
    ) -> "LabPage":
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        return cls(context.new_page(), url, watch, context)

    def second_tab(self) -> "LabPage":
        assert self._context is not None
        return LabPage(self._context.new_page(), self.url, self._watch, None)

    def leave(self) -> None:
        """Leaves the lab, so that what a test removes next is asked for no more."""
        self._watch.read_refusals()
        self.page.goto("about:blank")

    def close(self) -> None:
        self._watch.read_refusals()
        if self._context is not None:
            self._context.close()

    def go(self, path: str = "") -> None:
        self.page.goto(f"{self.url}/{path}")

    def go_to_run(self, run_id: str, query: str = "") -> None:
        """Opens a run and waits until it is there: all of it if it has ended, at the link's step.

        A log comes in pieces, and playback follows it to its step.
        """
        known = self.page.request.get(f"{self.url}/api/runs/{run_id}").json()
        self.go(f"runs/{run_id}{query}")
        expect(self.slider).to_be_enabled()
        self.wait(lambda: self.computed > 0, "the run's log arrives")
        if known["ended"] is not None:
            expect(self.button("Stop the run")).to_have_count(0)
        if step := re.search(r"[?&]step=(\d+)", query):
            self.wait(lambda: self.step == int(step[1]), "playback is at the step")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def share(self, what: str) -> None:
        """Copies what the menu Share offers under this name."""
        self.page.locator("summary", has_text="Share").click()
        self.page.get_by_role("button", name=what).click()

    @property
    def bar(self) -> Locator:
        return self.page.get_by_role("region", name="Playback")

    @property
    def slider(self) -> Locator:
        return self.bar.get_by_role("slider", name="Step")

    @property
    def sentence(self) -> Locator:
        return self.page.locator(".sentence")

    @property
    def step(self) -> int:
        """The playback step."""
        return int(self.slider.input_value())

    @property
    def computed(self) -> int:
        """How far the run has computed, as the slider tells a screen reader."""
        text = self.slider.get_attribute("aria-valuetext") or ""
        match = re.search(r"computed to ([\d,]+)", text)
        assert match is not None, text
        return int(match.group(1).replace(",", ""))

    @contextmanager
    def forks_held(self) -> Iterator[list[Route]]:
        """What-ifs that are asked for in the block reach the server after it, in their order."""
        held: list[Route] = []
        pattern = re.compile(r"/api/runs\?from=")
        self.page.route(pattern, lambda route: held.append(route))
        yield held
        for route in held:  # also those that come meanwhile
            route.continue_()
        self.page.unroute(pattern)

    def scrub(self, step: int) -> None:
        """Drags the time slider to a step."""
        self.slider.fill(str(step))

    def wait(self, happened: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it did not happen within {seconds:.0f} s: {what}")

    def wait_for_curve(self) -> None:
        """Until the charts have drawn at least one point."""
        self.wait(lambda: self.points_drawn() > 0, "a curve is drawn")

    def points_drawn(self) -> int:
        """Points of all curves in the big chart now."""
        return int(
            self.page.evaluate(
                """() => (document.querySelector('.js-plotly-plot')?.data ?? [])
                    .reduce((sum, trace) => sum + (trace.x?.length ?? 0), 0)"""
            )
        )
