"""What the arms of a run share."""

from functools import cached_property

from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses.base import LOSSES
from newton_core.metrics import VALIDATION
from newton_core.tasks import TASKS, Batch, Task
from newton_core.training.arm import build_spec_loss
from newton_core.training.devices import check_device
from newton_core.training.diagnostics import evaluation_fields
from newton_core.training.landscapes.recorder import LandscapeRecorder
from newton_core.training.schedule import Schedule

PROBE_STEP = 0
"""The batch that no update uses: spectra are measured on it, so that they are comparable."""


def build_task(spec: ExperimentSpec) -> Task:
    """The task that a spec describes, on its device.

    Raises:
        ValueError: the device is not there, or the data cannot be read.
    """
    kind, loss = TASKS.get(spec.task.name), LOSSES.get(spec.loss.name)
    task = kind(
        spec.task,
        # A loss that does not fit keeps its own kind, which the task refuses with a sentence.
        target_kind=loss.kind_of(kind.target_kinds) or loss.target_kind,
        seed=spec.seed,
        device=check_device(spec.device),
    )
    task.hold_out(spec.held_out)
    task.use_loss(build_spec_loss(spec.loss))
    return task


class RunContext:
    """What the arms of a run share: task, batches, initial network, schedule, landscapes."""

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
        self.landscape_recorder = (
            LandscapeRecorder(self.initial, build_spec_loss(spec.loss), self.probe, spec.seed)
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
        """Whether an arm with these metrics has reached the target.

        The validation part decides where there is one: to stop where the test part looks best would
        report a number that is too good.
        """
        primary, target = self.task.primary_metric, self.spec.target
        reached = metrics.get(f"{VALIDATION}{primary}", metrics[primary])
        if target is None or reached is None:
            return False
        return self.task.describe(primary).reaches(reached, target)
