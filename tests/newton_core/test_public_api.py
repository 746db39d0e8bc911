import subprocess
import sys
from pathlib import Path

import pytest
import torch

import newton_core


def test_the_example_of_the_readme_runs() -> None:
    from newton_core import (
        ExperimentSpec,
        NewtonLoss,
        build_loss,
        inject_fisher,
        list_losses,
        newton_direction,
        newton_target,
        permutation_matrix,
        run,
    )

    values = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    target = permutation_matrix(values)
    y = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).requires_grad_(True)

    assert "neuralsort" in list_losses()
    base = build_loss("neuralsort", temperature=0.1)
    assert isinstance(base, torch.nn.Module)
    value = base(y, target)
    assert value.shape == (2,)
    d = base.derivatives(y, target)
    assert d.value.shape == (2,)
    assert d.gradient.shape == (2, 3)
    assert d.hessian is None or d.hessian.shape == (2, 3, 3)
    loss = NewtonLoss(base, curvature="fisher", tikhonov=0.1)
    loss(y, target).backward()
    direction = newton_direction(
        base,
        y,
        target,
        curvature="hessian",
        tikhonov=0.1,
        hessian="batch_mean",
        definiteness="raw",
    )
    assert direction.shape == y.shape
    z = newton_target(base, y, target, curvature="hessian", tikhonov=0.1)
    torch.testing.assert_close(z, y.detach() - direction)
    injected = inject_fisher(y, tikhonov=0.1, reduction="mean")
    base(injected, target).mean().backward()
    assert y.grad is not None
    assert callable(run)
    assert ExperimentSpec.model_json_schema()["required"] == ["task", "loss", "arms"]


def test_everything_promised_is_there() -> None:
    for name in newton_core.__all__:
        assert getattr(newton_core, name) is not None
    assert sorted(newton_core.__all__) == newton_core.__all__
    with pytest.raises(AttributeError, match="'newton_core' has no attribute 'newton_losses'"):
        newton_core.newton_losses  # noqa: B018
    with pytest.raises(ImportError, match="newton_losses"):
        from newton_core import newton_losses  # noqa: F401


def test_types_ship() -> None:
    assert newton_core.__file__ is not None
    assert (Path(newton_core.__file__).parent / "py.typed").is_file()


def test_wrapping_a_loss_brings_no_data_sets_and_no_server_along() -> None:
    script = (
        "import sys, newton_core; newton_core.build_loss('squared_error');"
        "print([name for name in ('app', 'fastapi', 'sklearn', 'numba', 'newton_core.tasks',"
        " 'newton_core.training') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
