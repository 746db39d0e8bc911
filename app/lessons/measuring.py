"""Whether the claims of a lesson are true: their runs are made, and their numbers compared."""

import functools
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import torch

from app import __version__
from app.lessons.parsing import WrittenLesson
from app.lessons.questions import question_of, settings_of
from app.lessons.records import Claim, Measured, Measurement, Scene
from app.lessons.scenes import spec_of, view_of
from app.runs.identity import canonical
from newton_core import run
from newton_core.descent import Descent, DescentSettings, descend
from newton_core.experiment.spec import ExperimentSpec
from newton_core.landscape.three_numbers import three_numbers_descents
from newton_core.losses.base import build_loss

Curves = dict[str, dict[str, list[tuple[int, float]]]]
"""By arm's label and metric: step and value, ascending."""


class ClaimError(ValueError):
    """A claim that cannot be measured, as it names what is not there."""


def claim_key(claim: Claim, scene: Scene) -> str:
    """Of all that a claim's numbers depend on, but the versions: SHA-256 in hexadecimal.

    Raises:
        SceneError: the claim changes the scene into something that cannot run.
    """
    if scene.page == "compare":
        shown = canonical(spec_of(scene, claim))
    else:
        shown = json.dumps([scene.page, scene.settings], sort_keys=True)
    asked = claim.model_dump_json(exclude={"say", "change"})
    return hashlib.sha256(f"{shown}\n{asked}".encode()).hexdigest()


def measure(lesson: WrittenLesson, progress: Callable[[str], None]) -> Measurement:
    """Makes the runs of every claim and compares their numbers.

    Raises:
        ClaimError: a claim names an arm or a metric that its run does not have.
        SceneError: a claim changes the scene into something that cannot run.
    """
    claims = []
    for written in lesson.claims:
        claim, scene = written.claim, written.scene
        progress(claim.say)
        values = [_value(claim, scene, seed) for seed in range(claim.seeds)]
        claims.append(
            Measured(
                say=claim.say,
                key=claim_key(claim, scene),
                values=[value if math.isfinite(value) else None for value in values],
                holds=all(holds(claim, value) for value in values),
            )
        )
    return Measurement(
        lesson=lesson.name,
        version=__version__,
        command=f"newton-lab lesson check app/lessons/content/{lesson.name}.md --measure",
        claims=claims,
    )


def holds(claim: Claim, value: float) -> bool:
    """Whether a measured value is as the claim says; what is not finite is not."""
    above = claim.above is None or value > claim.above
    below = claim.below is None or value < claim.below
    return math.isfinite(value) and above and below


def _value(claim: Claim, scene: Scene, seed: int) -> float:
    if scene.page == "compare":
        curves = _run_curves(canonical(spec_of(scene, claim, seed)))
    else:
        curves = walk_curves(scene)
    value = _at(curves, claim.arm, claim.metric, claim.step)
    if claim.beside is None:
        return value
    return value - _at(curves, claim.beside, claim.metric, claim.step)


def _at(curves: Curves, arm: str, metric: str, step: int | None) -> float:
    if arm not in curves:
        raise ClaimError(f"there is no arm {arm!r}; there are: {', '.join(curves)}")
    if metric not in curves[arm]:
        known = ", ".join(sorted(curves[arm]))
        raise ClaimError(f"{arm} has no metric {metric!r}; it has {known}")
    points = [value for at, value in curves[arm][metric] if step is None or at <= step]
    return points[-1] if points else math.nan


@functools.lru_cache(maxsize=64)
def _run_curves(text: str) -> Curves:
    spec = ExperimentSpec.model_validate_json(text)
    return event_curves(event.model_dump(mode="json") for event in run(spec))


def event_curves(events: Iterator[dict[str, Any]]) -> Curves:
    """The numbers of a run by arm and metric."""
    curves: Curves = {}
    labels: list[str] = []
    for event in events:
        kind = event["type"]
        if kind == "started":
            labels = [arm["label"] for arm in event["spec"]["arms"]]
            curves = {label: defaultdict(list) for label in labels}
        elif kind == "metrics":
            for name, values in event["values"].items():
                own = curves[labels[event["arm"]]][name]
                own.extend(zip(event["steps"], map(_number, values), strict=True))
        elif kind == "evaluation":
            for name, value in event.items():
                if isinstance(value, float | None) and name != "primary_metric":
                    curves[labels[event["arm"]]][name].append((event["step"], _number(value)))
        elif kind == "curvature":
            agreement = _number(event["direction_cosine"])
            curves[labels[event["arm"]]]["direction_cosine"].append((event["step"], agreement))
            for matrix in ("hessian", "fisher"):
                if (spectrum := event[matrix]) is not None:
                    own_curves = curves[labels[event["arm"]]]
                    for name, value in _spectrum(spectrum):
                        own_curves[f"{matrix}.{name}"].append((event["step"], value))
    return curves


def _spectrum(record: dict[str, Any]) -> Iterator[tuple[str, float]]:
    yield "condition", _number(record["condition"])
    yield "negative", _number(record["negative"])
    if record["eigenvalues"]:
        smallest, largest = (_number(record["eigenvalues"][at]) for at in (0, -1))
        yield "smallest", smallest
        yield "largest", largest
        yield "spread", largest / smallest if smallest > 0 else math.inf


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def walk_curves(scene: Scene) -> Curves:
    """The heights of the descents of a scene, by step; computed once and kept.

    Raises:
        ClaimError: a page without descents, or a surface without a start.
    """
    return _walk_curves(scene.page, view_of(scene).search)


@functools.lru_cache(maxsize=64)
def _walk_curves(page: str, search: str) -> Curves:
    """On a surface, or on the plane of three numbers, with the settings of an address."""
    if page not in ("surfaces", "three-numbers"):
        raise ClaimError(f"a scene of {page} has no arms to make claims about")
    asked = question_of(page, settings_of(search))
    loss, steps = build_loss(**asked["loss"]), asked["steps"]
    if "start" not in asked:
        name = asked["loss"]["name"]
        raise ClaimError(f"say where the descents on {name} start: settings, start: [x, y]")
    begin = torch.tensor([asked["start"]], dtype=torch.float64)
    walks = [DescentSettings.model_validate(walker) for walker in asked["walkers"]]
    if page == "surfaces":
        return _heights(descend(loss, begin, walks, steps=steps))
    found = three_numbers_descents(loss, begin, walks, steps=steps, dtype=torch.float32)
    return _heights([one.descent for one in found])


def _heights(descents: list[Descent]) -> Curves:
    return {
        one.settings.label: {"value": list(enumerate(one.values[:, 0].double().tolist()))}
        for one in descents
    }
