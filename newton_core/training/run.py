"""A run: a pure function of its spec, and an iterator of events (the design's first idea)."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from newton_core.training.arm import ArmStatus
from newton_core.training.bench import Bench, ComputedArm
from newton_core.training.companion import Companion
from newton_core.training.devices import describe_device, versions
from newton_core.training.events import (
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
from newton_core.training.landscapes import Track
from newton_core.training.recorder import Recorder
from newton_core.training.recording import RecordedArm, Recording
from newton_core.training.sharing import Sharing
from newton_core.training.snapshots import SnapshotError, load_snapshot, save_snapshot
from newton_core.training.sources import ArmSource, StepReport
from newton_core.training.spec import ExperimentSpec

logger = logging.getLogger(__name__)


@runtime_checkable
class StopFlag(Protocol):
    """What ``threading.Event`` and its multiprocessing kin offer."""

    def is_set(self) -> bool:
        """Whether the run should end."""
        ...


Stop = StopFlag | Callable[[], bool]


def run(
    spec: ExperimentSpec,
    stop: Stop | None = None,
    start: Path | str | None = None,
    snapshots: Path | str | None = None,
    recording: Recording | None = None,
    companions: Sequence[Companion] = (),
) -> Iterator[Event]:
    """Trains every arm of ``spec`` side by side and says what happens.

    Args:
        spec: what to run. Same spec, device and thread count: the same numbers, bit for bit on
            the CPU (``seconds`` apart).
        stop: an event (``is_set()``) or a callable; once true the run ends with ``cancelled``.
        start: a snapshot to go on from; the events of its step (evaluation, examples, snapshot)
            are not said again, changes at its step are applied.
        snapshots: folder to write snapshots to; None writes none.
        recording: arms that another run has trained from ``start`` on exactly as this one would;
            what it said of them is said again.
        companions: processes that take a share of the arms each as soon as they are ready; a GPU
            is shared anyway and does without. The numbers do not depend on them.

    Yields:
        ``started`` first, exactly one of ``finished``, ``failed`` and ``cancelled`` last. An
        arm that meets NaN or infinity ends with ``diverged``; the others go on. Whatever else
        goes wrong is said in ``failed``, with the traceback in the log.
    """
    recorder = Recorder(len(spec.arms))
    sharing = Sharing(companions if spec.device == "cpu" else ())
    try:
        yield from _Run(
            spec, _stop_check(stop), start, snapshots, recorder, recording, sharing
        ).events()
    except Exception as error:  # a run reports its end as an event, whatever it was
        logger.exception("the run failed")
        yield from recorder.flush()
        yield recorder.event(Failed, error=_describe(error))
    finally:
        sharing.rest()


@dataclass
class _Standing:
    """Where an arm is."""

    status: ArmStatus = "running"
    step: int = 0
    seconds: float = 0.0
    metrics: dict[str, float | None] = field(default_factory=dict)

    def take(self, step: int, report: StepReport) -> None:
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
        recorder: Recorder,
        recording: Recording | None,
        sharing: Sharing,
    ) -> None:
        self.spec = spec
        self.stop = stop
        self.snapshots = Path(snapshots) if snapshots is not None else None
        self.recorder = recorder
        self.recording = recording
        self.sharing = sharing
        self.began = time.monotonic()
        self.bench = Bench(spec)
        self.schedule = self.bench.schedule
        self.sources = [self._build_source(index) for index in range(len(spec.arms))]
        self.standings = [_Standing() for _ in spec.arms]
        self.step = 0
        self.resumed = start is not None
        if start is not None:
            self._restore(start)

    def _build_source(self, index: int) -> ArmSource:
        if self.recording is not None and index in self.recording.arms:
            return RecordedArm(self.bench, index, self.recording)
        return ComputedArm(self.bench, index)

    def _restore(self, start: Path | str) -> None:
        step, states = load_snapshot(start)
        if len(states) != len(self.sources):
            raise SnapshotError(
                f"{start} holds {len(states)} arms, the spec has {len(self.sources)}"
            )
        if step > self.spec.steps:
            raise SnapshotError(
                f"{start} is at step {step}, past the spec's {self.spec.steps} steps"
            )
        for index, state in enumerate(states):
            self.sources[index].restore(state)
            self.standings[index] = _Standing(
                state["status"], state["step"], state["seconds"], dict(state["last_evaluation"])
            )
        self.step = step

    def events(self) -> Iterator[Event]:
        yield self.recorder.event(
            Started,
            spec=self.spec,
            versions=versions(),
            device=describe_device(self.spec.device),
            parameters=sum(p.numel() for p in self.bench.initial.parameters()),
        )
        if not self.resumed:
            yield from self._say_measurements(self._reports())
            yield from self._save()
        self._leave_recording()
        yield from self._say_changes()
        while self.step < self.spec.steps and self._running():
            if self.stop():
                yield from self.recorder.flush()
                yield self.recorder.event(Cancelled, summary=self._summary())
                return
            if self.spec.seconds and time.monotonic() - self.began >= self.spec.seconds:
                break
            self.sharing.share(self.spec, self.step, self.sources, self._running())
            self.step += 1
            reports = self._reports()
            yield from self._say_updates(reports)
            if self.recorder.due():
                yield from self.recorder.flush()
            if self.step == 1 and not self.resumed:
                yield from self._initial_slices()
            yield from self._say_measurements(reports)
            yield from self._save()
            self._leave_recording()
            yield from self._say_changes()
        yield from self.recorder.flush()
        yield self.recorder.event(Finished, summary=self._summary())

    def _running(self) -> list[int]:
        return [i for i, standing in enumerate(self.standings) if standing.status == "running"]

    def _reports(self) -> dict[int, StepReport]:
        """What every arm that still trains says of ``self.step``."""
        reports = {index: self.sources[index].at(self.step) for index in self._running()}
        for index, report in reports.items():
            self.standings[index].take(self.step, report)
        return reports

    def _say_updates(self, reports: Mapping[int, StepReport]) -> Iterator[Event]:
        for index, report in reports.items():
            where = {"arm": index, "step": self.step}
            if report.reason is not None:
                yield from self.recorder.flush()
                yield self.recorder.event(Diverged, **where, reason=report.reason)
                continue
            if report.metrics is not None:
                self.recorder.add(index, self.step, report.metrics)
            if report.spike is not None:
                norm, median = report.spike
                yield self.recorder.event(Spike, **where, norm=norm, median=median)

    def _say_measurements(self, reports: Mapping[int, StepReport]) -> Iterator[Event]:
        for report in reports.values():
            yield from map(self.recorder.say, report.evaluation)
        for report in reports.values():
            yield from map(self.recorder.say, report.slices)

    def _initial_slices(self) -> Iterator[Event]:
        """The slice at the initial weights, one for all arms, said after the first metrics.

        It takes longer than everything before them, and people wait for the first numbers.
        """
        if self.bench.landscape is not None:
            fields = self.bench.landscape.fields(self.bench.initial, 0, Track())
            for index in range(len(self.sources)):
                yield self.recorder.event(Landscape, arm=index, step=0, **fields)

    def _save(self) -> Iterator[Event]:
        """The snapshot of all arms, where one is due."""
        if self.snapshots is not None and self.step in self.schedule.snapshots:
            states = [source.state(self.step) for source in self.sources]
            file = save_snapshot(self.snapshots, self.step, states)
            yield self.recorder.event(Snapshot, step=self.step, file=file.name)

    def _leave_recording(self) -> None:
        """Where the recording ends, its arms are computed from there on."""
        if self.recording is not None and self.step == self.recording.until < self.spec.steps:
            for index in self.recording.arms:
                computed = ComputedArm(self.bench, index)
                computed.restore(self.sources[index].state(self.step))
                self.sources[index] = computed

    def _say_changes(self) -> Iterator[Event]:
        """What the arms that still train set before their next update."""
        for change in self.schedule.changes.get(self.step, ()):
            if self.standings[change.arm].status == "running":
                yield self.recorder.event(
                    Changed,
                    arm=change.arm, step=self.step, tikhonov=change.tikhonov, lr=change.lr,
                )  # fmt: skip

    def _summary(self) -> Summary:
        return Summary(
            arms=[self._arm_summary(index) for index in range(len(self.sources))],
            step=self.step,
            seconds=time.monotonic() - self.began,
            primary_metric=self.bench.task.primary_metric,
        )

    def _arm_summary(self, index: int) -> ArmSummary:
        standing = self.standings[index]
        unfinished = "completed" if standing.step >= self.spec.steps else "stopped"
        return ArmSummary(
            label=self.spec.arms[index].label,
            status=unfinished if standing.status == "running" else standing.status,
            step=standing.step,
            metrics=standing.metrics,
            seconds=standing.seconds,
        )


def _stop_check(stop: Stop | None) -> Callable[[], bool]:
    if stop is None:
        return lambda: False
    return stop if callable(stop) else stop.is_set


def _describe(error: Exception) -> str:
    """An error as a person reads it: our own say enough, others are named by their kind."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
