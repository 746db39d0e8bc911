"""README's evidence: the forest plot of all losses, and what the measured tables say.

    python -m scripts.evidence           # prints the part of README.md
    python -m scripts.evidence --write   # puts it into README.md, the picture into docs/images

It is made from ``docs/results`` alone, and stands between two comments of README.md; a test
compares it. To draw the picture takes a Chromium.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from app.figures.components import components
from app.shipped import SCALING, UnknownResultError, shipped_result, shipped_results
from newton_core.evidence.results import (
    ArmResult,
    Result,
    RowResult,
    Verdict,
    interval_in_words,
    leaves_open,
    shown,
)
from newton_core.experiment.arms import ARM_LABELS
from scripts.lab_browser import ARGUMENTS, find_browser

README = Path(__file__).parents[1] / "README.md"
PICTURE = Path("docs/images/components.png")
BEGIN = "<!-- evidence: python -m scripts.evidence --write -->"
END = "<!-- end of evidence -->"

PARTS = ("hessian", "hessian_length", "hessian_direction",
         "fisher", "fisher_length", "fisher_direction")  # fmt: skip
BESIDE: dict[Verdict | Literal["undecided"], str] = {
    "reproduced": "reproduced",
    "undecided": "not decided (their intervals hold the paper's and zero)",
    "same direction": "of the same sign and another size",
    "not shown": "not shown",
    "opposite": "of the opposite sign",
}
"""How a gain stands beside the paper's, in words."""


def part(folder: Path | None = None) -> str:
    """README's part as Markdown; empty where nothing has been measured.

    Args:
        folder: with the results; None: those that ship with the lab.
    """
    found = [result for result in shipped_results(folder) if result.name != SCALING]
    sections = []
    measured = _components(folder)
    if measured is not None:
        sections += [_picture(measured), _table(measured)]
    if beside := [words for result in found if (words := _beside_paper(result))]:
        sections.append("\n".join(beside))
    return "\n\n".join(sections)


def _components(folder: Path | None) -> Result | None:
    try:
        found = shipped_result("components", folder)
    except UnknownResultError:
        return None
    return found if found.scale != "tiny" else None


def _picture(result: Result) -> str:
    helped = [(row, who) for row in result.rows if (who := _helped(row))]
    rest = len(result.rows) - len(helped)
    lines = [
        "Is it the curvature, and which half of its step? Every loss by nine arms, all tuned under"
        f" one budget, on {len(result.rows[0].seeds)} seeds that chose nothing:",
        "",
        f"![Gains of Newton steps, their lengths and their directions]({PICTURE.as_posix()})",
        "",
    ]
    lines += [f"- {row.title}: {who}." for row, who in helped]
    if rest:
        losses = f"{'the other ' if helped else 'all '}{rest} {'loss' if rest == 1 else 'losses'}"
        lines.append(
            f"- For {losses} no whole Newton step is shown to beat tuned vanilla training"
            " (which is not to say that there is no difference)."
        )
    return "\n".join(lines)


def _helped(row: RowResult) -> str:
    """Which curvatures help a loss, and by which half of the step; empty if none does."""
    better = {arm.label for arm in row.arms if arm.gain and arm.gain.shows == "better"}
    words = []
    for curvature in ("hessian", "fisher"):
        name = ARM_LABELS[curvature]
        if name not in better:
            continue
        halves = [h for h in ("length", "direction") if ARM_LABELS[f"{curvature}_{h}"] in better]
        if len(halves) == 1:
            words.append(f"the {name} helps, and so does its {halves[0]} alone")
        else:
            words.append(f"the {name} helps, and {'each' if halves else 'no'} half of it alone")
    return "; ".join(words)


def _table(result: Result) -> str:
    """A row for each loss: vanilla's mean, then each arm's difference with its interval."""
    lines = [
        f"| loss | vanilla | {' | '.join(ARM_LABELS[kind] for kind in PARTS)} |",
        "|---|" + "---|" * (1 + len(PARTS)),
    ]
    for row in result.rows:
        gains = {arm.label: arm.gain for arm in row.arms}
        cells = [row.title, shown(row.metric, row.arms[0].mean)]
        for kind in PARTS:
            gain = gains.get(ARM_LABELS[kind])
            words = "" if gain is None else interval_in_words(row.metric, gain)
            is_shown = gain is not None and gain.shows in ("better", "worse")
            cells.append(f"**{words}**" if is_shown else words)
        lines.append(f"| {' | '.join(cells)} |")
    missing = "" if result.complete else " Rows are missing still."
    lines += [
        "",
        "Bold is shown at 5 % after Holm's correction over a row's arms; in brackets 95 %"
        f" intervals; shares in percentage points.{missing}"
        f" [All numbers](docs/results/{result.name}.md), `{result.command}`.",
    ]
    return "\n".join(lines)


def _beside_paper(result: Result) -> str:
    """How the gains of one table stand beside the paper's; empty where it has none of them."""
    counts = Counter(_standing(row, arm) for row in result.rows for arm, _ in row.sentences)
    if not counts or result.scale == "tiny":
        return ""
    words = ", ".join(f"{counts[key]} {say}" for key, say in BESIDE.items() if counts[key])
    title = f"{result.title}{' on MNIST' if result.scale == 'mnist' else ''}"
    return f"- [{title}](docs/results/{result.name}.md): the paper's gains, {words}."


def _standing(row: RowResult, arm: ArmResult) -> Verdict | Literal["undecided"] | None:
    return "undecided" if leaves_open(row, arm) else arm.verdict


def with_part(text: str, folder: Path | None = None) -> str:
    """README's text with the part as it is now.

    Raises:
        ValueError: a comment that encloses the part is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}")
    inside = part(folder)
    return (
        f"{before}{BEGIN}\n{inside}\n{END}{after}" if inside else f"{before}{BEGIN}\n{END}{after}"
    )


def draw(result: Result, file: Path) -> None:
    """Draws the forest plot as a PNG of twice its size.

    Raises:
        RuntimeError: there is no Chromium.
    """
    browser = find_browser()
    if browser is None:
        raise RuntimeError("the picture needs a Chromium: install one")
    figure = components(result)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
        page = chromium.new_page(device_scale_factor=2)
        page.set_content(figure.to_html(include_plotlyjs=True, config={"staticPlot": True}))
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.locator(".js-plotly-plot").screenshot(path=file)
        chromium.close()


def main() -> None:
    """Prints the part, or writes it and draws the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="put it into README.md")
    parser.add_argument(
        "--results", type=Path, help="folder of the results; by default docs/results"
    )
    wishes = parser.parse_args()
    if not wishes.write:
        sys.stdout.write(part(wishes.results) + "\n")
        return
    measured = _components(wishes.results)
    if measured is not None:
        draw(measured, README.parent / PICTURE)
    README.write_text(with_part(README.read_text("utf-8"), wishes.results), "utf-8")


if __name__ == "__main__":
    main()
