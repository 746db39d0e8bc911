"""The weights of a run's arms at its snapshots, from its spec and its files alone."""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from newton_core.byte_cache import ByteCache
from newton_core.experiment.spec import ExperimentSpec
from newton_core.landscape.grid import GridValues
from newton_core.losses import Loss
from newton_core.tasks import Batch, Task
from newton_core.training.arm import build_spec_loss
from newton_core.training.context import PROBE_STEP, build_task
from newton_core.training.snapshots import SnapshotError, list_snapshots, load_snapshot

MOST_BYTES = 256_000_000
"""Bytes of weights and landscapes that are kept for later requests."""


class RunHistory:
    """A run's weights at its snapshots, and the task and loss to evaluate them with.

    Args:
        spec: the run's spec.
        folder: its snapshots.
        cache: keeps weights and landscapes; several runs may share it. None makes a new one.

    Attributes:
        spec: the run's spec.
        task: data and metrics.
        loss: the run's own.
        initial_model: the network with the weights that all arms start from; do not change it.

    Raises:
        SnapshotError: there is no snapshot, or one does not belong to the spec.
    """

    def __init__(self, spec: ExperimentSpec, folder: Path, cache: ByteCache | None = None) -> None:
        self.spec = spec
        self._cache = cache or ByteCache(MOST_BYTES)
        self._files = list_snapshots(folder)
        self._tikhonov: dict[int, list[float]] = {}
        if not self._files:
            raise SnapshotError("the run has left no snapshot yet")
        self.task: Task = build_task(spec)
        self.loss: Loss = build_spec_loss(spec.loss)
        self.initial_model: nn.Module = self.task.build_model()

    @property
    def steps(self) -> list[int]:
        """The snapshots' steps, ascending."""
        return list(self._files)

    def nearest(self, step: int) -> int:
        """The snapshot's step nearest to ``step``; of two equally near, the earlier."""
        return min(self._files, key=lambda at: (abs(at - step), at))

    def check_arm(self, arm: int) -> None:
        """Makes sure that the run has an arm.

        Raises:
            ValueError: it has none of this index.
        """
        if arm >= len(self.spec.arms):
            raise ValueError(f"there is no arm {arm}, the run has {len(self.spec.arms)}")

    def model(self, arm: int, step: int) -> nn.Module:
        """A new network with one arm's weights at a snapshot."""
        model = copy.deepcopy(self.initial_model)
        model.load_state_dict(self._states(step)[arm])
        return model

    def weights(self, arm: int, step: int) -> dict[str, Tensor]:
        """One arm's parameters at a snapshot."""
        state = self._states(step)[arm]
        return {name: state[name].to(p.device) for name, p in self.initial_model.named_parameters()}

    def tikhonov(self, arm: int, step: int) -> float:
        """The damping that an arm's next step takes, after a snapshot."""
        self._states(step)
        return self._tikhonov[step][arm]

    def outputs(self, arm: int, step: int, samples: int) -> tuple[Tensor, Tensor | None]:
        """Outputs (N, *S) of an arm's network at a snapshot on :meth:`batch`, and target."""
        batch = self.batch(samples)
        with torch.no_grad():
            outputs: Tensor = self.model(arm, step).eval()(batch.inputs)
        return outputs, batch.target

    def sample(self, samples: int, index: int) -> dict[str, object]:
        """A JSON-ready record that shows one sample of :meth:`batch`."""
        return self.task.sample(PROBE_STEP, self._at_most(samples), index)

    def batch(self, samples: int) -> Batch:
        """The training data that landscapes are computed on; no update uses it.

        It has fewer samples where the task has no more.
        """
        return self.task.batch(PROBE_STEP, self._at_most(samples))

    def _at_most(self, samples: int) -> int:
        most = self.task.largest_batch()
        return samples if most is None else min(samples, most)

    def finished_landscapes(self, settings: str, points: int) -> dict[int, GridValues]:
        """Landscapes that are the same at every step, by index; the caller adds finished ones.

        Args:
            settings: identifies them.
            points: number of points along each axis.
        """
        key = (*self._files.values(), settings)
        known: dict[int, GridValues] | None = self._cache.get(key)
        if known is None:
            known = {}  # its final size is charged now, because the caller fills it later
            floats = len(self.spec.arms) * points * (points + 2)
            self._cache.put(key, known, 8 * floats)
        return known

    def _states(self, step: int) -> list[dict[str, Tensor]]:
        file = self._files[step]
        states: list[dict[str, Tensor]] | None = self._cache.get(file)
        if states is None:
            _, whole = load_snapshot(file)
            if len(whole) != len(self.spec.arms):
                raise SnapshotError(
                    f"the snapshot holds {len(whole)} arms, the spec has {len(self.spec.arms)}"
                )
            # Optimizer states take twice the memory of the weights and are not needed here.
            states = [state["model"] for state in whole]
            self._tikhonov[step] = [state["tikhonov"] for state in whole]
            weights = [value for state in states for value in state.values()]
            self._cache.put(file, states, sum(value.nbytes for value in weights))
        return states
