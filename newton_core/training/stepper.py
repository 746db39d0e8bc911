"""What a run asks of an arm, whether it is trained here, in an arm worker, or replayed."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from newton_core.experiment.events import CurvatureEvent, Evaluation, Examples, Landscape, Notice
from newton_core.training.snapshots import ArmSnapshot, ArmStatus


@dataclass(frozen=True)
class StepReport:
    """What one arm reports of one step.

    Attributes:
        status: of the arm after the step.
        seconds: the arm's own compute so far.
        metrics: in the order of METRIC_NAMES, where the step is logged.
        spike: (largest per-sample gradient norm, its running median), where it was one.
        reason: why the arm diverged; the report then holds nothing else.
        evaluation: test metrics, spectra, examples and notices, where they are due. Events of a
            report have no number of their own yet.
        landscapes: the landscape, where it is due.
    """

    status: ArmStatus
    seconds: float
    metrics: tuple[float, ...] | None = None
    spike: tuple[float, float] | None = None
    reason: str | None = None
    evaluation: tuple[Evaluation | CurvatureEvent | Examples | Notice, ...] = ()
    landscapes: tuple[Landscape, ...] = ()

    @property
    def test_metrics(self) -> dict[str, float | None] | None:
        """The metrics of an evaluation at this step, if there was one."""
        for event in self.evaluation:
            if isinstance(event, Evaluation):
                return dict(event.__pydantic_extra__)
        return None


@runtime_checkable
class ArmStepper(Protocol):
    """One arm, step by step. No arm depends on its neighbours, so a run can mix the kinds."""

    def advance(self, step: int) -> StepReport:
        """The report of the step after the one asked for before; step 0 is before any update."""
        ...

    def state(self, step: int) -> ArmSnapshot:
        """The arm's complete state after ``step``, or after its end if that was before."""
        ...

    def restore(self, state: ArmSnapshot) -> None:
        """Goes on from a state that ``state`` gave; the step after it is asked next."""
        ...
