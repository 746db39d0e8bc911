"""The table as text, and as the page docs/benchmarks.md."""

import datetime
import importlib.metadata
import platform
from importlib.util import find_spec
from pathlib import Path

from benchmarks.pairs import Measured

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
NAMED = ("torch", "numpy", "numba", "scipy", "diffsort", "algovision")

HEADER = f"{'work':52} {'ours ms':>9} {'peer ms':>9} {'ratio':>7} {'MB':>6}  target           peer"

ABOUT = """# Benchmarks

What the lab's own code costs beside the code that people would use instead. `make bench` prints
this table and writes this page and `dist/benchmarks.json`. The two ways of a row take turns in one
process and one torch thread; times are processor time, the ratio is the median over the pairs.
Targets are what we aim for; a row that misses its target says so.
MB is by how much the second call of a new process raises its memory at its height, once all that
the first has freed was given back: what a call needs beside its code.
How time and memory grow with the sizes: [growth](growth.md).
"""


def machine() -> dict[str, str]:
    """Where and with what the table was measured."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in NAMED if find_spec(name)},
    }


def _processor() -> str:
    """The processor's name, as Linux has it, or the architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def cells(row: Measured) -> list[str]:
    """Ours, the peer's, ratio and memory, empty where there is none."""
    return [
        f"{row.ours:.3g}" if row.ours < 1000 else f"{row.ours:.0f}",
        "" if row.peers is None else f"{row.peers:.3g}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.memory is None else f"{row.memory:.{0 if row.memory >= 1 else 1}f}",
    ]


def line(row: Measured) -> str:
    """A row as text."""
    ours, peers, ratio, memory = cells(row)
    verdict = f"{row.target}{'' if row.met else ' MISSED'}"
    return f"{row.work:52} {ours:>9} {peers:>9} {ratio:>7} {memory:>6}  {verdict:16} {row.peer}"


def write_page(rows: list[Measured]) -> None:
    """Writes docs/benchmarks.md."""
    where = machine()
    date = where.pop("date")
    versions = ", ".join(f"{name} {version}" for name, version in where.items())
    head = "| work | ours, ms | peer | peer, ms | ratio | MB | target | met |"
    lines = [head, "|---|--:|---|--:|--:|--:|---|---|"]
    for row in rows:
        ours, peers, ratio, memory = cells(row)
        met = "yes" if row.met else "no"
        lines.append(
            f"| {row.work} | {ours} | {row.peer} | {peers} | {ratio} | {memory} | {row.target} |"
            f" {met} |"
        )
    text = f"{ABOUT}\nMeasured on {date}: {versions}.\n\n" + "\n".join(lines) + "\n"
    PAGE.write_text(text)
