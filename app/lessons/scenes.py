"""What a scene shows: its spec, complete and valid, and the settings of its page."""

import functools
import re
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from app.lessons.records import Claim, Scene, SceneView
from app.presets import UnknownPresetError, get_preset
from newton_core.experiment.errors import explain
from newton_core.experiment.spec import ExperimentSpec

_COMPARE_CONTROL = re.compile(r"seed|steps|batch_size|arms\.(\d+)\.(tikhonov|lr)")
SETTINGS: dict[str, tuple[str, ...]] = {
    "compare": (
        "speed", "x", "xaxis", "yaxis", "smooth", "charts", "plane", "points", "shape", "height",
        "shading",
    ),
    "surfaces": (
        "function", "formula", "start", "lr", "adam", "newton", "tikhonov", "step", "surface",
        "quadratic",
    ),
    "three-numbers": (
        "loss", "numerics", "temperature", "range", "across", "up", "lr", "tikhonov", "step",
        "surface",
    ),
    "gradients": (
        "loss", "numerics", "network", "temperature", "tikhonov", "n", "scores", "from", "to",
        "vanishing", "exploding",
    ),
}  # fmt: skip
"""Names in the addresses of the lab's pages that a scene may set."""


class SceneError(ValueError):
    """A scene that cannot be shown; ``key`` is where to look."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def checked(scene: Scene) -> None:
    """Refuses what would show nothing.

    Raises:
        SceneError: an unknown preset, setting, control or highlight, or a spec that cannot run.
    """
    known = SETTINGS[scene.page]
    for name in scene.settings:
        if name not in known:
            raise SceneError(name, f"settings: {scene.page} has no {name!r}; it has {_list(known)}")
    if scene.page != "compare":
        for name in scene.controls:
            if name not in known:
                raise SceneError(
                    "controls", f"controls: {scene.page} has no {name!r}; it has {_list(known)}"
                )
    else:
        spec = spec_of(scene)
        for name in scene.controls:
            found = _COMPARE_CONTROL.fullmatch(name)
            if found is None or (found[1] is not None and int(found[1]) >= len(spec.arms)):
                raise SceneError(
                    "controls",
                    f"controls: there is no {name!r}; use seed, steps, batch_size, or"
                    f" arms.0.tikhonov and arms.0.lr, with arms up to {len(spec.arms) - 1}",
                )
        last = scene.range[1] if scene.range else scene.step or 0
        if last > spec.steps:
            key = "range" if scene.range else "step"
            raise SceneError(key, f"{key}: the run ends at step {spec.steps}")


def spec_of(scene: Scene, claim: Claim | None = None, seed: int = 0) -> ExperimentSpec:
    """The run that a scene shows, as a claim about it changes it, ``seed`` seeds further.

    Raises:
        SceneError: there is no such preset, or the spec is not valid.
    """
    try:
        record = dict(get_preset(scene.preset).spec) if scene.preset else dict(scene.spec or {})
    except UnknownPresetError as error:
        raise SceneError("preset", str(error)) from error
    for changes in (scene.change, claim.change if claim else {}):
        for path, value in changes.items():
            record = _changed(record, path.split("."), value, path)
    try:
        spec = ExperimentSpec.model_validate(record)
    except ValidationError as error:
        problems = "; ".join(str(problem) for problem in explain(error))
        raise SceneError("change" if scene.change else "spec", problems) from error
    return spec.model_copy(update={"seed": spec.seed + seed})


def _changed(record: Any, path: list[str], value: Any, whole: str) -> Any:
    if not path:
        return value
    key, *rest = path
    if isinstance(record, list):
        if not key.isdigit() or int(key) >= len(record):
            raise SceneError(
                whole, f"change: {whole}: there are {len(record)} of these, from 0; not {key!r}"
            )
        changed = list(record)
        changed[int(key)] = _changed(record[int(key)], rest, value, whole)
        return changed
    if not isinstance(record, dict):
        raise SceneError(whole, f"change: {whole}: there is nothing at {key!r}")
    return {**record, key: _changed(record.get(key, {}), rest, value, whole)}


@functools.lru_cache(maxsize=512)
def _view(text: str) -> SceneView:
    scene = Scene.model_validate_json(text)
    start, stop = scene.range or (scene.step, scene.step)
    spec = spec_of(scene) if scene.page == "compare" else None
    settings = dict(scene.settings)
    if scene.page != "compare" and scene.step is not None:
        settings["step"] = scene.step
    return SceneView(
        page=scene.page,
        spec=spec,
        search=_query(settings),
        panels=scene.panels,
        controls=scene.controls,
        start=start,
        stop=stop,
        highlight=scene.highlight,
    )


def view_of(scene: Scene) -> SceneView:
    """The scene as the page puts it into the lab; of a scene that is ``checked``."""
    return _view(scene.model_dump_json())


def _query(settings: dict[str, Any]) -> str:
    parts = [f"{name}={quote(_text(value), safe=',')}" for name, value in settings.items()]
    return "?" + "&".join(parts) if parts else ""


def number_or_text(text: str) -> str | float:
    """A setting as an address holds it."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
