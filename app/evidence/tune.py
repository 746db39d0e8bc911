"""The command ``tune``: chooses settings under one budget, writes the spec and what was tried."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.evidence.common import as_spec_errors, cell_store, ending_of, numbers, progress_bar
from app.evidence.formats import heading, number, words
from app.results import OutputError, check_writable, write_whole
from app.specs import read_spec
from app.terminal import Ending
from app.train import interruptible
from app.train_command import check_can_run
from newton_core.evidence import (
    FIRST_TUNING_SEED,
    ArmTuning,
    CellError,
    CellsStoppedError,
    Tuning,
    tune,
)
from newton_core.records import finite
from newton_core.training.devices import versions

SHOWN = 5
"""So many of an arm's trials are printed; the file holds all."""


@dataclass(frozen=True)
class TuneWishes:
    """What ``tune`` was asked for: its arguments and options."""

    source: str
    out: Path
    budget: int
    seeds: int
    first_seed: int
    processes: int | None
    force: bool
    as_json: bool

    @property
    def curve(self) -> Path:
        """The file beside the tuned spec that holds all that was tried."""
        return self.out.with_name(f"{self.out.name.removesuffix('.json')}.tuning.json")


def tune_spec(wishes: TuneWishes, console: Console, errors: Console) -> Ending | None:
    """Tunes a spec; whatever was computed is kept, however it ends.

    Args:
        wishes: what is asked for.
        console: shows the result.
        errors: shows the progress where the result is for a machine.

    Raises:
        SpecError: the spec, its data or the seeds cannot be used.
        OutputError: a file cannot be written.
    """
    spec = read_spec(wishes.source)
    check_writable("--out", wishes.out, overwrite=wishes.force)
    if wishes.out.exists() and not wishes.out.is_file():
        raise OutputError(f"--out: {wishes.out} is no file, and what was tried is kept beside it")
    check_writable("--out", wishes.curve, overwrite=wishes.force)
    check_can_run(spec, wishes.source)
    shown = errors if wishes.as_json else console
    try:
        with (
            as_spec_errors(wishes.source),
            interruptible() as stop,
            progress_bar(shown, f"tuning {wishes.source}") as progress,
        ):
            found = tune(
                spec,
                budget=wishes.budget,
                seeds=range(wishes.first_seed, wishes.first_seed + wishes.seeds),
                store=cell_store(),
                processes=wishes.processes,
                stop=stop,
                on_progress=progress,
            )
    except (CellError, CellsStoppedError, KeyboardInterrupt) as error:
        return ending_of(error)
    record = tuning_record(found, wishes.source)
    if wishes.as_json:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        for arm in found.arms:
            console.print(arm_table(found, arm))
    for path, content in ((wishes.out, record["spec"]), (wishes.curve, record)):
        write_whole("--out", path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    if wishes.as_json:
        return None
    console.print(f"{wishes.out} holds the tuned spec, {wishes.curve} all that was tried")
    console.print(f"measure it: newton-lab train {wishes.out} --seeds 10", soft_wrap=True)
    return None


def arm_table(found: Tuning, arm: ArmTuning) -> Table:
    """The best settings of one arm, and what is to be known of them."""
    metric = found.metric
    seeds = f"seeds {found.seeds[0]} to {found.seeds[-1]}"
    title = f"{arm.label}: the best of {len(arm.trials)}, {words(metric)}, {seeds}"
    if arm.at_border:
        title += (
            f"\n{' and '.join(arm.at_border)} at the end of what was tried: a better value may lie"
            " beyond; start from there, or raise --budget"
        )
    table = Table(title=title, title_justify="left")
    for name in arm.best.settings:
        table.add_column(name, justify="right")
    table.add_column(heading(metric), justify="right")
    sign = -1 if metric.better == "lower" else 1
    known = [trial for trial in arm.trials if finite(trial.mean) is not None]
    for trial in sorted(known, key=lambda trial: -sign * trial.mean)[:SHOWN]:
        table.add_row(
            *(f"{value:g}" for value in trial.settings.values()), number(metric, trial.mean)
        )
    return table


def tuning_record(found: Tuning, source: str) -> dict[str, Any]:
    """All that was tried, for machines."""
    return {
        "source": source,
        "command": f"newton-lab tune {source} --budget {found.budget} --seeds {len(found.seeds)}"
        + (f" --first-seed {found.seeds[0]}" if found.seeds[0] != FIRST_TUNING_SEED else ""),
        "versions": versions(),
        "metric": found.metric.name,
        "better": found.metric.better,
        "budget": found.budget,
        "seeds": list(found.seeds),
        "seconds": round(found.seconds, 1),
        "arms": [
            {
                "label": arm.label,
                "best": dict(arm.best.settings),
                "mean": finite(arm.best.mean),
                "at_border": list(arm.at_border),
                "trials": [
                    {
                        "settings": dict(trial.settings),
                        "mean": finite(trial.mean),
                        "values": numbers(trial.values),
                    }
                    for trial in arm.trials
                ],
            }
            for arm in found.arms
        ],
        "spec": found.spec.model_dump(mode="json"),
    }
