"""The charts alone in a real browser: pictures to look at, frame times to hold.

    python benchmarks/charts.py pictures FOLDER
    python benchmarks/charts.py frames [STEPS]

Builds the page of ``frontend/dev`` first (``npx vite build dev``). Never shipped.
"""

import json
import mimetypes
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import plotly
from playwright.sync_api import CDPSession, Page, Route, sync_playwright

from app.figures import templates

FRONTEND = Path(__file__).parents[1] / "frontend"
BUILT = FRONTEND / "node_modules" / ".charts-dev"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
ORIGIN = "http://charts.test"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def answer(route: Route) -> None:
    """Serves the built page from the disk, as the app would."""
    path = route.request.url.removeprefix(ORIGIN).split("?")[0]
    if path == "/api/figures":
        route.fulfill(body=json.dumps(templates()), content_type="application/json")
        return
    file = PLOTLY if path == "/plotly.min.js" else BUILT / path.lstrip("/")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if file.is_file():
        route.fulfill(body=file.read_bytes(), content_type=kind)
    else:
        route.fulfill(status=404)


@contextmanager
def page(width: int, height: int = 900, **options: object) -> Iterator[Page]:
    """A page that prints what goes wrong on it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        tab = context.new_page()
        tab.on("console", lambda message: print("console:", message.text))
        tab.on("pageerror", lambda error: print("error:", error))
        tab.route("**/*", answer)
        yield tab
        browser.close()


def settled(tab: Page) -> None:
    """Waits until every chart that can be seen has been drawn."""
    tab.wait_for_function(
        "[...document.querySelectorAll('.chart-plot')].every(e => e.querySelector('.main-svg'))"
    )
    tab.wait_for_timeout(300)


def pictures(folder: Path) -> None:
    """Light and dark, wide and narrow, with and without a pointer on a chart."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, width, query in (
        ("wide-light", 1336, "cursor=7440&steps=10000&theme=light"),
        ("wide-dark", 1336, "cursor=7440&steps=10000&theme=dark"),
        ("narrow-light", 360, "cursor=7440&steps=10000&theme=light"),
        ("narrow-dark", 360, "cursor=7440&steps=10000&theme=dark"),
        ("middle-light", 900, "cursor=7440&steps=10000&theme=light"),
        ("early-light", 1336, "cursor=60&steps=10000&every=25&theme=light"),
        ("seconds-log", 1336, "steps=10000&x=seconds&xlog=1&theme=light"),
        ("steps-log", 1336, "steps=10000&xlog=1&theme=light"),
        ("present", 1336, "steps=10000&present=1&theme=light"),
        ("hover", 1336, "cursor=7440&steps=10000&theme=light"),
    ):
        with page(width, 3000) as tab:
            tab.goto(f"{ORIGIN}/charts.html?{query}")
            settled(tab)
            if name == "hover":
                box = tab.locator("[data-chart=gradients] .chart-plot").bounding_box()
                assert box is not None
                tab.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60)
                tab.wait_for_timeout(300)
            tab.locator("#page").screenshot(path=folder / f"{name}.png")


def thread_time(meter: CDPSession) -> float:
    """Seconds that the page's main thread has computed for."""
    found = meter.send("Performance.getMetrics")["metrics"]
    return float(next(item["value"] for item in found if item["name"] == "TaskDuration"))


def frames(steps: int) -> None:
    """Frame times while a run of three arms streams in as fast as 8 seconds allow."""
    with page(1336, 900) as tab:
        tab.goto(f"{ORIGIN}/charts.html?empty=1&steps={steps}&every={max(25, steps // 60)}")
        tab.wait_for_function("window.charts !== undefined && window.Plotly !== undefined")
        tab.wait_for_timeout(1000)
        tab.evaluate(
            """() => {
              window.drawings = {};
              const react = Plotly.react;
              Plotly.react = (element, ...rest) => {
                const started = performance.now();
                const result = react(element, ...rest);
                const chart = element.closest('[data-chart]').dataset.chart;
                (window.drawings[chart] ??= []).push(performance.now() - started);
                return result;
              };
            }"""
        )
        # Time on the main thread's own clock: what a machine with nothing else to do would need.
        meter = tab.context.new_cdp_session(tab)
        meter.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = thread_time(meter)
        times = tab.evaluate(f"window.charts.stream({steps / 8})")
        ordered = sorted(times)
        at = {q: ordered[int(q * (len(ordered) - 1))] for q in (0.5, 0.95, 0.99)}
        print(
            f"{len(times)} frames, median {at[0.5]:.1f} ms, 95 % {at[0.95]:.1f} ms,"
            f" 99 % {at[0.99]:.1f} ms, longest {ordered[-1]:.1f} ms"
        )
        count = sum(len(costs) for costs in tab.evaluate("Object.values(window.drawings)"))
        spent = thread_time(meter) - before
        print(
            f"  main thread busy {spent:.2f} s of its own time, {count} drawings,"
            f" {1000 * spent / count:.1f} ms each with everything else in it"
        )
        for chart, costs in tab.evaluate("window.drawings").items():
            print(
                f"  {chart:15} {len(costs):4} drawings, median {statistics.median(costs):5.1f} ms"
            )


if __name__ == "__main__":
    subprocess.run(["npx", "vite", "build", "dev"], cwd=FRONTEND, check=True, capture_output=True)
    if sys.argv[1:2] == ["pictures"]:
        pictures(Path(sys.argv[2]))
    else:
        frames(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
