"""Road nets on terrain: labels, judgement, pictures, and whole runs."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from newton_core import ExperimentSpec, run
from newton_core.experiment.events import Finished
from newton_core.tasks.spanning_tree import SpanningTreeParameters, SpanningTreeTask

DATA = {"name": "terrain", "height": 3, "width": 4, "train_maps": 20, "test_maps": 10}
LOSS = {"name": "perturbed_fy", "oracle": "spanning_tree", "samples": 3}


@pytest.fixture(scope="module")
def task() -> SpanningTreeTask:
    parameters = SpanningTreeParameters.model_validate({"name": "spanning_tree", "data": DATA})
    return SpanningTreeTask(parameters, target_kind="path", seed=0, device=torch.device("cpu"))


class Says(nn.Module):
    """A network that says the same costs whatever it sees, or those of the test maps."""

    def __init__(self, costs: torch.Tensor) -> None:
        super().__init__()
        self.costs = costs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.costs[: len(x)]


def test_targets_are_half_degrees_of_a_tree_of_eleven_edges(task: SpanningTreeTask) -> None:
    batch = task.batch(1, 5)
    assert batch.target.shape == (5, 3, 4)
    assert (batch.target.sum(dim=(1, 2)) == 11).all()


def test_true_costs_are_optimal_and_equal_ones_are_not(task: SpanningTreeTask) -> None:
    true = task.dataset.test.costs
    best = task.evaluate(Says(true))
    assert best["cost_ratio"].value == pytest.approx(1.0)
    assert best["optimal"].value == 1.0
    flat = task.evaluate(Says(torch.ones_like(true)))
    assert flat["cost_ratio"].value > 1.02
    assert task.evaluate(Says(10 - true))["cost_ratio"].value > flat["cost_ratio"].value


def test_examples_hold_nets_whose_cost_is_as_said(task: SpanningTreeTask) -> None:
    costs = torch.ones_like(task.dataset.test.costs)
    costs[1, 0, 0] = float("nan")
    first, second = task.examples(Says(costs), images=True)[:2]
    true = task.dataset.test.costs[0].double()

    def price(net):
        return sum((true[a] + true[b]).item() / 2 for a, b in net)

    assert len(first["true_net"]) == len(first["predicted_net"]) == 11
    ratio = price(first["predicted_net"]) / price(first["true_net"])
    assert first["cost_ratio"] == pytest.approx(ratio)
    assert (second["predicted_net"], second["cost_ratio"]) == (None, None)
    assert not second["optimal"]


@pytest.mark.parametrize("loss", ["perturbed_fy", "smoothed_loss", "smoothed_algorithm"])
def test_runs_with_every_estimator(loss: str) -> None:
    spec = {
        "task": {"name": "spanning_tree", "data": DATA},
        "loss": {**LOSS, "name": loss},
        "arms": [{}, {"curvature": "hessian"}, {"curvature": "fisher"}],
        "steps": 3,
        "batch_size": 10,
    }
    (end,) = [e for e in run(ExperimentSpec.model_validate(spec)) if isinstance(e, Finished)]
    assert [arm.status for arm in end.summary.arms] == ["completed"] * 3
    assert all(arm.metrics["cost_ratio"] >= 1 for arm in end.summary.arms)


@pytest.mark.parametrize("loss", [{"name": "bellman_ford"}, {"name": "perturbed_fy"}])
def test_refuses_losses_on_other_answers(loss: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="answers of the oracle spanning_tree"):
        ExperimentSpec.model_validate(
            {"task": {"name": "spanning_tree"}, "loss": loss, "arms": [{}]}
        )
