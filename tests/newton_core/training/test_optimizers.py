import subprocess
import sys

import pytest
import torch

from newton_core.training.optimizers import EagerAdam, EagerSgd


@pytest.mark.parametrize(
    ("eager", "plain", "settings"),
    [(EagerAdam, torch.optim.Adam, {}), (EagerSgd, torch.optim.SGD, {"momentum": 0.9})],
)
def test_an_eager_optimizer_is_torchs(eager, plain, settings) -> None:
    weights = [torch.nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2)]
    optimizers = [
        kind([weight], lr=0.1, fused=True, **settings)
        for kind, weight in zip((eager, plain), weights, strict=True)
    ]
    for step in range(5):
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = (weight.detach() + step).sin()
            optimizer.step()
    assert torch.equal(*weights)
    first, second = (optimizer.state_dict() for optimizer in optimizers)
    torch.testing.assert_close(first["state"], second["state"])
    assert first["param_groups"] == second["param_groups"]


TRAINS = """
import sys
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run

spec = {
    "task": {"name": "ranking", "n": 3, "data": {"name": "digits"}, "model": {"name": "mlp"}},
    "loss": {"name": "neuralsort"}, "arms": [{"curvature": "hessian"}], "steps": 2,
}
assert [event for event in run(ExperimentSpec.model_validate(spec)) if event.type == "finished"]
print(*[name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_training_imports_no_compiler_of_torch() -> None:
    """It takes a new process seconds, and nothing is compiled with it."""
    said = subprocess.run(
        [sys.executable, "-c", TRAINS], capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == ""
