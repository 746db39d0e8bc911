"""A panel in another server's page, and as a file that needs no server."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch


class Fresh(SimpleHTTPRequestHandler):
    """Lets no browser keep a page: one that changes twice in a second has one date."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@pytest.fixture
def course(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of another server, and the file that it shows there."""
    folder = tmp_path / "course"
    folder.mkdir()
    handler = functools.partial(Fresh, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}", folder / "index.html"
        other.shutdown()
        thread.join()


def embed(lab: LabPage, **choices: str) -> str:
    """What the dialog offers as the frame's HTML, after these choices."""
    lab.share("Embed or save a panel")
    dialog = lab.page.get_by_role("dialog")
    for label, option in choices.items():
        dialog.get_by_label(label.capitalize()).select_option(label=option)
    dialog.get_by_role("button", name="Copy the frame").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    return str(lab.page.evaluate("navigator.clipboard.readText()"))


def steps_in(frame: FrameLocator) -> str:
    return frame.get_by_role("slider", name="Step").get_attribute("aria-valuetext") or ""


def test_another_page_shows_one_panel_where_the_server_lets_it(
    lab: LabPage, browser: Browser, server: LabServer, finished: str, tmp_path: Path,
    course: tuple[str, Path],
) -> None:  # fmt: skip
    address, file = course
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.go_to_run(finished, "?step=120")
    html = embed(lab, panel="Loss", arm="Hessian", theme="dark", size="a slide, 960 × 540")
    for part in (f"/embed/runs/{finished}?", "step=120", "panel=loss", "arm=1", "theme=dark"):
        assert part in html
    file.write_text(html, "utf-8")
    reader = browser.new_page()
    reader.goto(address)  # the server lets no other page show it by default
    expect(reader.locator("iframe")).to_be_visible()
    lab.wait(
        lambda: [frame.url[:13] for frame in reader.frames[1:]] == ["chrome-error:"],
        "the browser refuses to show it",
    )
    allowing = LabServer(tmp_path / "data", workers=1, fork_workers=0, frame_ancestors=address)
    allowing.start()
    try:
        preset = html.replace(f"runs/{finished}", "").replace("panel=loss", "preset=sgd&panel=loss")
        file.write_text(preset.replace(server.url, allowing.url), "utf-8")
        reader.goto(address)
        frame = reader.frame_locator("iframe")
        expect(frame.get_by_role("button", name="Train").first).to_be_visible(timeout=PATIENCE)
        expect(frame.locator(".header, .rail")).to_have_count(0)
        expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
        file.write_text(f'<iframe src="{allowing.url}/embed/three-numbers"></iframe>', "utf-8")
        reader.goto(address)
        expect(frame.get_by_text("Sorting three numbers").first).to_be_visible(timeout=PATIENCE)
        expect(frame.locator(".header")).to_have_count(0)
        expect(frame.locator(".rail")).to_be_hidden()
    finally:
        reader.close()
        allowing.close()


def test_a_frame_is_the_panel_alone_and_plays(lab: LabPage, finished: str) -> None:
    lab.go(f"embed/runs/{finished}?panel=loss&step=120&arm=1&theme=dark")
    lab.wait_for_curve()
    lab.wait(lambda: lab.step == 120, "playback is at the link's step")
    expect(lab.page.locator(".chart")).to_have_count(1)
    expect(lab.page.locator(".header, .sentence, .rail")).to_have_count(0)
    lab.scrub(40)
    lab.wait(lambda: "step=40" in lab.page.url, "the address follows")
    assert "theme=dark" in lab.page.url
    whole = lab.page.get_by_role("link", name="Open in Newton Lab").get_attribute("href") or ""
    assert whole.startswith(f"runs/{finished}?")
    lab.go()  # the reader's own theme is as it was
    expect(lab.page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_a_panel_as_a_file_plays_without_a_network(
    lab: LabPage, browser: Browser, watch: Watch, finished: str, downloads: Path
) -> None:
    lab.go_to_run(finished, "?step=120")
    lab.share("Embed or save a panel")
    lab.page.get_by_role("dialog").get_by_label("Panel").select_option("examples")
    with lab.page.expect_download() as download:
        lab.page.get_by_role("link", name="Save as a file").click()
    file = downloads / "panel.html"
    download.value.save_as(file)
    alone = LabPage.open(browser, file.as_uri(), watch)
    alone.page.context.set_offline(True)
    alone.page.goto(file.as_uri())
    expect(alone.page.locator(".tile img").first).to_be_visible()
    expect(alone.page.locator(".header, .chart, .sentence")).to_have_count(0)
    alone.wait(lambda: alone.step == 120, "playback is where it was saved")
    alone.scrub(0)
    expect(alone.page.get_by_text("after step 0")).to_be_visible()
    lab.page.get_by_role("dialog").get_by_label("Panel").select_option("turn")
    with lab.page.expect_download(timeout=90_000) as download:  # of many pictures
        lab.page.get_by_role("link", name="Save as a file").click()
    download.value.save_as(file)
    alone.page.goto(file.as_uri())
    turn = alone.page.get_by_role("region", name="How far can curvature turn the gradient?")
    expect(turn.get_by_role("heading")).to_contain_text("at step 120")
    alone.scrub(40)
    turn.get_by_role("combobox", name="arm").select_option(label="Fisher")
    expect(turn.get_by_role("heading")).to_contain_text("at step 40")
    expect(turn).to_contain_text("Hessian: up to")
    expect(alone.page.get_by_role("alert")).to_have_count(0)
    alone.close()
