"""The README's pictures, from a real run in a real browser: ``make screenshots``.

    python -m scripts.screenshots [--preset NAME] [--folder docs/images] [--only NAME ...]

A picture is one entry of ``SHOTS``: where to go, how wide, and what to do before it is taken.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Page, sync_playwright

from scripts.lab_browser import ARGUMENTS, find_browser, served

AT_THE_END = """() => {
    const slider = document.querySelector('.track input');
    return slider.value === slider.max;
}"""
PATIENCE = 600_000  # milliseconds: a preset may take minutes


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        name: of the file, without its ending.
        path: what follows the address; ``{run}`` is the finished run of the preset, ``{half}`` a
            step in the middle of it.
        width: of the window; ``height`` likewise.
        dark: in the dark theme.
        prepare: what to do once the page has drawn.
    """

    name: str
    path: str = "runs/{run}"
    width: int = 1440
    height: int = 1120
    dark: bool = False
    prepare: Callable[[Page], None] = lambda page: None


def ask_what_if(page: Page) -> None:
    """Drags the last arm's λ up, and lets the fork compute to its end."""
    slider = page.get_by_role("slider", name="Tikhonov λ, slider").last
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.get_by_text("the run as it was, before the change").wait_for(timeout=PATIENCE)
    page.wait_for_function(AT_THE_END, timeout=PATIENCE)
    page.mouse.move(0, 0)


SHOTS = (
    Shot("compare-light"),
    Shot("compare-dark", dark=True),
    Shot("compare-narrow", width=390, height=1400),
    Shot("what-if", path="runs/{run}?step={half}", prepare=ask_what_if),
    Shot("runs", path="runs", height=700),
)


def finished_run(address: str, preset: str | None) -> dict[str, Any]:
    """Trains a preset (default: the first) and waits for its end."""
    with urlopen(f"{address}/api/catalog") as answer:
        name = preset or json.load(answer)["presets"][0]["name"]
    body = json.dumps({"preset": name}).encode()
    request = Request(f"{address}/api/runs", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        run_id = json.load(answer)["id"]
    with urlopen(f"{address}/api/runs/{run_id}/events", timeout=PATIENCE / 1000) as events:
        for _ in events:  # the stream ends with the run
            pass
    with urlopen(f"{address}/api/runs/{run_id}") as answer:
        run: dict[str, Any] = json.load(answer)
    if run["status"] != "finished":
        raise SystemExit(f"the run ended as {run['status']}: {run['error']}")
    return run


def take(page: Page, shot: Shot, address: str, run: dict[str, Any], folder: Path) -> None:
    """Takes one picture."""
    path = shot.path.format(run=run["id"], half=run["steps"] // 2)
    page.goto(f"{address}/{path}")
    page.wait_for_load_state("networkidle")
    if path.startswith("runs/"):
        page.wait_for_function("document.querySelector('.js-plotly-plot .js-line') !== null")
    shot.prepare(page)
    page.wait_for_timeout(1500)  # the last charts are drawn a frame apart
    page.screenshot(path=folder / f"{shot.name}.png")
    sys.stdout.write(f"{folder / shot.name}.png\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(description="The README's pictures.")
    parser.add_argument("--preset", help="name of the preset to train (default: the first)")
    parser.add_argument("--folder", type=Path, default=Path("docs/images"))
    parser.add_argument("--only", nargs="*", default=[], help="names of the pictures to take")
    options = parser.parse_args(arguments)
    browser_path = find_browser()
    if browser_path is None:
        raise SystemExit("there is no Chromium on this machine: install it to take pictures")
    options.folder.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not options.only or shot.name in options.only]
    with (
        tempfile.TemporaryDirectory() as data,
        served(Path(data)) as address,
        sync_playwright() as playwright,
    ):
        run = finished_run(address, options.preset)
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for shot in shots:
            context = browser.new_context(
                viewport={"width": shot.width, "height": shot.height},
                color_scheme="dark" if shot.dark else "light",
            )
            take(context.new_page(), shot, address, run, options.folder)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
