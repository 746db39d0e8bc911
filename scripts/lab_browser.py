"""A Chromium of this machine, and a server of one's own for it to look at."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, Request

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
"""Nothing drawn on a screen, nothing asked of the network."""

_WORKER = "/assets/hubWorker"
NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 90.0


def find_browser() -> str | None:
    """The path of a Chromium, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def follow_requests(page: Page) -> set[Request]:
    """The requests that have not been answered whole, kept up to date.

    Chromium does not tell a page when the script of its shared worker has been loaded, so that
    Playwright's own "networkidle" never comes.
    """
    pending: set[Request] = set()
    page.on("request", lambda request: None if _WORKER in request.url else pending.add(request))
    page.on("requestfinished", lambda request: pending.discard(request))
    page.on("requestfailed", lambda request: pending.discard(request))
    return pending


@contextmanager
def served(data_dir: Path, *, until: str = "/api/health", **settings: object) -> Iterator[str]:
    """A server on a free port, as its address; ``settings`` as in the table of settings.

    It is there once the path ``until`` is answered.

    Raises:
        RuntimeError: it did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {"port": port, "data_dir": data_dir, "log_level": "error", **settings}
    environment = dict(os.environ)
    environment |= {f"NEWTON_LAB_{name.upper()}": str(value) for name, value in given.items()}
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}{until}", process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
