"""The page of sweeps: a thousand cells, the best one, stop and go on."""

import re

from playwright.sync_api import expect

from newton_core.evidence import Axis, CellStore, cell_key, expand, with_seeds
from newton_core.evidence.cells import cells_of
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.experiment.spec import ExperimentSpec
from tests.app.harness import LabServer, long_spec, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage, Watch

RATES = [round(0.001 * k, 3) for k in range(1, 41)]
DAMPINGS = [round(0.1 * k, 1) for k in range(1, 26)]


def fill(server: LabServer, spec: ExperimentSpec) -> None:
    """Puts all cells of the grid into the store, the best at the 500th."""
    store = CellStore(server.data_dir / "cells")
    axes = [Axis("arms.1.tikhonov", tuple(DAMPINGS)), Axis("arms.1.lr", tuple(RATES))]
    kept: set[str] = set()
    for combination in expand(spec, axes):
        for run in with_seeds(combination.spec, [10_000]):
            for arm, cell in zip(run.arms, cells_of(run), strict=True):
                if (key := cell_key(cell)) in kept:
                    continue
                kept.add(key)
                share = 0.25 if arm.label == "Vanilla" else combination.index % 501 / 501
                reached = ArmSummary(
                    label="", status="completed", step=run.steps,
                    metrics={"exact_match": share}, seconds=0.1,
                )  # fmt: skip
                store.put(
                    cell,
                    Summary(
                        arms=[reached], step=run.steps, seconds=0.1, primary_metric="exact_match",
                        initial={"exact_match": 0.2},
                    ),
                )  # fmt: skip


def test_a_thousand_cells_stay_smooth(server: LabServer, lab: LabPage) -> None:
    spec = tiny_spec(steps=3, evaluate_every=3)
    fill(server, ExperimentSpec.model_validate(spec))
    body = {
        "spec": spec,
        "grid": [
            {"path": "arms.1.tikhonov", "values": DAMPINGS},
            {"path": "arms.1.lr", "values": RATES},
        ],
        "seeds": 1,
        "report_seeds": 2,
    }
    sweep_id = server.client.post("/api/sweeps", json=body).json()["id"]
    lab.go(f"sweeps/{sweep_id}")
    expect(lab.page.get_by_text("1,000 of 1,000 cells, finished")).to_be_visible(timeout=PATIENCE)
    cells = lab.page.locator(".sweep-map tbody td")
    expect(cells).to_have_count(1000)
    expect(lab.page.get_by_text("99.8 % over tuning seed 10000")).to_be_visible()
    expect(lab.page.get_by_text("On seeds 0 to 1, which chose nothing")).to_be_visible()
    report = lab.page.get_by_role("table", name="2 seeds, paired with Vanilla")
    expect(report.get_by_role("row")).to_have_count(3)
    # what a pointer or a key does redraws one line, and no cell of the map
    changed = lab.page.evaluate("""
        () => {
          window.changed = 0;
          const count = (changes) => { window.changed += changes.length; };
          const map = document.querySelector('.sweep-map tbody');
          new MutationObserver(count).observe(map, { subtree: true, childList: true,
            attributes: true, characterData: true });
          return map.rows.length;
        }
    """)
    assert changed == len(DAMPINGS)
    cells.nth(41).hover()
    chosen = lab.page.locator(".sweep-chosen")
    expect(chosen).to_contain_text("arms.1.tikhonov 0.2, arms.1.lr 0.002: Vanilla 25.0 %")
    lab.page.locator(".sweep-map").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(chosen).to_contain_text("arms.1.lr 0.003")
    assert lab.page.evaluate("window.changed") == 0
    lab.page.get_by_label("Show").select_option("significance")
    expect(lab.page.get_by_text("the seeds cannot tell")).to_be_visible()


def test_a_sweep_is_started_stopped_and_goes_on(server: LabServer, lab: LabPage) -> None:
    # Seconds a cell: Stop is pressed before the last one is done.
    spec = long_spec(77, steps=10_000, evaluate_every=10_000, log_every=10_000)
    body = {"spec": spec, "grid": [{"path": "arms.0.lr", "values": [0.1, 0.2]}], "seeds": 1}
    sweep_id = server.client.post("/api/sweeps", json={**body, "report_seeds": 0}).json()["id"]
    lab.go(f"sweeps/{sweep_id}")
    lab.button("Stop").click()
    expect(lab.page.get_by_text(re.compile("of 2 cells, stopped"))).to_be_visible()
    lab.button("Go on").click()
    expect(lab.page.get_by_text("2 of 2 cells, finished")).to_be_visible(timeout=2 * PATIENCE)
    lab.button("Remove").click()
    lab.page.get_by_role("button", name="Really remove").click()
    expect(lab.page.get_by_text("Which settings are best, and is it luck?")).to_be_visible()
    assert server.client.get(f"/api/sweeps/{sweep_id}").status_code == 404


def test_the_form_starts_a_sweep_or_says_what_is_wrong(lab: LabPage, watch: Watch) -> None:
    watch.expected.append("422")  # the browser's own words about the refusal
    lab.go("sweeps")
    form = lab.page.get_by_role("form", name="New sweep")
    values = form.get_by_label("Values").first
    values.fill("0.1,,1")
    expect(form.get_by_role("alert")).to_contain_text("with commas between")
    expect(lab.button("Start the sweep")).to_be_disabled()
    values.fill("0.1, 1")
    form.get_by_label("Setting").first.fill("arms.1.tikonov")
    lab.button("Start the sweep").click()
    expect(form.get_by_role("alert")).to_contain_text("did you mean 'tikhonov'")
