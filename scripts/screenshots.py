"""The README's pictures, from a real run in a real browser: ``make screenshots``.

    python -m scripts.screenshots [--folder docs/images] [--only NAME ...]

A picture is one entry of ``SHOTS``: where to go, how wide, what to do before it is taken, and
which part of the page it shows.
"""

import argparse
import functools
import io
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from scripts.lab_browser import ARGUMENTS, find_browser, follow_requests, served

AT_THE_END = """() => {
    const slider = document.querySelector('.time-slider input');
    return slider.value === slider.max;
}"""
LANDSCAPES_ARE_DRAWN = """() => {
    const plots = [...document.querySelectorAll('.landscape .js-plotly-plot')];
    const why = document.querySelector('.landscapes-why');
    return plots.length > 1 && !why.textContent.includes('Computing')
        && plots.every((plot) => plot.data.some((trace) => trace.meta.role === 'path'));
}"""
SETTLED = 500  # milliseconds
GAP = 24  # pixels between two pictures
CLASSROOM_HEIGHT = 844  # pixels, a phone's
PATIENCE = 600_000  # milliseconds: a preset may take minutes


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        name: of the file, without its ending.
        path: what follows the address; ``{run}`` is the finished run of the preset.
        preset: whose run it is; None: the first.
        width: of the window; ``height`` likewise.
        dark: in the dark theme.
        region: the accessible name of the part that is taken; None: all that the window shows.
        prepare: what to do once the page has drawn.
        beside: opens a second page, whose picture stands to the right.
        colours: how many the file keeps, which makes it a third as large; None: all.
    """

    name: str
    path: str = "runs/{run}"
    preset: str | None = None
    width: int = 1440
    height: int = 1120
    dark: bool = False
    region: str | None = None
    prepare: Callable[[Page], None] = lambda page: None
    beside: Callable[[Page], Page] | None = None
    colours: int | None = None


def ask_what_if(page: Page) -> None:
    """Drags the last arm's λ up, and lets the fork compute to its end."""
    slider = page.get_by_role("slider", name="Tikhonov λ, slider").last
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.get_by_text("the run as it was, before the change").wait_for(timeout=PATIENCE)
    page.wait_for_function(AT_THE_END, timeout=PATIENCE)
    page.mouse.move(0, 0)


def see_landscapes(page: Page) -> None:
    """Brings the landscapes into view and waits for all of them."""
    panel = page.get_by_role("region", name="Loss landscape")
    panel.scroll_into_view_if_needed()
    page.wait_for_function(LANDSCAPES_ARE_DRAWN, timeout=PATIENCE)


def train_scene(page: Page) -> None:
    """Trains what the lesson shows beside its text, to the end of the scene."""
    train = page.get_by_role("region", name="The lab").get_by_role("button", name="Train").first
    train.click()
    page.wait_for_function("document.querySelector('.js-plotly-plot .js-line') !== null")
    page.wait_for_function(AT_THE_END, timeout=PATIENCE)


def let_follow(page: Page) -> None:
    """Shares the run's every move, and projects it."""
    page.locator("summary", has_text="Share").click()
    page.get_by_role("button", name="Let others follow").click()
    page.get_by_role("button", name="Present").click()
    page.get_by_role("complementary", name="Follow this presentation").wait_for()


def follow(page: Page) -> Page:
    """A phone that follows."""
    corner = page.get_by_role("complementary", name="Follow this presentation")
    address = next(word for word in corner.inner_text().split() if "/follow/" in word)
    phone = page.context.new_page()
    phone.set_viewport_size({"width": 390, "height": CLASSROOM_HEIGHT})
    phone.goto(address)
    phone.wait_for_function("document.querySelector('.js-plotly-plot .js-line') !== null")
    page.get_by_text("1 page follows").wait_for()
    return phone


def open_handout(page: Page) -> None:
    """Saves the lesson as a file, and opens it with the network off."""
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="Hand-out").click()
    file = Path(tempfile.mkdtemp()) / "lesson.html"
    download.value.save_as(file)
    page.context.set_offline(True)
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('.js-plotly-plot .js-line') !== null")
    page.get_by_role("slider", name="Step").fill("100")


FAMILIES = {
    "trajectory": "Where each arm drives",
    "heat": "What each arm reconstructs",
    "discs-sgd": "Which discs each arm sees",
    "spanning-tree": "What each arm builds",
    "jigsaw": "How each arm puts pictures together",
    "forecast": "What each arm forecasts",
}
"""What each family of ``docs/algorithms.md`` shows: the preset, and the panel of its examples."""

SHOTS = (
    Shot("compare-light", height=1700),
    Shot("collapse", preset="collapse", height=1600),
    Shot("compare-dark", dark=True),
    Shot("compare-narrow", width=390, height=1400),
    Shot("what-if", path="runs/{run}?step=2500", preset="collapse", prepare=ask_what_if),
    *(
        Shot(
            f"landscape-{step}",
            path=f"runs/{{run}}?step={step}",
            preset="collapse",
            region="Loss landscape",
            prepare=see_landscapes,
        )
        for step in (1000, 3000, 5000)
    ),
    Shot("three-numbers", path="three-numbers", height=860),
    Shot("maps", preset="paths-smoothed-loss", region="What each arm finds"),
    Shot("runs", path="runs", height=700),
    Shot("lesson", path="lessons/curvature-wins", height=900, prepare=train_scene, colours=256),
    Shot("lesson-surface", path="lessons/curvature?page=2", height=900, colours=256),
    Shot("lesson-saddle", path="lessons/newton-step?page=3", height=900, colours=256),
    Shot("lesson-no-help", path="lessons/no-help", height=900, prepare=train_scene, colours=256),
    Shot("classroom", height=CLASSROOM_HEIGHT, prepare=let_follow, beside=follow, colours=256),
    Shot("handout", path="lessons/curvature-wins", height=900, prepare=open_handout, colours=256),
    *(
        Shot(f"family-{preset}", preset=preset, width=1200, height=2000, region=region, colours=256)
        for preset, region in FAMILIES.items()
    ),
)


def finished_run(address: str, preset: str | None) -> str:
    """Trains a preset (None: the first), waits for its end, and answers with the run's id."""
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
    return str(run_id)


def join(file: Path, other: Page) -> None:
    """Puts the picture of another page to the right of the one in the file."""
    with Image.open(file) as left, Image.open(io.BytesIO(other.screenshot())) as right:
        both = Image.new("RGB", (left.width + GAP + right.width, left.height), "white")
        both.paste(left, (0, 0))
        both.paste(right, (left.width + GAP, 0))
    both.save(file)


def take(page: Page, shot: Shot, address: str, run_id: str, folder: Path) -> None:
    """Takes one picture."""
    path = shot.path.format(run=run_id)
    pending = follow_requests(page)
    page.goto(f"{address}/{path}")
    page.wait_for_timeout(SETTLED)
    for _ in range(PATIENCE // SETTLED):
        if not pending:
            break
        page.wait_for_timeout(SETTLED)
    if path.startswith("runs/"):
        page.wait_for_function("document.querySelector('.js-plotly-plot .js-line') !== null")
    shot.prepare(page)
    page.wait_for_timeout(1500)  # the last charts are drawn a frame apart
    seen = page if shot.region is None else page.get_by_role("region", name=shot.region)
    file = folder / f"{shot.name}.png"
    other = None if shot.beside is None else shot.beside(page)
    seen.screenshot(path=file)
    if other is not None:
        join(file, other)
    if shot.colours is not None:
        with Image.open(file) as picture:
            fewer = picture.convert("RGB").quantize(shot.colours, Image.Quantize.MAXCOVERAGE)
        fewer.save(file, optimize=True)
    sys.stdout.write(f"{file}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(description="The README's pictures.")
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
        run_of = functools.cache(lambda preset: finished_run(address, preset))
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for shot in shots:
            context = browser.new_context(
                viewport={"width": shot.width, "height": shot.height},
                color_scheme="dark" if shot.dark else "light",
                bypass_csp=True,  # which forbids to wait for what a script says
            )
            take(context.new_page(), shot, address, run_of(shot.preset), options.folder)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
