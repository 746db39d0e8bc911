"""From a spec to the run that is queued for it: the same for the page and the command line."""

from app.presets import get_preset
from app.runs.identity import identify, is_reusable
from app.runs.store import NewRun
from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec


def new_run(
    spec: ExperimentSpec,
    settings: Settings,
    *,
    preset: str | None = None,
    parent: str | None = None,
) -> NewRun:
    """What is to be queued for a spec.

    Args:
        spec: complete and within the server's limits.
        settings: of the server that computes it.
        preset: name of the preset that the spec is.
        parent: id of a run whose snapshots it may start from.
    """
    return NewRun(
        identity=identify(spec),
        reusable=is_reusable(spec),
        steps=spec.steps,
        threads=settings.threads,
        title=_title(spec, preset),
        preset=preset,
        parent=parent,
    )


def preset_spec(name: str) -> ExperimentSpec:
    """The spec of a preset.

    Raises:
        UnknownPresetError: there is none of this name; the message lists the known ones.
    """
    return ExperimentSpec.model_validate(get_preset(name).spec)


def _title(spec: ExperimentSpec, preset: str | None) -> str:
    if preset is not None:
        return get_preset(preset).title
    arms = ", ".join(arm.label for arm in spec.arms)
    title = f"{spec.task.name}, {spec.loss.name}: {arms}"
    if not spec.changes:
        return title
    last = spec.changes[-1]  # one fits the line
    settings = [("λ", last.tikhonov), ("learning rate", last.lr)]
    words = " and ".join(f"{name} {value:g}" for name, value in settings if value is not None)
    return f"{title}; {spec.arms[last.arm].label} with {words} from step {last.step}"
