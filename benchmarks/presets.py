"""Measures what each preset shows over seeds and writes it into the preset's ``expect``.

    python benchmarks/presets.py NAME [NAME ...] --seeds 10

Runs one after the other, one thread each, as ``newton-lab train NAME --seeds 10`` does; the
sentence is written by hand and stays as it is.
"""

import argparse
import json
import statistics
import threading
from pathlib import Path

import torch
from rich.console import Console

from app.presets import load_presets
from app.specs import read_spec
from app.train import compare, train

FOLDER = Path(__file__).parents[1] / "app" / "presets"


def measure(name: str, seeds: int, console: Console) -> dict[str, object]:
    """The measured part of a preset's ``expect``."""
    spec = read_spec(name)
    summaries = []
    for offset in range(seeds):
        one = spec.model_copy(update={"seed": spec.seed + offset})
        summary, _ = train(
            one, console=console, title=f"{name} seed {one.seed}", stop=threading.Event()
        )
        summaries.append(summary)
        metric = summary.primary_metric
        reached = {arm.label: arm.metrics.get(metric) for arm in summary.arms}
        console.print(f"{name} seed {one.seed}: {reached} in {summary.seconds:.0f} s")
    labels = [arm.label for arm in summaries[0].arms]
    values = {
        label: statistics.fmean(s.arms[i].metrics.get(metric) or 0.0 for s in summaries)
        for i, label in enumerate(labels)
    }
    return {
        "metric": metric,
        "baseline": labels[0],
        "values": {label: round(value, 4) for label, value in values.items()},
        "differences": [
            {"arm": label, "mean": round(d.mean, 4), "low": round(d.low, 4),
             "high": round(d.high, 4)}
            for label, d in compare(summaries).items()
        ],
        "seeds": seeds,
        "seconds": round(statistics.median(s.seconds for s in summaries), 1),
        "command": f"newton-lab train {name} --seeds {seeds}",
    }  # fmt: skip


def main() -> None:
    """Measures the named presets and rewrites their files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console = Console()
    files = {preset.name: FOLDER / f"{preset.name}.json" for preset in load_presets()}
    for name in arguments.names:
        record = json.loads(files[name].read_text("utf-8"))
        record["expect"].update(measure(name, arguments.seeds, console))
        files[name].write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
