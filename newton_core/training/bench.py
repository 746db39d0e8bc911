"""The place where a run's arms are computed: what they share, and each arm at it."""

import copy
from functools import cached_property
from typing import Any

from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, Batch, Task
from newton_core.training.arm import Arm, DivergedError, build_spec_loss
from newton_core.training.devices import check_device
from newton_core.training.diagnostics import curvature_fields, evaluation_fields
from newton_core.training.events import CurvatureEvent, Evaluation, Examples, Landscape
from newton_core.training.landscapes import RunLandscape
from newton_core.training.schedule import Schedule
from newton_core.training.sources import StepReport
from newton_core.training.spec import ExperimentSpec

PROBE_STEP = 0
"""The batch that no update uses: spectra are measured on it, so that they are comparable."""

UNNUMBERED = 1
"""``seq`` of an event until the run says it."""


def build_task(spec: ExperimentSpec) -> Task:
    """The task that a spec describes, on its device.

    Raises:
        ValueError: the device is not there, or the data cannot be read.
    """
    task = TASKS.get(spec.task.name)(
        spec.task,
        target_kind=LOSSES.get(spec.loss.name).target_kind,
        seed=spec.seed,
        device=check_device(spec.device),
    )
    task.use_loss(build_spec_loss(spec.loss))
    return task


class Bench:
    """What the arms of a run share: task, batches, initial network, schedule, plane of slices."""

    def __init__(self, spec: ExperimentSpec) -> None:
        """Reads the data and builds the network.

        Raises:
            ValueError: the device is not there, or the data cannot be read.
        """
        self.spec = spec
        self.task = build_task(spec)
        self.initial = self.task.build_model()
        self.schedule = Schedule.of(spec)
        self.probe = self.task.batch(PROBE_STEP, spec.batch_size)
        self.landscape = (
            RunLandscape(self.initial, build_spec_loss(spec.loss), self.probe, spec.seed)
            if spec.landscape_every is not None
            else None
        )
        self._drawn: tuple[int, Batch] = (PROBE_STEP, self.probe)

    def batch(self, step: int) -> Batch:
        """The batch of update ``step``, the same for every arm; drawn once for all."""
        if self._drawn[0] != step:
            self._drawn = (step, self.task.batch(step, self.spec.batch_size))
        return self._drawn[1]

    @cached_property
    def initial_metrics(self) -> dict[str, float | None]:
        """Test metrics of the initial network, from which all arms start."""
        return evaluation_fields(self.task, self.initial)

    def reaches_target(self, metrics: dict[str, float | None]) -> bool:
        """Whether an arm with these test metrics is done."""
        reached, target = metrics[self.task.primary_metric], self.spec.target
        return target is not None and reached is not None and reached >= target


class ComputedArm:
    """An arm that is trained and measured in this process."""

    def __init__(self, bench: Bench, index: int) -> None:
        self.bench = bench
        self.index = index
        self.arm = Arm(bench.spec, index, copy.deepcopy(bench.initial))
        self.pictured = False
        """Whether its examples have come with their images already."""

    def at(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.sources.ArmSource`."""
        arm, schedule = self.arm, self.bench.schedule
        for change in schedule.changes.get(step - 1, ()):
            if change.arm == self.index:
                arm.tikhonov = arm.tikhonov if change.tikhonov is None else change.tikhonov
                arm.lr = arm.lr if change.lr is None else change.lr
        metrics = spike = None
        if step > 0:
            try:
                seen = arm.update(self.bench.batch(step), step, observe=step in schedule.logged)
            except DivergedError as error:
                arm.status = "diverged"
                return StepReport(arm.status, arm.seconds, reason=str(error))
            metrics, spike = seen.metrics, seen.spike
        evaluation = self._evaluate(step) if step in schedule.evaluated else ()
        slices = self._slice(step) if arm.status == "running" else ()
        return StepReport(
            arm.status, arm.seconds, metrics, spike, evaluation=evaluation, slices=slices
        )

    def state(self, step: int) -> dict[str, Any]:
        """See :class:`~newton_core.training.sources.ArmSource`."""
        return self.arm.state()

    def restore(self, state: dict[str, Any]) -> None:
        """See :class:`~newton_core.training.sources.ArmSource`."""
        self.arm.restore(state)

    def _evaluate(self, step: int) -> tuple[Evaluation, CurvatureEvent, Examples]:
        bench, arm = self.bench, self.arm
        metrics = (
            dict(bench.initial_metrics) if step == 0 else evaluation_fields(bench.task, arm.model)
        )
        arm.last_evaluation = metrics
        affordable = arm.settings.curvature == "hessian" or not arm.loss.costly_hessian
        derivatives = arm.derivatives(bench.probe, step, hessian=affordable)
        spectra = curvature_fields(derivatives, arm.settings, arm.tikhonov)
        items = bench.task.examples(arm.model, images=not self.pictured)
        self.pictured = True
        if bench.reaches_target(metrics):
            arm.status = "target"
        where: dict[str, Any] = {"seq": UNNUMBERED, "arm": self.index, "step": step}
        return (
            Evaluation(**where, **metrics),
            CurvatureEvent(**where, **spectra),
            Examples(**where, items=items),
        )

    def _slice(self, step: int) -> tuple[Landscape, ...]:
        """Adds to the arm's trajectory, and slices the loss where that is due."""
        landscape, every = self.bench.landscape, self.bench.spec.landscape_every
        if landscape is None or every is None:
            return ()
        track = self.arm.track
        if track.wants(step, every):
            track.add(landscape.place(self.arm.model, step))
        if step == 0 or step not in self.bench.schedule.landscapes:
            return ()
        fields = landscape.fields(self.arm.model, step, track)
        return (Landscape(seq=UNNUMBERED, arm=self.index, step=step, **fields),)
