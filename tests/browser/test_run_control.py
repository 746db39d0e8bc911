"""Starting, stopping, naming, finding and comparing runs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.app.harness import LabServer, long_spec, tiny_spec
from tests.browser.lab_page import PATIENCE, LabPage


@pytest.fixture
def going(lab: LabPage, server: LabServer) -> Iterator[str]:
    """A run that goes on for as long as a test looks."""
    run_id = server.post(long_spec(seed=900, steps=100_000))["id"]
    yield run_id
    lab.leave()
    server.client.post(f"/api/runs/{run_id}/stop?discard=true")
    server.wait_until_gone(run_id)


def row(lab: LabPage, run_id: str) -> Locator:
    return lab.page.locator(".run-row", has=lab.page.locator(f'a[href="runs/{run_id}"]'))


def test_train_with_a_field_that_cannot_be_used_starts_and_plays_nothing(
    lab: LabPage, finished: str
) -> None:
    lab.go_to_run(finished, "?step=10")
    number = lab.page.locator(".field", has_text="Numbers in a ranking").get_by_role("textbox")
    number.fill("five")
    lab.bar.get_by_role("button", name="Train").click()
    expect(lab.page.get_by_role("alert")).to_contain_text(
        'Nothing was started: Numbers in a ranking needs a number, not "five"'
    )
    assert lab.step == 10
    number.fill("4")
    number.press("Tab")
    expect(lab.bar.get_by_role("button", name="Play")).to_be_visible()


def test_fields_know_what_the_server_computes(lab: LabPage) -> None:
    lab.go()
    panel = lab.page.get_by_role("region", name="Task and loss")
    panel.get_by_role("button", name="More").click()
    panel.get_by_role("textbox", name="Steps", exact=True).fill("200000")
    expect(panel).to_contain_text("at most 100000")
    expect(panel.get_by_role("combobox", name="Device")).to_have_value("cpu")


def test_a_run_is_stopped_where_it_is_seen(lab: LabPage, server: LabServer, going: str) -> None:
    lab.go_to_run(going, "?step=0")
    lab.button("Stop the run").click()
    expect(lab.page.get_by_text("This run was stopped at step")).to_be_visible(timeout=PATIENCE)
    expect(lab.button("Stop the run")).to_have_count(0)
    other = server.post(long_spec(seed=901, steps=100_000))["id"]
    lab.go("runs")
    row(lab, other).get_by_role("button", name="Stop").click()
    expect(row(lab, other)).to_contain_text("stopped at step", timeout=PATIENCE)
    lab.leave()
    server.client.delete(f"/api/runs/{other}")


def test_speed_works_on_a_run_opened_by_link(lab: LabPage, going: str) -> None:
    lab.go_to_run(going)
    lab.wait(lambda: lab.step > 100, "it keeps to the head")
    lab.page.get_by_role("combobox", name="Speed").select_option("5")
    chosen = lab.step
    lab.wait(lambda: lab.computed - lab.step > 100, "the run goes on, and playback falls behind")
    assert lab.step >= chosen
    lab.wait(lambda: "speed=5" in lab.page.url, "the address names the speed")
    lab.page.reload()
    lab.wait(lambda: lab.computed > 0 and lab.step > 0, "the run is there again")
    lab.wait(lambda: lab.computed - lab.step > 100, "playback falls behind again")


def test_a_new_seed_keeps_the_preset(lab: LabPage, server: LabServer) -> None:
    lab.go("?preset=calm-classification&seed=41")
    expect(lab.page.get_by_text("It takes about 7 s on two cores")).to_be_visible()
    preset = lab.page.get_by_role("combobox", name="Preset", exact=True)
    lab.button("New seed: other weights and batches").click()
    lab.wait(lambda: "/runs/" in lab.page.url, "the run starts")
    expect(preset).to_have_value("calm-classification")
    run = server.run(lab.page.url.split("/runs/")[1][:12])
    assert (run["seed"], run["preset"]) == (42, "calm-classification")
    lab.leave()
    server.client.post(f"/api/runs/{run['id']}/stop?discard=true")


def test_runs_are_named_found_grouped_and_compared(lab: LabPage, server: LabServer) -> None:
    runs = [server.finish(tiny_spec(seed=910 + i)) for i in range(3)]
    lab.go("runs")
    row(lab, runs[0]).get_by_role("button", name="Rename").click()
    lab.page.get_by_role("textbox", name="Name of").fill("Tuesday group")
    lab.page.keyboard.press("Enter")
    expect(row(lab, runs[0])).to_contain_text("Tuesday group")
    lab.page.get_by_role("searchbox", name="Find").fill("tuesday")
    expect(lab.page.locator(".run-row")).to_have_count(1)
    lab.page.get_by_role("searchbox", name="Find").fill("")
    lab.page.get_by_role("combobox", name="Group by").select_option("name")
    expect(lab.page.get_by_role("heading", name="Tuesday group one run")).to_be_visible()
    for run_id in runs:
        row(lab, run_id).get_by_role("checkbox").check()
    lab.button("Compare these 3").click()
    lab.wait(lambda: f"with={runs[1]},{runs[2]}" in lab.page.url, "all three")
    expect(lab.page.get_by_text("The faint curves are run")).to_contain_text("seed 912")


def test_five_seeds_in_one_click(lab: LabPage, server: LabServer) -> None:
    first, second = (server.finish(tiny_spec(seed=seed)) for seed in (920, 921))
    lab.go_to_run(first, "?step=20")
    seeds = lab.bar.get_by_role("button", name="5 seeds")
    seeds.focus()
    lab.page.keyboard.press("Enter")
    panel = lab.page.get_by_role("region", name="Over seeds")
    expect(panel).to_contain_text("5 of 5 seeds (920, 921, 922, 923, 924)", timeout=PATIENCE)
    expect(panel).to_contain_text("Against Vanilla, over 5 seeds", timeout=PATIENCE)
    expect(lab.page.locator(".chart-hero")).to_contain_text("mean and range of 5 seeds")
    expect(lab.sentence).to_contain_text("Seed 920 alone: ")
    lab.wait(lambda: f"seeds={second}," in lab.page.url, "the address names them")
    assert lab.step == 20
    lab.page.reload()
    expect(panel).to_contain_text("mean of 5 of 5 seeds", timeout=PATIENCE)
    seeds.press("Enter")
    expect(panel).to_have_count(0)
    expect(seeds).to_be_focused()
    expect(lab.page.locator(".chart-hero")).not_to_contain_text("5 seeds")
    expect(lab.sentence).not_to_contain_text("Seed 920")
    lab.wait(lambda: "seeds=" not in lab.page.url, "the address forgets them")


def test_two_quick_presses_of_lambda_leave_one_run(
    lab: LabPage, server: LabServer, finished: str
) -> None:
    def forks() -> dict[str, str]:
        items = server.client.get("/api/runs?limit=200").json()["items"]
        return {item["id"]: item["status"] for item in items if item["parent"] == finished}

    before = forks()  # of other tests
    lab.go_to_run(finished, "?step=60")
    slider = lab.page.get_by_role("slider", name="Tikhonov λ, slider").nth(0)
    with lab.forks_held() as asked:
        slider.press("ArrowRight")
        lab.wait(lambda: len(asked) == 1, "the first is asked")
        slider.press("ArrowRight")  # before its answer
    lab.wait(lambda: finished not in lab.page.url and "/runs/" in lab.page.url, "a fork")
    lab.wait(lambda: len(forks()) == len(before) + 1, "one run is left")
    left = forks()
    assert "cancelled" not in [left[run] for run in left.keys() - before.keys()]


def test_all_charts_show_one_time_while_playing(lab: LabPage, finished: str) -> None:
    lab.go_to_run(finished, "?step=0&speed=5")  # forty seconds to its end: time to look
    lab.wait_for_curve()
    lab.bar.get_by_role("button", name="Play").click()
    seen: set[int] = set()

    def look() -> bool:
        ends = lab.page.evaluate(
            """() => [...document.querySelectorAll('.js-plotly-plot')]
                .map((plot) => plot.data.filter((trace) => trace.meta?.role === 'smooth'))
                .filter((lines) => lines.length > 0 && lines[0].x.length > 0)
                .map((lines) => Math.max(...lines.flatMap((line) => [...line.x])))
                .filter((end) => end % 50 !== 0)"""  # not the charts of evaluations
        )
        assert len(set(ends)) <= 1, ends
        seen.update(ends)
        return len(seen) >= 5

    lab.wait(look, "five steps are drawn")
    lab.bar.get_by_role("button", name="Pause").click()
