import re

from playwright.sync_api import expect

from tests.browser.lab_page import PATIENCE, LabPage, Watch


def test_controls_that_an_arm_does_not_use_are_hidden(lab: LabPage) -> None:
    lab.go()
    arm = lab.page.locator(".arm").first
    arm.get_by_role("button", name="More").click()
    expect(arm.get_by_label("Curvature")).to_have_value("none")
    expect(arm.get_by_text("Tikhonov λ", exact=True)).to_have_count(0)
    expect(arm.get_by_text("Momentum", exact=True)).to_have_count(0)
    expect(arm.get_by_text("Clip norm", exact=True)).to_have_count(0)
    arm.get_by_label("Output gradient").select_option("clip")
    expect(arm.get_by_text("Clip norm", exact=True)).to_be_visible()
    arm.get_by_label("Optimizer").select_option("sgd")
    expect(arm.get_by_text("Momentum", exact=True)).to_be_visible()
    arm.get_by_label("Curvature").select_option("hessian")
    expect(arm.get_by_text("Tikhonov λ", exact=True)).to_be_visible()
    expect(arm.get_by_text("Definiteness", exact=True)).to_be_visible()
    expect(arm.get_by_text("Clip norm", exact=True)).to_have_count(0)


def test_the_rules_of_a_damping_and_the_controls_of_a_step_bring_their_own_fields(
    lab: LabPage,
) -> None:
    lab.go("?spec=task.name~ranking~loss.name~neuralsort~arms.0.curvature~fisher")
    arm = lab.page.locator(".arm").first
    arm.get_by_role("button", name="More").click()
    rule = arm.get_by_label("Tikhonov rule", exact=True)
    expect(rule.locator("option")).to_have_count(3)
    for value, floors in (("relative", 0), ("levenberg_marquardt", 1), ("fixed", 0)):
        rule.select_option(value)
        expect(arm.get_by_text("Floor", exact=True)).to_have_count(floors)
        expect(arm.get_by_text("Tikhonov λ", exact=True)).to_be_visible()
    expect(arm.get_by_text("Component of", exact=True)).to_have_count(0)
    arm.get_by_label("Component", exact=True).select_option("length")
    expect(arm.get_by_text("Component of", exact=True)).to_be_visible()
    expect(arm.locator("strong")).to_have_text("Fisher's length")
    arm.get_by_label("Component", exact=True).select_option("full")
    arm.get_by_label("Curvature", exact=True).select_option("ggn")
    expect(arm.get_by_text("Iterations", exact=True)).to_be_visible()
    expect(arm.get_by_text("Component", exact=True)).to_have_count(0)
    expect(rule).to_have_count(0)


def test_a_number_out_of_bounds_is_named_at_its_field(lab: LabPage) -> None:
    lab.go("?preset=collapse")
    field = lab.page.locator(".field", has_text="Numbers in a ranking")
    number = field.get_by_role("textbox")
    number.fill("1")
    expect(field).to_contain_text("must be at least 2")
    number.fill("five")
    expect(field).to_contain_text('needs a number, not "five"')
    number.fill("6")
    expect(field.locator(".field-error")).to_be_empty()


def test_what_the_server_refuses_is_said_at_the_field(lab: LabPage, watch: Watch) -> None:
    watch.expected.append("422")
    lab.go("?preset=collapse")
    panel = lab.page.get_by_role("region", name="Task and loss")
    panel.get_by_role("button", name="More").click()
    every = panel.get_by_role("textbox", name="Evaluate every")
    every.fill("1")
    every.press("Tab")
    lab.bar.get_by_role("button", name="Play").click()
    named = lab.page.get_by_role("textbox", name="Evaluate every")
    error = panel.locator(".field", has=named).locator(".field-error")
    expect(error).not_to_be_empty(timeout=PATIENCE)
    expect(lab.page.get_by_role("alert")).to_contain_text("refused")
    every.fill("200")
    every.press("Tab")
    expect(error).to_be_empty()


def test_arms_come_go_and_change_name_and_colour(lab: LabPage) -> None:
    lab.go("?spec=task.name~ranking~loss.name~neuralsort~arms.0.label~One")
    arms = lab.page.locator(".arm")
    expect(arms).to_have_count(1)
    lab.button("Add an arm").click()
    expect(arms).to_have_count(2)
    expect(arms.nth(1)).to_contain_text("Hessian")
    arms.nth(1).get_by_role("button", name="More").click()
    label = arms.nth(1).get_by_label("Label")
    label.fill("Mine")
    label.press("Tab")
    expect(arms.nth(1).locator("strong")).to_have_text("Mine")
    colour = "(arm) => getComputedStyle(arm).borderLeftColor"
    before = arms.nth(1).evaluate(colour)
    arms.nth(1).get_by_label("Mine in pink").check(force=True)
    lab.wait(lambda: arms.nth(1).evaluate(colour) != before, "the arm has another colour")
    lab.wait(lambda: "colours=-,4" in lab.page.url, "the address holds the colour")
    arms.nth(1).get_by_role("button", name="Remove Mine").click()
    expect(arms).to_have_count(1)


def test_a_preset_says_what_to_expect_and_how_that_is_known(lab: LabPage) -> None:
    lab.go()
    preset = lab.page.get_by_label("Preset")
    expect(preset).not_to_have_value("")
    names = preset.locator("option").evaluate_all("(all) => all.map((o) => o.value)")
    lab.button("How we know").click()
    expect(lab.page.get_by_text("95 % interval")).to_be_visible()
    expect(lab.page.locator(".command")).to_contain_text("newton-lab")
    for name in names:  # a preset in the controls is that preset, and nobody's own settings
        preset.select_option(name)
        expect(preset).to_have_value(name)
    last = re.compile(f"[?&]preset={names[-1]}(&|$)")
    lab.wait(lambda: last.search(lab.page.url) is not None, "the address names it")
    lab.page.reload()
    expect(preset).to_have_value(names[-1])


def test_themes_reach_the_curves(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished)
    lab.wait_for_curve()
    arms = {"rgb(0, 114, 178)", "rgb(213, 94, 0)"}  # Hessian and Fisher, in light

    def colours() -> set[str]:
        found = lab.page.evaluate(
            """() => [document.body,
                ...document.querySelector('.js-plotly-plot').querySelectorAll('.js-line')]
                .map((e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).stroke])
                .flat()"""
        )
        return set(found) if len(set(found)) >= 4 else set()  # the background and three curves

    def press_for(theme: str) -> None:
        lab.page.get_by_role("button", name="Theme:").click()
        expect(lab.page.locator("html")).to_have_attribute("data-theme", theme)

    press_for("light")
    lab.wait(lambda: arms <= colours(), "the curves are drawn in light")
    press_for("dark")
    lab.wait(lambda: bool(now := colours()) and not arms & now, "they are drawn again, in dark")
    lab.page.reload()
    expect(lab.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_presenting_hides_the_controls_and_enlarges_the_type(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished)
    small = lab.sentence.evaluate("(p) => parseFloat(getComputedStyle(p).fontSize)")
    lab.go_to_run(finished, "?present")
    expect(lab.page.get_by_role("complementary", name="Settings")).to_have_count(0)
    assert lab.sentence.evaluate("(p) => parseFloat(getComputedStyle(p).fontSize)") >= 1.4 * small
