"""Measures what each preset shows over seeds and writes it into the preset's ``expect``.

    python benchmarks/presets.py [NAME ...] --seeds 10
    python benchmarks/presets.py [NAME ...] --time

Runs one after the other, one thread each, as ``newton-lab train NAME --seeds 10`` does; the
sentence is written by hand and stays as it is. ``--time`` runs one seed on a machine that had
better be quiet, and writes nothing but its seconds. Without a name: all presets.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from rich.console import Console

from app.presets import load_presets
from app.specs import read_spec
from app.train import idle_cores, train
from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import Summary
from newton_core.training.run import run

FOLDER = Path(__file__).parents[1] / "app" / "presets"


def train_seeds(name: str, seeds: int, console: Console) -> list[Summary]:
    """What a preset's runs say at their ends, one per seed."""
    spec = read_spec(name)
    summaries = []
    with idle_cores() as arm_workers:
        for offset in range(seeds):
            one = spec.model_copy(update={"seed": spec.seed + offset})
            summary, _ = train(
                one,
                run(one, workers=arm_workers),
                console=console,
                title=f"{name} seed {one.seed}",
            )
            summaries.append(summary)
            metric = summary.primary_metric
            reached = {arm.label: arm.metrics.get(metric) for arm in summary.arms}
            console.print(f"{name} seed {one.seed}: {reached} in {summary.seconds:.1f} s")
    return summaries


def seconds_of(summaries: list[Summary]) -> float:
    """The median run's."""
    return round(statistics.median(summary.seconds for summary in summaries), 1)


def expectation(name: str, summaries: list[Summary]) -> dict[str, object]:
    """The measured part of a preset's ``expect``."""
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
        "seconds": seconds_of(summaries),
        "command": f"newton-lab train {name} --seeds {len(summaries)}",
    }  # fmt: skip


def main() -> None:
    """Measures the named presets and rewrites their files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--time", action="store_true", help="measure the seconds alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console = Console()
    files = {preset.name: FOLDER / f"{preset.name}.json" for preset in load_presets()}
    for name in arguments.names or files:
        record = json.loads(files[name].read_text("utf-8"))
        summaries = train_seeds(name, 1 if arguments.time else arguments.seeds, console)
        if arguments.time:
            record["expect"]["seconds"] = seconds_of(summaries)
        else:
            record["expect"].update(expectation(name, summaries))
        files[name].write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
