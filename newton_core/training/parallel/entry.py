"""What runs in an arm worker's process."""

import torch

from newton_core.experiment.spec import stored_spec
from newton_core.training.context import RunContext
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import Prepare, Train, Trained
from newton_core.training.snapshots import ArmSnapshot
from newton_core.training.stepper import StepReport
from newton_core.workers.child import Connection, Job


def main(_settings: None, connection: Connection) -> None:
    """Entry function of the process."""
    connection.serve(_Trainer().compute)


class _Trainer:
    """Keeps the run that was prepared last."""

    def __init__(self) -> None:
        self._context: RunContext | None = None

    def compute(self, job: Job[Prepare | Train]) -> None:
        with job.heartbeats():
            match job.task:
                case Prepare(spec, threads):
                    self._context = None
                    torch.set_num_threads(threads)
                    self._context = RunContext(stored_spec(spec))
                case Train() as task:
                    self._train(job, task)

    def _train(self, job: Job[Prepare | Train], task: Train) -> None:
        """Trains the arms until all have ended."""
        context = self._context
        assert context is not None
        arms = {index: LocalArm(context, index) for index in task.arms}
        for index, (state, pictured) in task.arms.items():
            arms[index].restore(state)
            arms[index].pictured = pictured
        for step in range(task.step + 1, context.spec.steps + 1):
            if not arms or job.cancelled():
                return
            reports: dict[int, tuple[StepReport, ArmSnapshot | None]] = {}
            for index, arm in list(arms.items()):
                report = arm.advance(step)
                ended = report.status != "running"
                due = ended or step in context.schedule.snapshots
                reports[index] = (report, arm.state(step) if due else None)
                if ended:
                    del arms[index]
            job.send(Trained(step, reports))
