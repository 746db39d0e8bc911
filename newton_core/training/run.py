"""A run: a pure function of its spec, and an iterator of events (the design's first idea)."""

import copy
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS, Task
from newton_core.training.arm import Arm, DivergedError, Observation, build_spec_loss
from newton_core.training.devices import check_device, describe_device, versions
from newton_core.training.diagnostics import curvature_fields, evaluation_fields
from newton_core.training.events import (
    ArmSummary,
    Cancelled,
    Changed,
    CurvatureEvent,
    Diverged,
    Evaluation,
    Event,
    Examples,
    Failed,
    Finished,
    Landscape,
    Snapshot,
    Spike,
    Started,
    Summary,
)
from newton_core.training.landscapes import RunLandscape, Track
from newton_core.training.recorder import Recorder
from newton_core.training.recording import RecordedArm, Recording
from newton_core.training.side_by_side import SideBySide
from newton_core.training.snapshots import (
    SnapshotError,
    load_snapshot,
    save_snapshot,
    snapshot_steps,
)
from newton_core.training.spec import Change, ExperimentSpec

logger = logging.getLogger(__name__)

PROBE_STEP = 0
"""The batch that no update uses: spectra are measured on it, so that they are comparable."""


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
    arms_at_once: int = 1,
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
        arms_at_once: arms computed at the same time, each in a thread of its own; on a GPU, which
            is shared anyway, one. The numbers do not depend on it.

    Yields:
        ``started`` first, exactly one of ``finished``, ``failed`` and ``cancelled`` last. An
        arm that meets NaN or infinity ends with ``diverged``; the others go on. Whatever else
        goes wrong is said in ``failed``, with the traceback in the log.
    """
    recorder = Recorder(len(spec.arms))
    at_once = min(len(spec.arms), arms_at_once) if spec.device == "cpu" else 1
    try:
        with SideBySide(at_once) as side_by_side:
            yield from _Run(
                spec, _stop_check(stop), start, snapshots, recorder, recording, side_by_side
            ).events()
    except Exception as error:  # a run reports its end as an event, whatever it was
        logger.exception("the run failed")
        yield from recorder.flush()
        yield recorder.event(Failed, error=_describe(error))


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
        side_by_side: SideBySide,
    ) -> None:
        self.spec = spec
        self.stop = stop
        self.snapshots = Path(snapshots) if snapshots is not None else None
        self.recorder = recorder
        self.recording = recording
        self.map = side_by_side.map
        self.began = time.monotonic()
        self.task = build_task(spec)
        self.initial = self.task.build_model()
        self.arms = [self._build_arm(i) for i in range(len(spec.arms))]
        self.step = 0
        self.resumed = start is not None
        if start is not None:
            self._restore(start)
        self.schedule = _Schedule.of(spec)
        self.probe = self.task.batch(PROBE_STEP, spec.batch_size)
        self.landscape = (
            RunLandscape(self.initial, build_spec_loss(spec.loss), self.probe, spec.seed)
            if spec.landscape_every is not None
            else None
        )
        self.pictured: set[int] = set()

    def _build_arm(self, index: int) -> Arm:
        model = copy.deepcopy(self.initial)
        if self.recording is not None and index in self.recording.arms:
            return RecordedArm(self.spec, index, model, self.recording)
        return Arm(self.spec, index, model)

    def _restore(self, start: Path | str) -> None:
        step, states = load_snapshot(start)
        if len(states) != len(self.arms):
            raise SnapshotError(f"{start} holds {len(states)} arms, the spec has {len(self.arms)}")
        if step > self.spec.steps:
            raise SnapshotError(
                f"{start} is at step {step}, past the spec's {self.spec.steps} steps"
            )
        for arm, state in zip(self.arms, states, strict=True):
            arm.restore(state)
        self.step = step

    def events(self) -> Iterator[Event]:
        yield self.recorder.event(
            Started,
            spec=self.spec,
            versions=versions(),
            device=describe_device(self.spec.device),
            parameters=sum(p.numel() for p in self.arms[0].model.parameters()),
        )
        if not self.resumed:
            yield from self._after_update()
        yield from self._apply_changes()
        while self.step < self.spec.steps and self._running():
            if self.stop():
                yield from self.recorder.flush()
                yield self.recorder.event(Cancelled, summary=self._summary())
                return
            if self.spec.seconds and time.monotonic() - self.began >= self.spec.seconds:
                break
            self.step += 1
            yield from self._update()
            if self.recorder.due():
                yield from self.recorder.flush()
            if self.step == 1 and not self.resumed:
                yield from self._initial_slices()
            yield from self._after_update()
            yield from self._apply_changes()
        yield from self.recorder.flush()
        yield self.recorder.event(Finished, summary=self._summary())

    def _running(self) -> list[Arm]:
        return [arm for arm in self.arms if arm.status == "running"]

    def _update(self) -> Iterator[Event]:
        """Update ``self.step`` of every running arm, on one batch."""
        batch = self.task.batch(self.step, self.spec.batch_size)
        observe = self.step in self.schedule.logged

        def update(arm: Arm) -> Observation | DivergedError:
            try:
                return arm.update(batch, self.step, observe=observe)
            except DivergedError as error:
                return error

        arms = self._running()
        for arm, outcome in zip(arms, self.map(update, arms), strict=True):
            if isinstance(outcome, DivergedError):
                arm.status = "diverged"
                yield from self.recorder.flush()
                yield self.recorder.event(
                    Diverged, arm=arm.index, step=self.step, reason=str(outcome)
                )
                continue
            if outcome.metrics is not None:
                self.recorder.add(arm.index, self.step, outcome.metrics)
            if outcome.spike is not None:
                norm, median = outcome.spike
                yield self.recorder.event(
                    Spike, arm=arm.index, step=self.step, norm=norm, median=median
                )

    def _after_update(self) -> Iterator[Event]:
        """All that is said of the weights after ``self.step``: metrics, spectra, slices, files."""
        if self.step in self.schedule.evaluated:
            yield from self._evaluate()
        if self.landscape is not None:
            yield from self._slice(self.landscape)
        if self.snapshots is not None and self.step in self.schedule.snapshots:
            known = self._recorded_states()
            states = [known.get(arm.index) or arm.state() for arm in self.arms]
            file = save_snapshot(self.snapshots, self.step, states)
            yield self.recorder.event(Snapshot, step=self.step, file=file.name)
        if self.recording is not None and self.step == self.recording.until < self.spec.steps:
            for index, state in self._recorded_states().items():
                self.arms[index].restore(state)  # from here on, it is computed

    def _recorded_states(self) -> dict[int, dict[str, Any]]:
        """The states after ``self.step`` of the arms that are not computed at it."""
        if self.recording is None or self.step > self.recording.until:
            return {}
        return self.recording.states(self.step)

    def _evaluate(self) -> Iterator[Event]:
        arms = self._running()
        if self.step == 0:  # all arms start from the same weights
            fields = evaluation_fields(self.task, self.initial)
            for arm in arms:
                arm.last_evaluation = dict(fields)
        computed = [arm for arm in arms if self._recorded(arm) is None]
        measured = iter(self.map(self._measure, computed))
        for arm in arms:
            if (recorded := self._recorded(arm)) is not None:
                yield from map(self.recorder.again, recorded.evaluation(self.step))
            else:
                where = {"arm": arm.index, "step": self.step}
                spectra, items = next(measured)
                yield self.recorder.event(Evaluation, **where, **arm.last_evaluation)
                yield self.recorder.event(CurvatureEvent, **where, **spectra)
                yield self.recorder.event(Examples, **where, items=items)
            target = self.spec.target
            reached = arm.last_evaluation[self.task.primary_metric]
            if target is not None and reached is not None and reached >= target:
                arm.status = "target"

    def _recorded(self, arm: Arm) -> RecordedArm | None:
        """The arm, if it is not computed at this step."""
        return arm if isinstance(arm, RecordedArm) and arm.is_recorded(self.step) else None

    def _measure(self, arm: Arm) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Evaluates an arm; the fields of its ``curvature`` event, and its examples."""
        if self.step > 0:
            arm.last_evaluation = evaluation_fields(self.task, arm.model)
        affordable = arm.settings.curvature == "hessian" or not arm.loss.costly_hessian
        derivatives = arm.derivatives(self.probe, self.step, hessian=affordable)
        items = self.task.examples(arm.model, images=arm.index not in self.pictured)
        self.pictured.add(arm.index)
        return curvature_fields(derivatives, arm.settings, arm.tikhonov), items

    def _slice(self, landscape: RunLandscape) -> Iterator[Event]:
        """Adds to the arms' trajectories, and says slices of the loss if they are due."""
        every = self.spec.landscape_every
        assert every is not None
        due = self.step > 0 and self.step in self.schedule.landscapes

        def fields(arm: Arm) -> dict[str, Any] | None:
            if arm.track.wants(self.step, every):
                arm.track.add(landscape.place(arm.model, self.step))
            return landscape.fields(arm.model, self.step, arm.track) if due else None

        arms = self._running()
        computed = [arm for arm in arms if self._recorded(arm) is None]
        slices = iter(self.map(fields, computed) if due else [fields(arm) for arm in computed])
        for arm in arms:
            if (recorded := self._recorded(arm)) is not None:
                yield from map(self.recorder.again, recorded.slices(self.step))
            elif (found := next(slices)) is not None:
                yield self.recorder.event(Landscape, arm=arm.index, step=self.step, **found)

    def _initial_slices(self) -> Iterator[Event]:
        """The slice at the initial weights, one for all arms, said after the first metrics.

        It takes longer than everything before them, and people wait for the first numbers.
        """
        if self.landscape is not None:
            fields = self.landscape.fields(self.initial, 0, Track())
            for arm in self.arms:
                yield self.recorder.event(Landscape, arm=arm.index, step=0, **fields)

    def _apply_changes(self) -> Iterator[Event]:
        for change in self.schedule.changes.get(self.step, []):
            arm = self.arms[change.arm]
            if arm.status != "running":
                continue
            if change.tikhonov is not None:
                arm.tikhonov = change.tikhonov
            if change.lr is not None:
                arm.lr = change.lr
            yield self.recorder.event(
                Changed,
                arm=change.arm, step=self.step, tikhonov=change.tikhonov, lr=change.lr,
            )  # fmt: skip

    def _summary(self) -> Summary:
        return Summary(
            arms=[self._arm_summary(arm) for arm in self.arms],
            step=self.step,
            seconds=time.monotonic() - self.began,
            primary_metric=self.task.primary_metric,
        )

    def _arm_summary(self, arm: Arm) -> ArmSummary:
        unfinished = "completed" if arm.step >= self.spec.steps else "stopped"
        return ArmSummary(
            label=arm.settings.label,
            status=unfinished if arm.status == "running" else arm.status,
            step=arm.step,
            metrics=arm.last_evaluation,
            seconds=arm.seconds,
        )


@dataclass(frozen=True)
class _Schedule:
    """Which steps are logged, evaluated, saved and changed at."""

    logged: range
    evaluated: frozenset[int]
    landscapes: range
    snapshots: frozenset[int]
    changes: dict[int, list[Change]]

    @classmethod
    def of(cls, spec: ExperimentSpec) -> "_Schedule":
        assert spec.evaluate_every is not None  # the spec's validator fills it in
        changes: dict[int, list[Change]] = {}
        for change in spec.changes:
            changes.setdefault(change.step, []).append(change)
        return cls(
            logged=range(1, spec.steps + 1, spec.log_every),
            evaluated=frozenset({*range(0, spec.steps, spec.evaluate_every), spec.steps}),
            # in turn only: a longer run of the same spec then says the same up to here
            landscapes=range(0, spec.steps + 1, spec.landscape_every or spec.steps + 1),
            snapshots=frozenset(snapshot_steps(spec.steps)),
            changes=changes,
        )


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


def _stop_check(stop: Stop | None) -> Callable[[], bool]:
    if stop is None:
        return lambda: False
    return stop if callable(stop) else stop.is_set


def _describe(error: Exception) -> str:
    """An error as a person reads it: our own say enough, others are named by their kind."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
