"""How far curvature can turn the gradient: the panel, its curves, and what it says of them."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.lab_page import PATIENCE, LabPage

CURVES = """plot => (plot.data ?? []).filter((trace) => trace.meta.role === 'line')
    .map((trace) => [Math.log10(trace.x.at(-1) / trace.x[0]), ...trace.y])"""
DOTS = "plot => (plot.data ?? []).filter((trace) => trace.meta.role === 'here').length"


def panel_of(lab: LabPage) -> Locator:
    return lab.page.get_by_role("region", name="How far can curvature turn the gradient?")


def test_the_angle_is_drawn_over_eight_decades_for_any_arm_and_step(
    lab: LabPage, finished: str
) -> None:
    lab.go_to_run(finished, "?step=100")
    panel = panel_of(lab)
    panel.scroll_into_view_if_needed()
    panel.get_by_role("button", name="Show").press("Enter")
    note, plot = panel.locator(".landscapes-note"), panel.locator(".picture-plot")
    said = re.compile(r"Hessian: up to [\d.]+°.*Fisher: up to [\d.]+°")
    expect(note).to_contain_text(said, timeout=PATIENCE)
    expect(panel.get_by_role("heading")).to_contain_text("at step 100")
    plot.scroll_into_view_if_needed()
    lab.wait(lambda: len(plot.evaluate(CURVES)) == 2, "both curves are drawn")
    for decades, *degrees in plot.evaluate(CURVES):
        assert round(decades, 6) == 8
        known = [angle for angle in degrees if angle is not None]
        assert known
        assert all(0 <= angle <= 180 for angle in known)
    assert plot.evaluate(DOTS) == 0, "vanilla adds no damping"
    panel.get_by_role("combobox", name="arm").select_option(label="Fisher")
    lab.wait(lambda: plot.evaluate(DOTS) == 1, "the arm's own damping is marked")
    lab.scrub(163)
    expect(panel.get_by_role("heading")).to_contain_text("at step 160", timeout=PATIENCE)
    panel.get_by_role("button", name="Hide").press("Enter")
    expect(plot).to_have_count(0)
