"""The Newton step of one sample of a run's current batch, at any step that has a snapshot."""

from dataclasses import dataclass, replace

import torch

from newton_core.landscape.grid import OddPoints
from newton_core.landscape.step_plane import StepPlane, step_plane
from newton_core.settings import Settings, setting
from newton_core.training.arm import Arm
from newton_core.training.landscapes.history import RunHistory


class StepSettings(Settings):
    """Whose step is seen, and when."""

    step: int = setting(0, "Step of the run; the nearest snapshot answers.", title="Step", ge=0)
    arm: int = setting(0, "Index of the arm.", title="Arm", ge=0, le=63)
    sample: int | None = setting(
        None, "Which sample of the batch; empty takes the one with the longest gradient.",
        title="Sample", ge=0,
    )  # fmt: skip
    tikhonov: float | None = setting(
        None, "Damping of the step; empty means the arm's own at the snapshot.",
        title="Tikhonov λ", scale="log", ge=1e-12, le=1e9,
    )  # fmt: skip
    earlier: float | None = setting(
        None, "Damping to compare the step with, such as that before a change.",
        title="Earlier λ", scale="log", ge=1e-12, le=1e9,
    )  # fmt: skip
    points: OddPoints = setting(
        31, "Points along each axis; odd.", title="Points per axis", ge=21, le=101
    )


@dataclass(frozen=True)
class StepSeen:
    """The step that an arm takes next.

    Attributes:
        step: the snapshot that answers; update step + 1 takes the step.
        samples: how many the batch has.
        shape: of one sample's outputs.
        plane: gradient, step and loss.
    """

    step: int
    samples: int
    shape: tuple[int, ...]
    plane: StepPlane


def step_seen(history: RunHistory, settings: StepSettings) -> StepSeen:
    """What the curvature makes of a gradient, in the update that follows a snapshot.

    Weights, batch, noise and loss are those of that update, so that its angle and its lengths are
    those that the run logs for it.

    Raises:
        SnapshotError: the snapshot is missing or damaged.
        ValueError: there is no such arm or sample, or nothing to see; the message says why.
    """
    spec = history.spec
    history.check_arm(settings.arm)
    at = history.nearest(settings.step)
    arm = Arm(spec, settings.arm, history.model(settings.arm, at))
    if arm.unsplit:
        raise ValueError(
            "this arm takes its step on the weights: there is none on the outputs to see"
        )
    batch = history.task.batch(at + 1, spec.batch_size)
    arm.reseed(at + 1)
    with torch.no_grad():
        outputs = arm.model(batch.inputs)
    tikhonov = settings.tikhonov or history.tikhonov(settings.arm, at)
    plane = step_plane(
        arm.loss,
        outputs,
        batch.target,
        replace(arm.newton_step, tikhonov=tikhonov),
        sample=settings.sample,
        earlier=settings.earlier,
        points=settings.points,
    )
    return StepSeen(at, len(outputs), tuple(outputs.shape[1:]), plane)
