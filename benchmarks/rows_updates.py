"""Rows of the table: whole updates of transport and of alignment, and how any are built."""

from functools import partial

import torch

from app.specs import read_spec
from benchmarks.pairs import Call, Row
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.arm import Arm
from newton_core.training.context import build_task

BATCH = 70
PRESETS = (("jigsaw", 1 / 4), ("forecast", 1 / 2))
"""Presets, and the most plain steps of the loss that a whole Hessian update may take, over m."""


def arms_of(
    task: dict[str, object], loss: dict[str, object], curvatures: list[str], quick: bool
) -> tuple[ExperimentSpec, list[Call]]:
    """The lab's own updates on one batch, each of an arm of its own."""
    spec = ExperimentSpec.model_validate(
        {
            "task": task,
            "loss": loss,
            "arms": [{"curvature": curvature} for curvature in curvatures],
            "batch_size": 10 if quick else BATCH,
            "steps": 5000,
        }
    )
    data = build_task(spec)
    batch = data.batch(1, spec.batch_size)

    def step_of(index: int) -> Call:
        arm = Arm(spec, index, data.build_model())
        return lambda: arm.update(batch, arm.step + 1, observe=True)

    return spec, [step_of(index) for index in range(len(curvatures))]


def update(
    task: dict[str, object], loss: dict[str, object], curvature: str, quick: bool
) -> tuple[Call, Call]:
    """The lab's own update with curvature beside the plain one, on one batch."""
    _, (ours, plain) = arms_of(task, loss, [curvature, "none"], quick)
    return ours, plain


def of_preset(name: str) -> tuple[dict[str, object], dict[str, object]]:
    """Task and loss of a preset."""
    spec = read_spec(name)
    return spec.task.model_dump(), spec.loss.model_dump()


def fisher(name: str, quick: bool) -> tuple[Call, Call]:
    """The Fisher update of a preset beside its plain one."""
    return update(*of_preset(name), "fisher", quick)


def hessian(name: str, quick: bool) -> tuple[Call, Call]:
    """The whole Hessian update of a preset beside a forward and a backward pass of its loss."""
    spec, (ours,) = arms_of(*of_preset(name), ["hessian"], quick)
    data = build_task(spec)
    arm = Arm(spec, 0, data.build_model())
    batch = data.batch(1, spec.batch_size)
    with torch.no_grad():
        y = arm.model(batch.inputs)

    def plain() -> None:
        leaf = y.clone().requires_grad_(True)
        torch.autograd.backward(arm.loss(leaf, batch.target).sum())

    return ours, plain


def outputs_of(name: str) -> int:
    """m of a preset."""
    return read_spec(name).task.outputs_per_sample().count


ROWS = [
    *(
        Row(f"{name}, m = {outputs_of(name)}, whole update, hessian", "forward + backward",
            partial(hessian, name), ratio=share * outputs_of(name), turns=50)
        for name, share in PRESETS
    ),
    *(
        Row(f"{name}, whole update, fisher", "its plain update", partial(fisher, name), ratio=1.5,
            turns=50)
        for name, _ in PRESETS
    ),
]  # fmt: skip
