"""From a spec to the run that is queued for it: the same for the page and the command line."""

import functools
from collections.abc import Iterator
from typing import Any

from app.database import RunRow
from app.presets import get_preset, load_presets
from app.runs.forks import common_steps, untouched_arms
from app.runs.identity import identify, is_reusable
from app.runs.limits import LimitProblem
from app.runs.store import NewRun
from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec, stored_spec

Path = tuple[str | int, ...]


def new_run(
    spec: ExperimentSpec,
    settings: Settings,
    *,
    preset: str | None = None,
    parent: RunRow | None = None,
    owner: str | None = None,
) -> NewRun:
    """What is to be queued for a spec; a preset's keeps its name with another seed too.

    Args:
        spec: complete and within the server's limits.
        settings: of the server that computes it.
        preset: name of the preset that the spec is.
        parent: a run whose snapshots it may start from, which counts only if that saves work:
            forks have a worker of their own.
        owner: mark of the visitor who asks for it, where visitors are told apart.
    """
    preset = preset or _preset_of(spec)
    return NewRun(
        identity=identify(spec),
        reusable=is_reusable(spec),
        steps=spec.steps,
        threads=settings.threads,
        title=_title(spec, preset),
        preset=preset,
        owner=owner,
        parent=parent.id if parent is not None and _saves_work(parent, spec) else None,
    )


def _saves_work(parent: RunRow, spec: ExperimentSpec) -> bool:
    theirs = stored_spec(parent.spec)
    return bool(common_steps(theirs, spec) or untouched_arms(theirs, spec))


def nul_problem(spec: ExperimentSpec) -> LimitProblem | None:
    """Where a text of a spec holds a NUL, which PostgreSQL cannot store; None if none does."""
    for path, text in _texts(spec.model_dump(mode="json"), ()):
        if "\0" in text:
            return LimitProblem(path, "the character NUL cannot be stored")
    return None


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _texts(item, (*path, i))


@functools.cache
def preset_spec(name: str) -> ExperimentSpec:
    """The spec of a preset.

    Raises:
        UnknownPresetError: there is none of this name; the message lists the known ones.
    """
    return ExperimentSpec.model_validate(get_preset(name).spec)


def _preset_of(spec: ExperimentSpec) -> str | None:
    return next(
        (
            preset.name
            for preset in load_presets()
            if preset_spec(preset.name).model_copy(update={"seed": spec.seed}) == spec
        ),
        None,
    )


def _title(spec: ExperimentSpec, preset: str | None) -> str:
    if preset is not None:
        return get_preset(preset).title
    if spec.changes:
        before = spec.model_copy(update={"changes": ()})
        return f"{_title(before, _preset_of(before))}; {_last_change(spec)}"
    arms = ", ".join(arm.label for arm in spec.arms)
    what = ", ".join(dict.fromkeys((spec.task.name, spec.loss.name)))  # a simulator names both
    return f"{what}: {arms}"


def _last_change(spec: ExperimentSpec) -> str:
    last = spec.changes[-1]  # one fits the line
    settings = [("λ", last.tikhonov), ("learning rate", last.lr)]
    words = " and ".join(f"{name} {value:g}" for name, value in settings if value is not None)
    return f"{spec.arms[last.arm].label} with {words} from step {last.step}"
