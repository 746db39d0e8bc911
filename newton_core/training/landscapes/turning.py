"""How far curvature can turn the gradient of an arm, at any of a run's snapshots."""

from newton_core.curvature import CurvatureError, NewtonStep, TurnCurve, turn_over_tikhonov
from newton_core.landscape.evaluation import kept_noise
from newton_core.tensors import flatten_outputs
from newton_core.training.arm import build_spec_loss
from newton_core.training.landscapes.history import RunHistory


def turn_of_arm(history: RunHistory, arm: int, step: int, samples: int) -> list[TurnCurve]:
    """The curves of the Hessian and of the Fisher, whichever of them the arm trains with.

    Under the arm's own loss and its choices for a Hessian, on data that no update uses.

    Raises:
        ValueError: the outputs or a derivative of the loss there are not finite.
    """
    settings = history.spec.arms[arm]
    loss = history.loss if settings.loss is None else build_spec_loss(settings.loss)
    outputs, target = history.outputs(arm, step, samples)
    if not bool(outputs.isfinite().all()):  # some losses refuse such outputs
        raise ValueError("the outputs of the arm's network are not finite")
    with kept_noise(loss):
        derivatives = loss.derivatives(outputs, target)
    kind, size = history.task.target_kind, flatten_outputs(outputs).shape[1]
    blind = loss.invariant_directions_of(kind, size)
    fisher = NewtonStep("fisher")
    steps = [NewtonStep("hessian", 1.0, settings.hessian, settings.definiteness), fisher]
    try:
        return turn_over_tikhonov(
            derivatives, steps if derivatives.hessian is not None else [fisher], blind=blind
        )
    except CurvatureError as error:
        raise ValueError(str(error)) from error
