"""What a lesson says of the scene beside it, held against that scene: links and arms."""

from urllib.parse import parse_qsl

from app.lessons.records import ArmQuestion, Claim, CurveQuestion, NumberQuestion, Scene
from app.lessons.scenes import SETTINGS, SceneError, number_or_text, spec_of


def link_mistake(link: str, scene: Scene | None) -> str | None:
    """What is wrong with a link that sets the lab, as ``arms.1.tikhonov=10``; None: nothing."""
    if scene is None:
        return f"the link {link!r} sets the lab, but there is no scene on its page or before"
    words = dict(parse_qsl(link, keep_blank_values=True))
    if not words:
        return f"the link {link!r} sets nothing; write it as step=40 or tikhonov=10"
    if scene.page != "compare":
        known = SETTINGS[scene.page]
        for name in words:
            if name not in known:
                listed = ", ".join(known)
                return f"the link {link!r}: {scene.page} has no {name!r}; it has {listed}"
        return None
    step = words.pop("step", None)
    if step is not None and not step.isdigit():
        return f"the link {link!r}: a step is a whole number, not {step!r}"
    change = {**scene.change, **{path: number_or_text(text) for path, text in words.items()}}
    try:
        spec = spec_of(scene.model_copy(update={"change": change}))
    except SceneError as error:
        return f"the link {link!r}: {str(error).removeprefix('change: ')}"
    return _late(f"the link {link!r}", int(step or 0), spec.steps)


def arms_mistake(
    block: ArmQuestion | NumberQuestion | CurveQuestion | Claim, scene: Scene | None
) -> str | None:
    """What is wrong with the arms and the step that a question or a claim names; None: nothing."""
    if scene is None or scene.page != "compare":
        return None
    try:
        spec = spec_of(scene, block if isinstance(block, Claim) else None)
    except SceneError as error:
        return str(error)
    labels = [arm.label for arm in spec.arms]
    named = block.among if isinstance(block, ArmQuestion) else [block.arm]
    if isinstance(block, Claim) and block.beside is not None:
        named = [*named, block.beside]
    for name in named:
        if name not in labels:
            return f"there is no arm {name!r}; there are {', '.join(labels)}"
    step = None if isinstance(block, CurveQuestion) else block.step
    return _late("step", step or 0, spec.steps)


def _late(what: str, step: int, steps: int) -> str | None:
    return f"{what}: the run ends at step {steps}" if step > steps else None
