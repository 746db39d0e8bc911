"""Arms over seeds on the page: of runs that were picked, and of a sweep's best cell."""

from pathlib import Path

from playwright.sync_api import Locator, expect

from app.evidence.exports import undrawn
from tests.app.harness import LabServer, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage

TABLES = {"CSV": "metric,", "Markdown": "| arm |", "LaTeX": r"\begin{tabular}"}


def check_files(lab: LabPage, panel: Locator, downloads: Path) -> None:
    """Every table comes as a file; what cannot be drawn here says so in its buttons' place."""
    for name, beginning in TABLES.items():
        with lab.page.expect_download() as info:
            panel.get_by_role("button", name=name, exact=True).click()
        info.value.save_as(downloads / name)
        assert beginning in (downloads / name).read_text()
    drawn = panel.get_by_role("button", name="SVG", exact=True)
    expect(drawn).to_have_count(0 if undrawn() else 1)
    if undrawn():
        expect(panel.get_by_text(undrawn())).to_be_visible()


def test_picked_runs_are_compared_over_their_seeds(
    server: LabServer, lab: LabPage, downloads: Path
) -> None:
    for seed in (1, 2):
        run_id = server.finish(tiny_spec(steps=4, evaluate_every=4, seed=seed))
        server.client.patch(f"/api/runs/{run_id}", json={"title": f"compared, seed {seed}"})
    lab.go("runs")
    lab.page.get_by_label("Pick compared, seed 1 to compare").check()
    panel = lab.page.get_by_role("region", name="Over seeds")
    expect(panel).to_have_count(0)
    lab.page.get_by_label("Pick compared, seed 2 to compare").check()
    expect(panel.get_by_text("these are too few seeds to tell Fisher from it")).to_be_visible()
    row = panel.get_by_role("row", name="Fisher")
    expect(row.get_by_role("cell").nth(5)).to_have_text("too few seeds")
    expect(row.get_by_role("img", name="Fisher: ")).to_be_visible()
    check_files(lab, panel, downloads)


def test_the_best_cell_of_a_sweep_is_compared_on_report_seeds(
    server: LabServer, lab: LabPage, downloads: Path
) -> None:
    body = {
        "spec": tiny_spec(steps=4, evaluate_every=4),
        "grid": [{"path": "arms.1.tikhonov", "values": [0.1, 1.0]}],
        "seeds": 1,
        "report_seeds": 3,
    }
    lab.go(f"sweeps/{server.client.post('/api/sweeps', json=body).json()['id']}")
    panel = lab.page.get_by_role("region", name="Best cell")
    # five runs, one after the other
    expect(panel.get_by_text("Against Vanilla, over 3 seeds")).to_be_visible(timeout=2 * PATIENCE)
    expect(panel.get_by_role("img", name="Fisher: ")).to_be_visible()
    check_files(lab, panel, downloads)
