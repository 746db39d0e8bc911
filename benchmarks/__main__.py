"""One table: what is measured, ours, the peer's, and the target.

    python -m benchmarks [--quick] [--only WORD ...] [--json FILE] [--write]

It is no test: a target that is missed is a line of the table. Each row's two ways take turns in
this process, in one thread; times are of the processor, ratios the median over the pairs.
"""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

os.environ["NUMBA_NUM_THREADS"] = "1"  # numba reads it once, on its import

import torch

from benchmarks import (
    rows_alignment,
    rows_losses,
    rows_ranks,
    rows_runs,
    rows_slices,
    rows_solves,
    rows_updates,
)
from benchmarks.pairs import Measured, measure
from benchmarks.report import HEADER, line, machine, write_page
from newton_core.workers.memory import keep_blocks

ROWS = [
    *rows_losses.ROWS,
    *rows_alignment.ROWS,
    *rows_ranks.ROWS,
    *rows_updates.ROWS,
    *rows_solves.ROWS,
    *rows_slices.ROWS,
    *rows_runs.ROWS,
]


def table(words: list[str], *, quick: bool) -> Iterator[Measured]:
    """The rows whose work holds one of the words (none: all), as they are measured."""
    for row in ROWS:
        if quick and not row.is_call:
            continue
        if not words or any(word.lower() in row.work.lower() for word in words):
            yield measure(row, quick=quick)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only that all runs")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows with a word")
    parser.add_argument("--json", type=Path, help="where the numbers go")
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("the page shows full runs: --write goes with neither --quick nor --only")
    torch.set_num_threads(1)
    keep_blocks()  # as workers and the command line do; peers gain by it too
    print(HEADER, flush=True)
    found = []
    for measured in table(options.only, quick=options.quick):
        found.append(measured)
        print(line(measured), flush=True)
    print(f"{sum(row.met for row in found)} of {len(found)} targets met")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        said = {"machine": machine(), "quick": options.quick, "rows": [asdict(r) for r in found]}
        options.json.write_text(json.dumps(said, indent=2) + "\n")
    if options.write:
        write_page(found)


if __name__ == "__main__":
    main()
