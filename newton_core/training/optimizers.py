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


def _unwrapped(step: Callable[..., object]) -> Callable[..., object]:
    """The method without its wrappers, but without gradients too.

    torch would wrap it once more, for its profiler and for hooks, unless ``hooked`` says that this
    was done; nothing here has hooks.
    """
    plain: Callable[..., object] = torch.no_grad()(inspect.unwrap(step))
    vars(plain)["hooked"] = True
    return plain


class EagerAdam(Adam):
    """Adam."""

    add_param_group: ClassVar[Callable[..., None]] = inspect.unwrap(Optimizer.add_param_group)
    step: ClassVar[Callable[..., object]] = _unwrapped(Adam.step)


class EagerSgd(SGD):
    """Stochastic gradient descent."""

    add_param_group: ClassVar[Callable[..., None]] = inspect.unwrap(Optimizer.add_param_group)
    step: ClassVar[Callable[..., object]] = _unwrapped(SGD.step)
