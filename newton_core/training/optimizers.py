"""torch's optimizers without its compiler.

Two of their methods are wrapped to break graphs that ``torch.compile`` traces. The wrappers import
the compiler, which takes a new process seconds, and nothing here is ever compiled. What they wrap
is the same code, so that it computes the same numbers.
"""

import inspect
from collections.abc import Callable
from typing import ClassVar

import torch
from torch.optim import SGD, Adam, Optimizer

_without_gradients = torch.no_grad()


class EagerAdam(Adam):
    """Adam."""

    add_param_group: ClassVar[Callable[..., None]] = inspect.unwrap(Optimizer.add_param_group)
    step: ClassVar[Callable[..., object]] = _without_gradients(inspect.unwrap(Adam.step))


class EagerSgd(SGD):
    """Stochastic gradient descent."""

    add_param_group: ClassVar[Callable[..., None]] = inspect.unwrap(Optimizer.add_param_group)
    step: ClassVar[Callable[..., object]] = _without_gradients(inspect.unwrap(SGD.step))
