"""Measures what each preset shows over seeds and writes it into the preset's ``expect``.

    python -m benchmarks.presets [NAME ...] --seeds 10
    python -m benchmarks.presets [NAME ...] --time

The numbers are those of ``newton-lab train NAME --seeds 10``. Each arm is trained alone on one
thread and kept in the data folder, so that a measurement goes on where it was stopped; the sentence
is written by hand and stays as it is. ``--time`` runs one seed on a machine that had better be
quiet, and writes nothing but its seconds. Without a name: all presets.
"""

import argparse
import json
from pathlib import Path

import torch
from rich.console import Console

from app.evidence.common import progress_bar
from app.evidence.comparison import table_of
from app.presets import load_presets
from app.specs import read_spec
from app.train import idle_cores, train
from newton_core.evidence import (
    CellStore,
    SeedError,
    check_report_seeds,
    compute_cells,
    with_seeds,
)
from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import Summary
from newton_core.training.run import run

FOLDER = Path(__file__).parents[1] / "app" / "presets"


def seconds_of(name: str, console: Console) -> float:
    """How long one run takes here, all arms together as ``train`` computes them."""
    spec = read_spec(name)
    with idle_cores() as arm_workers:
        summary, _ = train(spec, run(spec, workers=arm_workers), console=console, title=name)
    return round(summary.seconds, 1)


def expectation(name: str, summaries: list[Summary]) -> dict[str, object]:
    """The measured part of a preset's ``expect``, its seconds apart."""
    comparison = compare_runs(read_spec(name), summaries)
    compared = [(arm.label, arm.difference) for arm in comparison.arms]
    return {
        "metric": comparison.metric.name,
        "better": comparison.metric.better,
        "baseline": comparison.arms[0].label,
        "values": {arm.label: round(arm.mean, 4) for arm in comparison.arms},
        "diverged": {arm.label: arm.diverged for arm in comparison.arms if arm.diverged},
        "differences": [
            {"arm": label, "mean": round(d.mean, 4), "low": round(d.low, 4),
             "high": round(d.high, 4)}
            for label, d in compared
            if d is not None
        ],
        "seeds": len(summaries),
        "command": f"newton-lab train {name} --seeds {len(summaries)}",
    }  # fmt: skip


def main() -> None:
    """Measures the named presets and rewrites their files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--time", action="store_true", help="measure the seconds alone")
    arguments = parser.parse_args()
    try:
        check_report_seeds(range(arguments.seeds))
    except SeedError as error:
        parser.error(f"--seeds: {error}")
    torch.set_num_threads(1)
    console = Console()
    files = {preset.name: FOLDER / f"{preset.name}.json" for preset in load_presets()}
    for name in arguments.names or files:
        record = json.loads(files[name].read_text("utf-8"))
        if arguments.time:
            record["expect"]["seconds"] = seconds_of(name, console)
        else:
            specs = with_seeds(read_spec(name), range(arguments.seeds))
            with progress_bar(console, name) as progress:
                summaries = compute_cells(specs, CellStore(), on_progress=progress)
            record["expect"].update(expectation(name, summaries))
            console.print(table_of(compare_runs(specs[0], summaries)))
        files[name].write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
