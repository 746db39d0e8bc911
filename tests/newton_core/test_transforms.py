"""Newton losses inside the transforms of ``torch.func``: one sentence, and no wrong gradient."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, func
from torch.autograd.functional import jacobian

from newton_core import NewtonLoss, build_loss, inject_fisher, newton_direction, newton_target
from tests.newton_core.curvature.cases import normal

BASE = build_loss("squared_error")
TARGET = normal(4, 3, seed=1)
USES: dict[str, Callable[..., Tensor]] = {
    "hessian": NewtonLoss(BASE),
    "fisher": NewtonLoss(BASE, curvature="fisher"),
    "none": NewtonLoss(BASE, curvature="none"),
    "callable": NewtonLoss(lambda y, t: (y - t).square().sum(1)),
    "weights": lambda y, t: NewtonLoss(BASE)(y, t, weights=torch.ones(4)),
    "direction": lambda y, t: newton_direction(BASE, y, t).sum(),
    "target": lambda y, t: newton_target(BASE, y, t).sum(),
    "inject_fisher": lambda y, t: inject_fisher(y - t).square().mean(),
}
TRANSFORMS: dict[str, Callable[..., Callable[..., Any]]] = {
    "grad": func.grad,
    "grad_in_target": lambda use: func.grad(use, argnums=1),
    "jacrev": func.jacrev,
    "jacfwd": func.jacfwd,
    "hessian": func.hessian,
    "vjp": lambda use: lambda y, t: func.vjp(use, y, t),
    "jvp": lambda use: lambda y, t: func.jvp(use, (y, t), (y, t)),
    "vmap": lambda use: lambda y, t: func.vmap(use)(y.expand(2, 4, 3), t.expand(2, 4, 3)),
    "vmap_over_targets": lambda use: lambda y, t: func.vmap(use, (None, 0))(y, t.expand(2, 4, 3)),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # torch's own, once
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transforms_of_torch_func_are_refused_in_a_sentence(use: str, transform: str) -> None:
    with pytest.raises(RuntimeError, match=r"not taken inside the transforms of torch\.func"):
        TRANSFORMS[transform](USES[use])(normal(4, 3), TARGET)


@pytest.mark.usefixtures("as_users_run")
def test_vectorized_gradients_are_refused_in_a_sentence() -> None:
    with pytest.raises(RuntimeError, match="nor in vectorized gradients: give the whole batch"):
        jacobian(inject_fisher, normal(4, 3), vectorize=True)
