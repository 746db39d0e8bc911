"""What curvature does to a gradient: the two pictures, their numbers, the formula, what follows."""

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import PATIENCE, LabPage, Watch

ARROWS = """plot => plot.data.filter((trace) => trace.meta.role === 'arrow')
    .map((trace) => [trace.x.at(-1), trace.y.at(-1), trace.opacity])"""
SPANS = """plot => ['xaxis', 'yaxis'].map((axis) => {
    const { range, _length } = plot._fullLayout[axis];
    return (range[1] - range[0]) / _length;
})"""


def panel_of(lab: LabPage) -> Locator:
    return lab.page.get_by_role("region", name="What curvature does to a gradient")


def drawn(lab: LabPage, panel: Locator) -> tuple[Locator, Locator]:
    """Both pictures, once they are there and answer the question that stands."""
    panel.scroll_into_view_if_needed()
    expect(panel.locator(".curvature-row")).to_have_attribute(
        "data-stale", "false", timeout=PATIENCE
    )
    plots = panel.locator(".picture-plot")
    drawn = "plots => plots.length > 1 && plots.every((plot) => plot.data?.length > 2)"
    lab.wait(lambda: bool(plots.evaluate_all(drawn)), "both planes are drawn")
    return plots.nth(0), plots.nth(1)


@pytest.fixture(scope="module")
def whatif(server: LabServer, finished: str) -> str:
    """The finished run with another λ of the Fisher arm from step 100 on."""
    spec = server.client.get(f"/api/runs/{finished}").json()["spec"]
    return server.finish({**spec, "changes": [{"step": 100, "arm": 2, "tikhonov": 0.001}]})


def test_turned_and_rescaled_are_two_pictures_and_two_numbers(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    panel = panel_of(lab)
    rescaled, turned = drawn(lab, panel)
    expect(panel.locator(".curvature-verdict")).to_contain_text(
        re.compile(r"[Tt]urned.*Hessian (shrinks|stretches|keeps) .*update 101.*snapshot, step 100")
    )
    ratio, degrees = panel.locator("h3 b").all_inner_texts()
    shown = float(ratio.removeprefix("× ").replace(",", ""))

    def drawn_ratio() -> float:
        (long, _, _), (a, b, _) = rescaled.evaluate(ARROWS)
        return float((a**2 + b**2) ** 0.5 / long)

    # A picture is drawn some frames after its number is said.
    lab.wait(lambda: drawn_ratio() == pytest.approx(shown, rel=0.06), "the step is as long as said")
    (down, _, _), (along, across, _) = turned.evaluate(ARROWS)
    assert down == pytest.approx(1.0, abs=1e-6)
    assert along**2 + across**2 == pytest.approx(1.0, abs=1e-6)
    assert re.fullmatch(r"[\d.]+°", degrees)
    for plot in (rescaled, turned):
        wide, high = plot.evaluate(SPANS)
        assert wide == pytest.approx(high, rel=0.02), "equal aspect"


def test_it_follows_arm_and_step(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=100")
    panel = panel_of(lab)
    drawn(lab, panel)
    verdict = panel.locator(".curvature-verdict")
    panel.get_by_role("combobox", name="arm").select_option(label="Fisher")
    expect(verdict).to_contain_text(re.compile("Fisher (shrinks|stretches|keeps)"))
    lab.scrub(163)
    expect(verdict).to_contain_text("step 160)", timeout=PATIENCE)
    panel.get_by_role("combobox", name="arm").select_option(label="Vanilla")
    expect(verdict).to_contain_text("Nothing turned, nothing rescaled. Vanilla has no curvature")
    panel.get_by_role("button", name="Hide").press("Enter")
    expect(panel.locator(".picture-plot")).to_have_count(0)


def test_a_symbol_is_shown_in_the_pictures_by_pointer_key_and_finger(
    lab: LabPage, finished: str
) -> None:
    lab.go_to_run(finished, "?step=100")
    panel = panel_of(lab)
    rescaled, _ = drawn(lab, panel)

    def paleness() -> list[float]:
        return [opacity for _, _, opacity in rescaled.evaluate(ARROWS)]

    panel.get_by_role("button", name="g, the gradient").hover()
    lab.wait(lambda: paleness()[0] == 1 and paleness()[1] < 1, "the step is pale")
    expect(panel).to_contain_text(re.compile(r"g: the gradient of this sample's loss, [\d.]+ long"))
    lab.page.mouse.move(0, 0)  # a pointer that rests there may be taken to enter again
    lab.wait(lambda: paleness() == [1, 1], "nothing is pointed at")
    panel.get_by_role("button", name="y, the network's outputs").focus()
    lab.page.keyboard.press("Shift+Tab")
    lab.wait(lambda: paleness()[1] == 1 and paleness()[0] < 1, "the gradient is pale")
    expect(panel).to_contain_text("z*: where the quadratic has no slope")
    paper = panel.get_by_role("link", name="Newton Losses (NeurIPS 2024)")
    lab.page.keyboard.press("Escape")
    panel.get_by_role("button", name="z*, the target").blur()
    lab.page.mouse.move(0, 0)
    expect(paper).to_have_attribute("href", "https://arxiv.org/abs/2410.19055")


def test_a_change_of_lambda_says_what_it_did(lab: LabPage, whatif: str) -> None:
    lab.go_to_run(whatif, "?step=160")
    panel = panel_of(lab)
    panel.get_by_role("combobox", name="arm").select_option(label="Fisher")
    expect(panel.locator(".curvature-change")).to_have_text(
        re.compile(
            r"λ from 0\.1 to 0\.001: over the batch, the steps are [\d.]+ times as long"
            r" \(step size\), and"
            r" (they point [\d.]+° away from before \(direction\)|their direction)"
        ),
        timeout=PATIENCE,
    )
    lab.scrub(60)
    expect(panel.locator(".curvature-change")).to_have_count(0)


def test_on_a_phone_and_in_the_dark_nothing_leaves_the_page(
    browser: Browser, server: LabServer, watch: Watch, finished: str
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=390, height=844, dark=True)
    lab.go_to_run(finished, "?step=100")
    panel = panel_of(lab)
    drawn(lab, panel)
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    lab.close()


@pytest.fixture(scope="module")
def spiky(server: LabServer) -> str:
    """A run whose gradients explode, by rounding, within a few steps."""
    loss = {"name": "neuralsort", "temperature": 0.001, "numerics": "bce_loss"}
    return server.finish(
        {
            "task": {"name": "ranking", "n": 4, "test_sets": 50},
            "loss": loss,
            "arms": [{"lr": 0.01}, {"curvature": "fisher", "tikhonov": 2.0, "lr": 0.01}],
            "steps": 40,
            "batch_size": 8,
            "evaluate_every": 10,
        }
    )


def test_a_spike_leads_to_the_picture_that_explains_it(lab: LabPage, spiky: str) -> None:
    lab.go_to_run(spiky, "?step=40")
    spikes = lab.page.get_by_role("list", name="Spikes so far")
    expect(spikes).to_contain_text(re.compile(r"Fisher had .* times the usual"))
    spikes.get_by_role("link", name=re.compile("See why Fisher spiked at step")).press("Enter")
    lab.wait(lambda: "gradients?" in lab.page.url, "the Gradients page")
    assert lab.page.evaluate("scrollY") == 0, "it begins at its top"
    assert f"run={spiky}&arm=1&step=" in lab.page.url
    for label, value in (("Temperature", "0.001"), ("Tikhonov λ", "2"), ("Arm", "1")):
        expect(lab.page.get_by_label(label).first).to_have_value(value, timeout=PATIENCE)
    expect(lab.page.get_by_label("Numerics").first).to_have_value("bce_loss")
    expect(lab.page.locator(".descent-verdict")).to_contain_text(
        re.compile(r"At x₁ = .* the raw gradient .* long; the Hessian step .*, the Fisher step "),
        timeout=PATIENCE,
    )


def test_the_first_picture_of_gradients_explodes_and_explains_its_flips(lab: LabPage) -> None:
    lab.go("gradients")
    expect(lab.page.locator(".descent-verdict")).to_have_text(
        re.compile(r"raw gradient explodes: it is [\d,]+ long;.*: the explosion is rounding\."),
        timeout=PATIENCE,
    )
    expect(lab.page.get_by_text("The Hessian line flips at x₁ =")).to_contain_text("below zero")
    plot = lab.page.locator(".picture-plot").first
    lab.wait(
        lambda: plot.evaluate(
            "p => (p.layout?.annotations ?? []).some((note) => note.text.includes('bends down'))"
        ),
        "the flip is explained where it happens",
    )


def test_an_arm_that_diverged_and_snapshots_that_are_gone_say_so(
    lab: LabPage, server: LabServer
) -> None:
    mad = {"label": "mad", "optimizer": "sgd", "lr": 1e3, "momentum": 0.9}
    run = server.finish(
        {
            "task": {"name": "classification", "model": {"name": "mlp"}},
            "loss": {"name": "squared_error"},
            "arms": [mad, {"curvature": "fisher"}],
            "steps": 60,
            "batch_size": 8,
        }
    )
    lab.go_to_run(run, "?step=60")
    panel = panel_of(lab)
    panel.get_by_role("combobox", name="arm").select_option(label="mad")
    expect(panel).to_contain_text("mad diverged at step", timeout=PATIENCE)
    for snapshot in (server.data_dir / "snapshots" / run).iterdir():
        snapshot.unlink()
    lab.page.reload()
    expect(panel.get_by_role("alert")).to_contain_text("snapshots are gone", timeout=PATIENCE)
