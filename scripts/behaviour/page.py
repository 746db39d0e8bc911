"""A walk through the page: what it says, draws and asks, in each place and state."""

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from scripts.behaviour.build import build_page
from scripts.behaviour.cases import PERTURBED, RANKING, SURFACES, VALUES
from scripts.behaviour.events import Things
from scripts.behaviour.server import Lab, Record, serving
from scripts.behaviour.trees import Tree, TreeError, data_folder
from scripts.behaviour.visits import PATIENCE, TALL, VISITS, look
from scripts.lab_browser import ARGUMENTS, find_browser, follow_requests

_CAPTURE = Path(__file__).with_name("capture.js").read_text("utf-8")
SETTLED_MS = 700
"""Longer than the page waits for anything: between two looks that must be the same."""
MOST_LOOKS = 200
_WHEN_IDLE = "() => new Promise((done) => requestIdleCallback(() => done(null), {timeout: 2000}))"
"""A page that draws no frame is never called back without a limit, though it is idle."""
_CHANCE = (
    (re.compile(r"finished in [^\n\"]+"), "finished in TIME"),
    (re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}\s[AP]M"), "MOMENT"),
    (re.compile(r"\.WebGL-0x[0-9a-f]+"), ".WebGL"),
)
"""What a page says otherwise each time (moments, addresses in memory), and what stands for it."""


def page_things(tree: Tree) -> Things:
    """What the page of a tree shows on the whole walk; the page is built where it is not.

    Raises:
        TreeError: there is no browser, or the page cannot be built.
    """
    path = find_browser()
    if path is None:
        raise TreeError("there is no Chromium on this machine: leave the page out with --only")
    build_page(tree)
    things: Things = {}
    with (
        data_folder() as data,
        serving(tree, data) as lab,
        sync_playwright() as playwright,
    ):
        runs = _finished_runs(lab)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        window = functools.cache(lambda width, dark: _window(browser, width, dark))
        for visit in VISITS:
            address = f"{lab.url}/{visit.path.format(**runs)}"
            seen = _see(window(visit.width, visit.dark), lab, address, visit.act)
            things[f"page/{visit.name}"] = seen
        report = data / "report.html"
        export = lab.client.get(f"/api/runs/{runs['ranking']}/export?format=html")
        report.write_bytes(export.content)
        things["page/report"] = _see(window(1280, False), lab, report.as_uri())
        browser.close()
    return things


def _finished_runs(lab: Lab) -> dict[str, str]:
    cases = (RANKING, SURFACES, PERTURBED, VALUES)
    runs = {case.name: lab.finish(case.spec) for case in cases}
    longer = {**RANKING.spec, "steps": 18}
    return {**runs, "longer": lab.finish(longer, **{"from": runs["ranking"]})}


def _window(browser: Browser, width: int, dark: bool) -> BrowserContext:
    """Tabs of one size and theme; what they load, Plotly above all, they load once."""
    return browser.new_context(
        viewport={"width": width, "height": TALL},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
    )


def _see(
    window: BrowserContext, lab: Lab, address: str, act: Callable[[Page], None] = look
) -> Record:
    """What an address shows once it has settled, with what the console said."""
    page = window.new_page()
    said = _listen(page)
    pending = follow_requests(page)
    page.goto(address, timeout=PATIENCE)
    _settle(page, pending)
    act(page)
    seen = json.loads(_settle(page, pending))
    seen["aria"] = page.locator("body").aria_snapshot().splitlines()
    seen |= {"address": page.url, "console": said}
    _remember_new_run(lab, page.url)
    page.close()
    text = lab.masked(json.dumps(seen, ensure_ascii=False))
    for pattern, word in _CHANCE:
        text = pattern.sub(word, text)
    record: Record = json.loads(text)
    return record


def _listen(page: Page) -> list[str]:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    return said


def _settle(page: Page, pending: set[Any]) -> str:
    """What the page shows, as JSON, once nothing is asked and two looks are the same.

    Raises:
        TreeError: it goes on changing.
    """
    before = ""
    for _ in range(MOST_LOOKS):
        page.wait_for_timeout(SETTLED_MS)
        page.evaluate(_WHEN_IDLE)
        now = json.dumps(page.evaluate(_CAPTURE))
        if now == before and not pending:
            return now
        before = now
    raise TreeError(f"{page.url} does not settle; it waits for {[r.url for r in pending]}")


def _remember_new_run(lab: Lab, address: str) -> None:
    """A run that the page has made gets a number as well."""
    found = re.search(r"/runs/([0-9a-f]{12})", address)
    if found and found.group(1) not in lab.runs and found.group(1) != "0123456789ab":
        lab.runs.append(found.group(1))
