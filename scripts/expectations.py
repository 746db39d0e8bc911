"""README's table of what to expect, from the presets' own ``expect``.

    python -m scripts.expectations           # prints it
    python -m scripts.expectations --write   # puts it into README.md

It stands between two comments of README.md; a test compares it.
"""

import argparse
import sys
from pathlib import Path

from app.presets import Difference, Preset, load_presets
from newton_core.tasks import TASKS

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- what to expect: python -m scripts.expectations --write -->"
END = "<!-- end of what to expect -->"

COLUMNS = ("Hessian", "Fisher")
NEEDS_FILES = ("mnist",)


def table() -> str:
    """One row for each preset that has been measured, in their order."""
    lines = [
        "| preset | seeds | vanilla | Hessian | Fisher | beside them |",
        "|---|---|---|---|---|---|",
    ]
    for place, preset in enumerate(load_presets()):
        expect = preset.expect
        if expect.seeds == 0:
            continue
        by_arm = {difference.arm: difference for difference in expect.differences}
        others = [label for label in by_arm if label not in COLUMNS]
        cells = [
            _name(preset, default=place == 0),
            str(expect.seeds),
            _value(preset, expect.values[expect.baseline]),
            *(_cell(preset, by_arm.get(label)) for label in COLUMNS),
            "; ".join(f"{_words(label)} {_cell(preset, by_arm[label])}" for label in others),
        ]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(lines)


def _name(preset: Preset, *, default: bool) -> str:
    if default:
        return f"`{preset.name}` (the default)"
    return f"`{preset.name}`" + (" (needs the files)" if preset.name in NEEDS_FILES else "")


def _cell(preset: Preset, difference: Difference | None) -> str:
    """An arm's mean and the interval of its difference to vanilla."""
    if difference is None:
        return ""
    low, high = (_value(preset, end, "+") for end in (difference.low, difference.high))
    return f"{_value(preset, preset.expect.values[difference.arm])} ({low} to {high})"


def _value(preset: Preset, value: float, sign: str = "") -> str:
    """Shares in per cent, errors as they are."""
    metric = TASKS.get(preset.spec["task"]["name"]).describe(preset.expect.metric)
    return f"{100 * value:{sign}.1f}" if metric.kind == "share" else f"{value:{sign}.3f}"


def _words(label: str) -> str:
    """An arm's label in the middle of a sentence; names keep their capital."""
    return label if label.startswith(("Newton", "Hessian", "Fisher")) else label.lower()


def with_table(text: str) -> str:
    """README's text with the table as it is now.

    Raises:
        ValueError: a comment that encloses the table is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> None:
    """Prints the table, or writes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="put it into README.md")
    if parser.parse_args().write:
        README.write_text(with_table(README.read_text("utf-8")), "utf-8")
    else:
        sys.stdout.write(table() + "\n")


if __name__ == "__main__":
    main()
