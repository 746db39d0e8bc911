"""The steps of a run at which it logs, evaluates, computes landscapes, saves and changes."""

from dataclasses import dataclass

from newton_core.experiment.arms import Change
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.snapshots import snapshot_steps


@dataclass(frozen=True)
class Schedule:
    """The steps at which more happens than an update.

    Attributes:
        logged: metrics are emitted.
        evaluated: test metrics, spectra and examples are emitted.
        landscapes: landscapes are emitted. The last step is not added, so that a longer run of
            the same spec emits the same events up to here.
        snapshots: complete states are written, where there is a folder for them.
        changes: what is set after the step, in the order of the spec.
    """

    logged: range
    evaluated: frozenset[int]
    landscapes: range
    snapshots: frozenset[int]
    changes: dict[int, list[Change]]

    @classmethod
    def of(cls, spec: ExperimentSpec) -> "Schedule":
        """The schedule of a completed spec."""
        assert spec.evaluate_every is not None  # the spec's validator fills it in
        changes: dict[int, list[Change]] = {}
        for change in spec.changes:
            changes.setdefault(change.step, []).append(change)
        return cls(
            logged=range(1, spec.steps + 1, spec.log_every),
            evaluated=frozenset({*range(0, spec.steps, spec.evaluate_every), spec.steps}),
            landscapes=range(0, spec.steps + 1, spec.landscape_every or spec.steps + 1),
            snapshots=frozenset(snapshot_steps(spec.steps)),
            changes=changes,
        )
