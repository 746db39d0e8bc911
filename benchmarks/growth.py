"""How time and memory of a Newton step grow with the sizes of a loss.

    python -m benchmarks.growth [--only WORD ...] [--json FILE] [--write]

Each line runs in a process of its own, in one thread, from small sizes to large ones. A size is
left out, and named, if the two before it foretell that it takes over 8 GB or too long. ``--write``
makes docs/growth.md, with exponents, and its chart docs/growth.svg, which needs the extra
``figures``; with the ``--json`` of an earlier call it measures nothing again.
"""

import argparse
import json
import math
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from app.evidence.exports import drawn, undrawn
from benchmarks.memory import apart, peak_megabytes
from benchmarks.pairs import Call, seconds_of
from benchmarks.report import machine
from newton_core import build_loss, newton_direction, permutation_matrix
from newton_core.algorithms import shortest_path
from newton_core.curvature.hessian import HessianKind
from newton_core.curvature.step import Curvature
from newton_core.losses.base import Loss

MOST_MEGABYTES = 8192
MOST_SECONDS = 6.0
"""For one call; the whole takes some minutes then."""
CALLS = 3
FITTED = 3
"""The largest sizes, from which an exponent is fitted: small ones tell of what every call costs."""
PAGE = Path(__file__).parents[1] / "docs" / "growth.md"
CHART = PAGE.with_suffix(".svg")


@dataclass(frozen=True)
class Line:
    """A call whose size grows.

    Attributes:
        work: what is measured.
        size: what grows: n, side, m, N or S.
        sizes: the sizes, growing.
        build: makes the call of a size.
    """

    work: str
    size: str
    sizes: tuple[int, ...]
    build: Callable[[int], Call]


@dataclass(frozen=True)
class Growth:
    """What a line came to.

    Attributes:
        work, size: of the line.
        sizes: those that ran.
        milliseconds: median processor time of a call at each of them.
        megabytes: that a call takes at its height.
        not_run: the sizes that were left out, with what they would take; empty if all ran.
    """

    work: str
    size: str
    sizes: list[int]
    milliseconds: list[float]
    megabytes: list[float]
    not_run: str


def exponent(sizes: list[int], values: list[float]) -> float | None:
    """k of values ~ sizes^k, by least squares over the largest sizes; None of fewer than two."""
    kept = [(math.log(x), math.log(v)) for x, v in zip(sizes, values, strict=True) if v > 0]
    if len(kept) < 2:
        return None
    return statistics.linear_regression(*zip(*kept[-FITTED:], strict=True)).slope


def measure(line: Line) -> Growth:
    """Measures a line, in this process."""
    grown = Growth(line.work, line.size, [], [], [], "")
    line.build(line.sizes[0])()  # loads code
    for index, size in enumerate(line.sizes):
        memory, time = foretold(grown, size)
        if memory > MOST_MEGABYTES or time > 1e3 * MOST_SECONDS:
            left_out = "; ".join(_in_words(grown, rest) for rest in line.sizes[index:])
            return replace(grown, not_run=left_out)
        call = line.build(size)
        memory = peak_megabytes(call) or 0.0
        times = [seconds_of(call)]
        while len(times) < CALLS and times[0] < MOST_SECONDS / CALLS:
            times.append(seconds_of(call))
        grown.sizes.append(size)
        grown.milliseconds.append(1e3 * statistics.median(times))
        grown.megabytes.append(memory)
    return grown


def foretold(grown: Growth, size: int) -> tuple[float, float]:
    """Megabytes and milliseconds of a size, if it goes on as from the second last size to the last.

    Both are 0 where nothing can be foretold.
    """
    found = []
    for values in (grown.megabytes, grown.milliseconds):
        slope = exponent(grown.sizes[-2:], values[-2:])
        found.append(0.0 if slope is None else values[-1] * (size / grown.sizes[-1]) ** slope)
    return found[0], found[1]


def _in_words(grown: Growth, size: int) -> str:
    megabytes, milliseconds = foretold(grown, size)
    return f"{grown.size} = {size:,}: some {megabytes / 1024:,.2g} GB, {milliseconds / 1e3:,.0f} s"


def sorting(
    name: str, size: int, *, samples: int = 100, hessian: HessianKind = "batch_mean"
) -> Call:
    """The Newton step of a loss on permutation matrices."""
    generator = torch.Generator().manual_seed(0)
    y, noise = torch.randn(2, samples, size, generator=generator)
    loss = build_loss(name)
    return partial(newton_direction, loss, y, permutation_matrix(y + 0.3 * noise), hessian=hessian)


def sorting_batch(name: str, samples: int) -> Call:
    """The same of ten items, over the batch."""
    return sorting(name, 10, samples=samples)


def path(name: str, side: int, *, samples: int | None = None, gradient: bool = False) -> Call:
    """A step through grids of side x side tiles, ten samples of noise unless said otherwise."""
    generator = torch.Generator().manual_seed(0)
    costs, other = torch.rand(2, 10, side, side, generator=generator) + 0.3
    target = shortest_path(other).path
    loss: Loss
    if name == "bellman_ford":
        loss = build_loss(name)
    else:
        loss = build_loss(name, samples=samples or 10, generator=torch.Generator().manual_seed(0))
    if gradient:
        return partial(loss.derivatives, costs, target, hessian=False)
    return partial(newton_direction, loss, costs, target)


def noise(samples: int) -> Call:
    """perturbed_fy on 12 x 12 grids, over the samples of its noise."""
    return path("perturbed_fy", 12, samples=samples)


def outputs(
    name: str, curvature: Curvature, size: int, *, hessian: HessianKind = "batch_mean"
) -> Call:
    """A step of a classical loss, 100 samples."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(100, size, generator=generator)
    target = (
        torch.randint(size, (100,), generator=generator)
        if name == "cross_entropy"
        else torch.randn(100, size, generator=generator)
    )
    return partial(
        newton_direction, build_loss(name), y, target, curvature=curvature, hessian=hessian
    )


def fisher_batch(samples: int) -> Call:
    """The Fisher step of ten classes, over the batch."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(samples, 10, generator=generator)
    target = torch.randint(10, (samples,), generator=generator)
    return partial(newton_direction, build_loss("cross_entropy"), y, target, curvature="fisher")


ITEMS, SIDES = (2, 4, 8, 16, 32, 64), (4, 8, 12, 16, 24, 32, 48, 64)
OUTPUTS, BATCHES = (16, 64, 256, 1024, 2048, 4096), (16, 64, 256, 1024, 4096)
NOISE = (1, 4, 16, 64, 256)
LINES = [
    *(
        Line(title, "n", ITEMS, partial(sorting, name))
        for title, name in (("NeuralSort", "neuralsort"), ("SoftSort", "softsort"),
                            ("DSN Cauchy", "cauchy_dsn"), ("DSN logistic", "logistic_dsn"))
    ),
    Line("NeuralSort, per sample", "n", ITEMS,
         partial(sorting, "neuralsort", hessian="per_sample")),
    Line("relaxed Bellman-Ford", "side", SIDES, partial(path, "bellman_ford")),
    Line("relaxed Bellman-Ford, gradient", "side", SIDES,
         partial(path, "bellman_ford", gradient=True)),
    Line("perturbed_fy", "side", SIDES, partial(path, "perturbed_fy")),
    Line("cross-entropy, Hessian", "m", OUTPUTS, partial(outputs, "cross_entropy", "hessian")),
    Line("cross-entropy, per sample", "m", OUTPUTS,
         partial(outputs, "cross_entropy", "hessian", hessian="per_sample")),
    Line("cross-entropy, Fisher", "m", OUTPUTS, partial(outputs, "cross_entropy", "fisher")),
    Line("squared error, Hessian", "m", OUTPUTS, partial(outputs, "squared_error", "hessian")),
    Line("NeuralSort, n = 10", "N", BATCHES, partial(sorting_batch, "neuralsort")),
    Line("DSN Cauchy, n = 10", "N", BATCHES, partial(sorting_batch, "cauchy_dsn")),
    Line("cross-entropy, Fisher, m = 10", "N", BATCHES, fisher_batch),
    Line("perturbed_fy, 12 x 12", "S", NOISE, noise),
]  # fmt: skip
ABOUT = """# How the cost of a Newton step grows

`python -m benchmarks.growth --write` measures this. Time is processor time of one thread, memory
what a call takes at its height beyond what the process held. n are items (100 samples), side that
of a map (10 maps), m outputs (100 samples), N samples, S samples of noise (10 maps). A step is one
of the batch mean's Hessian, unless it says otherwise. Exponents are fitted to the {fitted} largest
sizes that ran; a size is left out where the two before it foretell over 8 GB or over {seconds:g} s
for a call.

![Time and memory over each size, both logarithmic](growth.svg)
"""


def page(found: list[Growth]) -> str:
    """The page's text."""
    where = machine()
    date = where.pop("date")
    versions = ", ".join(f"{name} {version}" for name, version in where.items())
    names = ("step", "over", "up to", "ms there", "time grows like", "MB there",
             "memory grows like", "not run")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|---|---|--:|--:|---|--:|---|---|"]
    for one in found:
        powers = [
            "" if k is None else f"{one.size}^{k:.1f}"
            for k in (exponent(one.sizes, one.milliseconds), _memory_exponent(one))
        ]
        lines.append(
            f"| {one.work} | {one.size} | {one.sizes[-1]:,} | {one.milliseconds[-1]:,.3g}"
            f" | {powers[0]} | {one.megabytes[-1]:,.3g} | {powers[1]} | {one.not_run} |"
        )
    about = ABOUT.format(fitted=FITTED, seconds=MOST_SECONDS)
    return f"{about}\nMeasured on {date}: {versions}.\n\n" + "\n".join(lines) + "\n"


def _memory_exponent(one: Growth) -> float | None:
    """None where no three sizes take a megabyte: pages and blocks are all that is seen then."""
    seen = [(x, v) for x, v in zip(one.sizes, one.megabytes, strict=True) if v >= 1]
    return exponent([x for x, _ in seen], [v for _, v in seen]) if len(seen) >= FITTED else None


def main() -> None:
    """Prints each line as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="lines with a word")
    parser.add_argument("--json", type=Path, help="where the numbers go, or come from if it exists")
    parser.add_argument("--write", action="store_true", help="write docs/growth.md and its chart")
    options = parser.parse_args()
    if options.write and (problem := undrawn()):
        parser.error(problem)
    if options.json is not None and options.json.exists():
        found = [Growth(**record) for record in json.loads(options.json.read_text())]
    else:
        found = []
        for line in LINES:
            if options.only and not any(word in line.work for word in options.only):
                continue
            found.append(apart(partial(measure, line)))
            print(found[-1], flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    if options.write:
        from benchmarks.growth_chart import chart

        CHART.write_bytes(drawn(chart(found), ".svg"))
        PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
