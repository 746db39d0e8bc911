"""What a class meets that presses play at once, on this machine.

    python -m scripts.classroom [--students 30] [--steps 300]

Opens a lab as a class has it, with this machine's usual workers, and a page for each student.
First all have a spec of their own, then all the same. Printed: after how long a page said its place
in the queue, the slowest answer that any page met meanwhile, and when the last run had ended.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.app.classroom import Student, press_play
from tests.app.harness import LabServer, tiny_spec

CODE = "of this measurement"


def main() -> int:
    """Measures both and prints a line each; 1 where a run did not finish, or out of turn."""
    parser = argparse.ArgumentParser(description="Has a class press play at once.")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--steps", type=int, default=300, help="of each student's run")
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        lab = LabServer(Path(work, "data"), access_code=CODE, own_runs_only=1, runs_per_visitor=2)
        stack.enter_context(contextlib.closing(lab))
        lab.start()
        lab.client.headers["Authorization"] = f"Bearer {CODE}"
        own = [tiny_spec(seed=seed, steps=options.steps) for seed in range(options.students)]
        same = [tiny_spec(seed=10_000, steps=options.steps)] * options.students
        for name, specs in (("a spec each", own), ("one spec for all", same)):
            good &= measure(lab, name, specs)
    return 0 if good else 1


def measure(lab: LabServer, name: str, specs: list[dict[str, Any]]) -> bool:
    """One lesson's worth of pressing play; whether all went as it should."""
    began = time.monotonic()
    # Each page is a visitor by its cookie, which the first page that it opens gives it.
    headers = {"Authorization": f"Bearer {CODE}"}
    students: list[Student] = asyncio.run(press_play(lab.url, specs, headers))
    seconds = time.monotonic() - began
    told = [student.told for student in students]
    slowest = max(student.slowest for student in students)
    finished = sum(student.last == "finished" for student in students)
    in_turn = all(s.places == sorted(s.places, reverse=True) for s in students)
    runs = len({student.run for student in students})
    sys.stdout.write(
        f"{name}: {len(students)} students, {runs} runs, {finished} saw the end; told after"
        f" {statistics.median(told):.2f} s (worst {max(told):.2f} s), slowest answer to a page"
        f" {slowest:.2f} s, all ended after {seconds:.0f} s,"
        f" {'in turn' if in_turn else 'OUT OF TURN'}\n"
    )
    return finished == len(students) and in_turn


if __name__ == "__main__":
    sys.exit(main())
