from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import LabPage, Watch


def test_a_report_plays_from_a_file_without_a_network(
    browser: Browser, server: LabServer, watch: Watch, finished: str, downloads: Path
) -> None:
    path = f"/api/runs/{finished}/export"
    answer = server.client.get(path, params={"format": "html"}, timeout=120)
    file = downloads / "report.html"
    file.write_bytes(answer.content)
    lab = LabPage.open(browser, file.as_uri(), watch)
    lab.page.context.set_offline(True)
    lab.page.goto(file.as_uri())
    lab.wait_for_curve()
    lab.wait(lambda: lab.step == 200, "it shows the run's end")
    expect(lab.sentence).to_contain_text("of the sets right")
    lab.scrub(0)
    expect(lab.sentence).to_contain_text("same weights")
    lab.page.keyboard.press("Space")
    lab.wait(lambda: lab.step > 0, "it plays")
    about = lab.page.get_by_role("region", name="About this run")
    for words in (
        "seed 0",
        "NeuralSort (",
        "Hessian: λ 0.1, adam 0.001",
        "Newton Lab",
        "NeurIPS 2024",
        str(date.today().year),
    ):
        expect(about).to_contain_text(words)
    curvature = lab.page.get_by_role("region", name="What curvature does to a gradient")
    expect(curvature.locator(".curvature-verdict")).to_contain_text("Hessian")
    curvature.get_by_label("arm").select_option(label="Fisher")
    lab.scrub(200)
    curvature.scroll_into_view_if_needed()
    expect(curvature.locator(".js-plotly-plot")).to_have_count(2)
    expect(curvature.locator(".curvature-verdict")).to_contain_text("nearest snapshot, step 200")
    expect(curvature.locator(".curvature-verdict")).to_contain_text("Fisher")
    expect(curvature.get_by_role("alert")).to_have_count(0)
    expect(curvature.get_by_role("heading", name="Turned")).to_contain_text("°")
    landscapes = lab.page.get_by_role("region", name="Loss landscape")
    expect(landscapes).to_contain_text("in the plane nearest to its own path")
    expect(landscapes).not_to_contain_text("100 % of the path")
    expect(lab.page.get_by_role("complementary", name="Settings")).to_have_count(0)
    expect(lab.page.locator("summary", has_text="Share")).to_have_count(0)
    expect(lab.page.locator(".tile img").first).to_be_attached()
    lab.close()
