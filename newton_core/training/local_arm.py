"""An arm that is trained and measured in this process."""

import copy
from collections.abc import Iterator

from newton_core.experiment.events import CurvatureEvent, Evaluation, Examples, Landscape, Notice
from newton_core.training.arm import Arm, DivergedError
from newton_core.training.context import RunContext
from newton_core.training.diagnostics import curvature_fields, evaluation_fields
from newton_core.training.notices import swallowed, vanished
from newton_core.training.snapshots import ArmSnapshot
from newton_core.training.stepper import StepReport

UNNUMBERED = 1
"""``seq`` of an event until the run emits it."""


class LocalArm:
    """An arm that is trained and measured in this process."""

    def __init__(self, context: RunContext, index: int) -> None:
        self.context = context
        self.index = index
        self.arm = Arm(context.spec, index, copy.deepcopy(context.initial))
        self.pictured = False
        """Whether its examples have been emitted with images, which later ones leave out."""

    def advance(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        arm, schedule = self.arm, self.context.schedule
        for change in schedule.changes.get(step - 1, ()):
            if change.arm == self.index:
                arm.change(change)
        metrics = spike = None
        if step > 0:
            try:
                seen = arm.update(self.context.batch(step), step, observe=step in schedule.logged)
            except DivergedError as error:
                arm.status = "diverged"
                return StepReport(arm.status, arm.seconds, reason=str(error))
            metrics, spike = seen.metrics, seen.spike
        evaluation = self._evaluate(step) if step in schedule.evaluated else ()
        landscapes = self._landscape(step) if arm.status == "running" else ()
        return StepReport(
            arm.status, arm.seconds, metrics, spike, evaluation=evaluation, landscapes=landscapes
        )

    def state(self, step: int) -> ArmSnapshot:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        return self.arm.state()

    def restore(self, state: ArmSnapshot) -> None:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        self.arm.restore(state)

    def _evaluate(self, step: int) -> tuple[Evaluation | CurvatureEvent | Examples | Notice, ...]:
        context, arm = self.context, self.arm
        if step == 0:
            metrics = dict(context.initial_metrics)
        else:
            metrics = evaluation_fields(context.task, arm.model)
        arm.last_evaluation = metrics
        affordable = arm.need == "hessian" or not arm.loss.costly_hessian
        derivatives = arm.derivatives(context.probe, step, hessian=affordable)
        shortfall = arm.loss.shortfall()
        outputs = derivatives.gradient.shape[1]
        blind = arm.loss.invariant_directions_of(context.task.target_kind, outputs)
        spectra = curvature_fields(derivatives, arm.newton_step, blind, arm.settings.tikhonov_rule)
        items = context.task.examples(arm.model, images=not self.pictured)
        self.pictured = True
        if context.reaches_target(metrics):
            arm.status = "target"
        return (
            Evaluation(
                seq=UNNUMBERED,
                arm=self.index,
                step=step,
                primary_metric=context.task.primary_metric,
                **metrics,
            ),
            CurvatureEvent(seq=UNNUMBERED, arm=self.index, step=step, **spectra),
            Examples(seq=UNNUMBERED, arm=self.index, step=step, items=list(items)),
            *self._notices(step, shortfall),
        )

    def _notices(self, step: int, shortfall: str | None) -> Iterator[Notice]:
        found = {"vanished": vanished(self.arm.recent_norms, self.arm.loss), "inexact": shortfall}
        if self.arm.settings.curvature != "none":
            found["swallowed"] = swallowed(self.arm.optimizer)
        for kind, message in found.items():
            if message is not None:
                yield Notice.model_validate(
                    {"seq": UNNUMBERED, "arm": self.index, "step": step, "kind": kind,
                     "message": message}
                )  # fmt: skip

    def _landscape(self, step: int) -> tuple[Landscape, ...]:
        """Adds to the arm's trajectory, and computes a landscape where one is due."""
        recorder, every = self.context.landscape_recorder, self.context.spec.landscape_every
        if recorder is None or every is None:
            return ()
        trajectory = self.arm.trajectory
        if trajectory.wants(step, every):
            trajectory.add(recorder.locate(self.arm.model, step))
        if step == 0 or step not in self.context.schedule.landscapes:
            return ()
        fields = recorder.fields(self.arm.model, step, trajectory)
        return (Landscape(seq=UNNUMBERED, arm=self.index, step=step, **fields),)
