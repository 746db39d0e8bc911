"""Whether the working tree behaves as a commit before did, bit for bit, on this machine.

    python -m scripts.compare_behaviour [BEFORE] [--only events,routes] [--expected FILE]

BEFORE is a commit (default: HEAD), whose sources are unpacked into a temporary folder, or a folder
with a checkout. Both trees run in processes of their own and are driven only through what they
promise: ``newton_core.run``, the command line, the HTTP interface and the page. Modules may be
renamed and moved, and nothing shows; a number that moves in its last bit does.

FILE names the changes that are meant, as a JSON object of {path: reason}; ``*`` in a path stands
for any part of it. They are counted apart. The exit status is 1 where anything else differs.

    python -m scripts.compare_behaviour --write-reference

remakes what ``tests/test_behaviour.py`` compares, in ``tests/behaviour``.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.behaviour.differences import (
    ABSENT,
    Difference,
    Expected,
    count_values,
    differences,
    read_expected,
)
from scripts.behaviour.events import Things, event_things
from scripts.behaviour.page import page_things
from scripts.behaviour.reference import write_reference
from scripts.behaviour.routes import route_things
from scripts.behaviour.trees import HERE, Tree, TreeError, opened_tree

PARTS: dict[str, Callable[[Tree], Things]] = {
    "events": event_things,
    "routes": route_things,
    "page": page_things,
}
SHOWN = 8
"""Differences of one thing that are printed; the others are counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares and prints; 1 where something differs that was not named."""
    parser = argparse.ArgumentParser(description="Compares the behaviour of two trees.")
    parser.add_argument("before", nargs="?", default="HEAD", help="a commit or a folder")
    parser.add_argument("--only", default="events,routes", help="parts, by commas")
    parser.add_argument(
        "--write-reference", action="store_true", help="remake tests/behaviour, compare nothing"
    )
    parser.add_argument("--expected", type=Path, help="JSON file of changes that are meant")
    options = parser.parse_args(arguments)
    if options.write_reference:
        write_reference()
        return 0
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown parts {sorted(unknown)}; known: {', '.join(PARTS)}")
    expected = read_expected(options.expected) if options.expected else ()
    unexpected = 0
    try:
        with opened_tree(options.before) as before:
            for part in parts:
                unexpected += _compare(PARTS[part], before, Tree("working tree", HERE), expected)
    except TreeError as error:
        raise SystemExit(str(error)) from error
    _print(f"{unexpected} differences" if unexpected else "empty: nothing moved")
    return 1 if unexpected else 0


def _compare(
    part: Callable[[Tree], Things], before: Tree, after: Tree, expected: Sequence[Expected]
) -> int:
    """Prints what differs in one part; returns how many differences were not named."""
    with ThreadPoolExecutor(2) as pool:
        old, new = pool.map(part, (before, after))
    unexpected = 0
    for name in [*old, *(name for name in new if name not in old)]:
        found = list(differences(old.get(name, ABSENT), new.get(name, ABSENT), name))
        surprising = [d for d in found if not any(e.covers(d.path) for e in expected)]
        _report(name, count_values(old.get(name)), found, surprising)
        unexpected += len(surprising)
    return unexpected


def _report(
    name: str, size: int, found: Sequence[Difference], surprising: Sequence[Difference]
) -> None:
    named = len(found) - len(surprising)
    note = f", {named} meant" if named else ""
    if not surprising:
        _print(f"same     {name} ({size} values{note})")
        return
    _print(f"DIFFERS  {name} ({len(surprising)} of {size} values{note})")
    for difference in surprising[:SHOWN]:
        _print(f"    {difference}")
    if len(surprising) > SHOWN:
        _print(f"    and {len(surprising) - SHOWN} more")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
