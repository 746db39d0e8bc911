"""A run: a pure function of its spec, and an iterator of events."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from newton_core.curvature.gauss_newton import MOST_WEIGHTS
from newton_core.experiment.events import (
    ArmSummary,
    Cancelled,
    Changed,
    Diverged,
    Event,
    Failed,
    Finished,
    Landscape,
    Snapshot,
    Spike,
    Started,
    Summary,
)
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.context import RunContext
from newton_core.training.devices import describe_device, versions
from newton_core.training.landscapes.trajectory import Trajectory
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.parallel.sharing import Sharing
from newton_core.training.replay import Replay, ReplayedArm
from newton_core.training.snapshots import (
    ArmStatus,
    SnapshotError,
    load_snapshot,
    save_when_possible,
)
from newton_core.training.stepper import ArmStepper, StepReport
from newton_core.training.writer import EventWriter

logger = logging.getLogger(__name__)


@runtime_checkable
class StopFlag(Protocol):
    """What ``threading.Event`` and ``multiprocessing.Event`` offer."""

    def is_set(self) -> bool:
        """Whether the run should end."""
        ...


Stop = StopFlag | Callable[[], bool]


def run(
    spec: ExperimentSpec,
    stop: Stop | None = None,
    start: Path | str | None = None,
    snapshots: Path | str | None = None,
    replay: Replay | None = None,
    workers: Sequence[ArmWorker] = (),
) -> Iterator[Event]:
    """Trains every arm of ``spec`` side by side, and yields what happens as events.

    Args:
        spec: what to run. Same spec, device and thread count: the same numbers, bit for bit on
            the CPU (``seconds`` apart).
        stop: an event (``is_set()``) or a callable; once true the run ends with ``cancelled``.
        start: a snapshot to go on from; the events of its step (evaluation, examples, snapshot) are
            not emitted again, changes at its step are applied.
        snapshots: folder to write snapshots to; None writes none.
        replay: arms that another run has trained from ``start`` on exactly as this one would; the
            events of those arms are repeated.
        workers: processes that take a share of the arms each as soon as they are ready; on a GPU
            they are not used, because arms share it anyway. The numbers do not depend on them.

    Yields:
        ``started`` first, exactly one of ``finished``, ``failed`` and ``cancelled`` last. An arm
        that meets NaN or infinity ends with ``diverged``; the others go on. Any other error ends
        the run with ``failed``, and the log has the traceback.

    Raises:
        TypeError: ``spec`` is no :class:`ExperimentSpec`, such as its JSON or a preset's name.
    """
    if not isinstance(spec, ExperimentSpec):
        raise TypeError(
            f"run takes an ExperimentSpec, got {type(spec).__name__}:"
            " ExperimentSpec.model_validate(...) makes one of a record"
        )
    writer = EventWriter(len(spec.arms))
    sharing = Sharing(workers if spec.device == "cpu" else ())
    try:
        yield from _Run(spec, _stop_check(stop), start, snapshots, writer, replay, sharing).events()
    except Exception as error:  # a run always reports its end as an event
        logger.exception("the run failed")
        yield from writer.flush()
        yield writer.emit(Failed, error=_describe(error))
    finally:
        sharing.cancel()


@dataclass
class ArmState:
    """Where an arm is."""

    status: ArmStatus = "running"
    step: int = 0
    seconds: float = 0.0
    metrics: dict[str, float | None] = field(default_factory=dict)

    def take(self, step: int, report: StepReport) -> None:
        """Takes in what the arm reported of a step."""
        self.status, self.seconds = report.status, report.seconds
        if report.reason is None:
            self.step = step
        if (tested := report.test_metrics) is not None:
            self.metrics = tested


class _Run:
    """The state of one iteration of :func:`run`."""

    def __init__(
        self,
        spec: ExperimentSpec,
        stop: Callable[[], bool],
        start: Path | str | None,
        snapshots: Path | str | None,
        writer: EventWriter,
        replay: Replay | None,
        sharing: Sharing,
    ) -> None:
        self.spec = spec
        self.stop = stop
        self.snapshots = Path(snapshots) if snapshots is not None else None
        self.writer = writer
        self.replay = replay
        self.sharing = sharing
        self.began = time.monotonic()
        self.context = RunContext(spec)
        if start is None:  # what went on in an earlier version goes on in this one
            _check_weights(self.context)
        self.schedule = self.context.schedule
        self.steppers = [self._build_stepper(index) for index in range(len(spec.arms))]
        self.states = [ArmState() for _ in spec.arms]
        self.step = 0
        self.resumed = start is not None
        self.placed = False
        if start is not None:
            self._restore(start)

    def _build_stepper(self, index: int) -> ArmStepper:
        if self.replay is not None and index in self.replay.arms:
            return ReplayedArm(self.context, index, self.replay)
        return LocalArm(self.context, index)

    def _restore(self, start: Path | str) -> None:
        step, states = load_snapshot(start)
        if len(states) != len(self.steppers):
            raise SnapshotError(
                f"{start} holds {len(states)} arms, the spec has {len(self.steppers)}"
            )
        if step > self.spec.steps:
            raise SnapshotError(
                f"{start} is at step {step}, past the spec's {self.spec.steps} steps"
            )
        for index, state in enumerate(states):
            self.steppers[index].restore(state)
            self.states[index] = ArmState(
                state["status"], state["step"], state["seconds"], dict(state["last_evaluation"])
            )
        self.step = step

    def events(self) -> Iterator[Event]:
        yield self.writer.emit(
            Started,
            spec=self.spec,
            versions=versions(),
            device=describe_device(self.spec.device),
            parameters=sum(p.numel() for p in self.context.initial.parameters()),
            warnings=self.context.task.warnings(),
        )
        if not self.resumed:
            yield from self._emit_measurements(self._reports())
            yield from self._save()
        self._leave_replay()
        yield from self._emit_changes()
        while self.step < self.spec.steps and self._running():
            if self.stop():
                yield from self.writer.flush()
                yield self.writer.emit(Cancelled, summary=self._summary())
                return
            if self.spec.seconds and time.monotonic() - self.began >= self.spec.seconds:
                break
            self.sharing.share(self.spec, self.step, self.steppers, self._running())
            self.step += 1
            reports = self._reports()
            yield from self._emit_updates(reports)
            if self.writer.due():
                yield from self.writer.flush()
            if self.step == 1 and not self.resumed:
                yield from self._initial_landscapes()
            yield from self._emit_measurements(reports)
            yield from self._save()
            self._leave_replay()
            yield from self._emit_changes()
        yield from self.writer.flush()
        yield self.writer.emit(Finished, summary=self._summary())

    def _running(self) -> list[int]:
        return [i for i, state in enumerate(self.states) if state.status == "running"]

    def _reports(self) -> dict[int, StepReport]:
        """The report of ``self.step`` by every arm that still trains."""
        reports = {index: self.steppers[index].advance(self.step) for index in self._running()}
        for index, report in reports.items():
            self.states[index].take(self.step, report)
        return reports

    def _emit_updates(self, reports: Mapping[int, StepReport]) -> Iterator[Event]:
        for index, report in reports.items():
            where = {"arm": index, "step": self.step}
            if report.reason is not None:
                yield from self.writer.flush()
                yield self.writer.emit(Diverged, **where, reason=report.reason)
                continue
            if report.metrics is not None:
                self.writer.add(index, self.step, report.metrics)
            if report.spike is not None:
                norm, median = report.spike
                yield self.writer.emit(Spike, **where, norm=norm, median=median)

    def _emit_measurements(self, reports: Mapping[int, StepReport]) -> Iterator[Event]:
        for report in reports.values():
            yield from map(self.writer.forward, report.evaluation)
        for report in reports.values():
            yield from map(self.writer.forward, report.landscapes)

    def _initial_landscapes(self) -> Iterator[Event]:
        """The landscape at the initial weights, one for all arms, emitted after the first metrics.

        It takes longer than everything before them, and people wait for the first numbers.
        """
        if self.context.landscape_recorder is not None:
            fields = self.context.landscape_recorder.fields(self.context.initial, 0, Trajectory())
            for index in range(len(self.steppers)):
                yield self.writer.emit(Landscape, arm=index, step=0, **fields)

    def _save(self) -> Iterator[Event]:
        """The snapshot of all arms, where one is due."""
        if self.snapshots is not None and self.step in self.schedule.snapshots:
            states = [stepper.state(self.step) for stepper in self.steppers]
            if not self.placed:  # once: a folder that is gone later must come back by itself
                self.snapshots.mkdir(parents=True, exist_ok=True)
                self.placed = True
            file = save_when_possible(self.snapshots, self.step, states, self.stop)
            if file is not None:
                yield self.writer.emit(Snapshot, step=self.step, file=file.name)

    def _leave_replay(self) -> None:
        """Trains the replayed arms from the step on at which the replay ends."""
        if self.replay is not None and self.step == self.replay.until < self.spec.steps:
            for index in self.replay.arms:
                computed = LocalArm(self.context, index)
                computed.restore(self.steppers[index].state(self.step))
                self.steppers[index] = computed

    def _emit_changes(self) -> Iterator[Event]:
        """The changes that arms in training apply before their next update."""
        for change in self.schedule.changes.get(self.step, ()):
            if self.states[change.arm].status == "running":
                yield self.writer.emit(
                    Changed,
                    arm=change.arm, step=self.step, tikhonov=change.tikhonov, lr=change.lr,
                )  # fmt: skip

    def _summary(self) -> Summary:
        return Summary(
            arms=[self._arm_summary(index) for index in range(len(self.steppers))],
            step=self.step,
            seconds=time.monotonic() - self.began,
            primary_metric=self.context.task.primary_metric,
            initial=self.context.initial_metrics,
        )

    def _arm_summary(self, index: int) -> ArmSummary:
        state = self.states[index]
        unfinished = "completed" if state.step >= self.spec.steps else "stopped"
        return ArmSummary(
            label=self.spec.arms[index].label,
            status=unfinished if state.status == "running" else state.status,
            step=state.step,
            metrics=state.metrics,
            seconds=state.seconds,
        )


def _stop_check(stop: Stop | None) -> Callable[[], bool]:
    if stop is None:
        return lambda: False
    return stop if callable(stop) else stop.is_set


def _check_weights(context: RunContext) -> None:
    """Refuses networks that are known to be too large only now that the data are here."""
    weights = sum(parameter.numel() for parameter in context.initial.parameters())
    for index, arm in enumerate(context.spec.arms):
        if arm.curvature == "ggn" and weights > MOST_WEIGHTS:
            raise ValueError(
                f"arms.{index}.curvature: 'ggn' is for networks of up to {MOST_WEIGHTS:,} weights,"
                f" and this one has {weights:,}; use a smaller one, or curvature 'hessian' or"
                " 'fisher'"
            )


def _describe(error: Exception) -> str:
    """An error in words: our own messages are complete, others need the name of their type."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
