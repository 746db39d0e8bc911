"""How fast the page is, in a real browser on a real server: times that its readers wait.

    python -m benchmarks.page [--repeat 5] [--check]

Measures, with a warm worker and a warm cache:

- load: from the request to a page whose controls can be used;
- first point: from the click on play to the first point of a curve, a new seed each time;
- frames: the time between the page's frames while three arms train and play at full speed;
- script: our own JavaScript, gzipped, beside Plotly.

Wall-clock times need a quiet machine. ``--check`` fails where a limit is passed.
"""

import argparse
import gzip
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from app.static import page_dir
from scripts.lab_browser import ARGUMENTS, find_browser, served

LIMITS = {"load": 1.0, "first point": 1.0, "frame p95": 0.050, "script kB": 120.0}
SPEC = (
    "task.name~ranking~loss.name~neuralsort~arms.0.curvature~none~arms.1.curvature~hessian"
    "~arms.2.curvature~fisher~steps~4000~seed~{seed}"
)
FRAME_SECONDS = 8

HAS_POINT = """() => [...document.querySelectorAll('.js-plotly-plot')]
    .some((plot) => (plot.data ?? []).some((trace) => (trace.x?.length ?? 0) > 1))"""
RECORD_FRAMES = """() => {
    window.frames_ = [];
    let last = performance.now();
    const tick = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
}"""


def time_of_load(page: Page, address: str) -> float:
    """Seconds until the play button can be pressed, as the page's own clock has them."""
    page.goto(address)
    page.wait_for_function(
        "() => document.querySelector('.transport .go')?.disabled === false", polling=5
    )
    return float(page.evaluate("performance.now()")) / 1000


def time_to_first_point(page: Page, address: str, seed: int) -> float:
    """Seconds from the click on play to a curve with a point."""
    page.goto(f"{address}?spec={SPEC.format(seed=seed)}")
    page.wait_for_function("() => document.querySelector('.transport .go')?.disabled === false")
    page.wait_for_function("() => window.Plotly !== undefined")
    page.wait_for_timeout(1500)
    page.evaluate(
        "document.querySelector('.transport .go').click(); window.clicked_ = performance.now()"
    )
    page.wait_for_function(HAS_POINT, polling="raf")
    return float(page.evaluate("performance.now() - window.clicked_")) / 1000


def frame_times(page: Page) -> list[float]:
    """Seconds between frames while the run on the page trains and plays at full speed."""
    page.evaluate(RECORD_FRAMES)
    page.wait_for_timeout(FRAME_SECONDS * 1000)
    return [float(frame) / 1000 for frame in page.evaluate("window.frames_")]


def stop_run(page: Page) -> None:
    """Ends the run on the page, so that the worker is free for the next."""
    page.wait_for_function("() => location.pathname.includes('/runs/')")
    run_id = page.url.split("/runs/")[1][:12]
    page.evaluate(f"fetch('api/runs/{run_id}/stop', {{method: 'POST'}})")
    page.wait_for_timeout(1500)


def script_kilobytes() -> float:
    """Our own JavaScript as it travels."""
    files = (page_dir() / "assets").glob("*.js")
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000


def measure(browser_path: str, repeat: int) -> dict[str, float]:
    """All measures by name."""
    with (
        tempfile.TemporaryDirectory() as data,
        served(Path(data)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        time_of_load(page, f"{address}/")  # fills the cache
        loads = [time_of_load(page, f"{address}/") for _ in range(repeat)]
        firsts = []
        for seed in range(repeat + 1):  # the first warms the worker
            firsts.append(time_to_first_point(page, f"{address}/", seed))
            if seed < repeat:
                stop_run(page)
        frames = frame_times(page)
        browser.close()
    return {
        "load": statistics.median(loads),
        "first point": statistics.median(firsts[1:]),
        "frame p50": statistics.median(frames),
        "frame p95": statistics.quantiles(frames, n=20)[-1],
        "script kB": script_kilobytes(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints all measures beside their limits."""
    parser = argparse.ArgumentParser(description="How fast the page is.")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="fail where a limit is passed")
    options = parser.parse_args(arguments)
    browser_path = find_browser()
    if browser_path is None:
        raise SystemExit("there is no Chromium on this machine")
    found = measure(browser_path, options.repeat)
    for name, value in found.items():
        limit = f"  (limit {LIMITS[name]:g})" if name in LIMITS else ""
        print(f"{name:12} {value:8.3f}{limit}")
    passed = [name for name, limit in LIMITS.items() if found[name] > limit]
    if options.check and passed:
        sys.exit(f"past the limit: {', '.join(passed)}")


if __name__ == "__main__":
    main()
