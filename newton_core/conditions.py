"""What the host wants to know of a tensor's numbers, read all at once where reading is dear.

On the CPU a number is read in no time. On a GPU the host waits for it until everything is computed
that was asked for before, and has nothing under way meanwhile. A training step asks a dozen
questions (is the loss finite, is the matrix definite?), and nearly always gets the answers of the
step before. So it goes on with those, and reads all answers at its end: :class:`Expectations`. One
code serves both, if it asks with :func:`number` and :func:`holds`.
"""

import math
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor

Found = TypeVar("Found")


class _Questions:
    """The conditions that were asked for on a device, and the answers that were given."""

    def __init__(self, device: torch.device, answers: list[bool]) -> None:
        self.device = device
        self.answers = answers
        self.conditions: list[Tensor] = []

    def answer(self, condition: Tensor) -> bool:
        """What the condition is expected to be: what it was before, or that it holds."""
        place = len(self.conditions)
        self.conditions.append(condition)
        if place == len(self.answers):
            self.answers.append(True)
        return self.answers[place]


_questions: ContextVar[_Questions | None] = ContextVar("questions", default=None)


def number(tensor: Tensor) -> Any:
    """A tensor's only number, to make a condition of: the tensor itself where it is read later."""
    questions = _questions.get()
    if questions is None or tensor.device != questions.device:
        return tensor.item()
    return tensor


def holds(condition: bool | Tensor) -> bool:
    """Whether a condition holds, a truth or a tensor of one; what is expected of one read later."""
    if not isinstance(condition, Tensor):
        return condition
    questions = _questions.get()
    if questions is None or condition.device != questions.device:
        return bool(condition)
    return questions.answer(condition)


def finite(found: float | Tensor) -> bool:
    """Whether a number, or a tensor's only one, is neither NaN nor infinite."""
    return holds(abs(number(found) if isinstance(found, Tensor) else found) < math.inf)


Work = Callable[[], tuple[Found, tuple[float | Tensor, ...]]]
"""Something to compute; also gives what :func:`number` makes of those that the host wants."""


def at_once(work: Work[Found]) -> tuple[Found, list[float]]:
    """What the work finds, and its numbers; each question is answered when it is asked."""
    found, scalars = work()
    return found, [float(scalar) for scalar in scalars]


ATTEMPTS = 8
"""So often some work is done with expected answers; then each is read when it is asked for."""


class Expectations:
    """The answers to some work's questions when it was last done; true where there are none yet.

    They change how long the work takes, never what it finds: an answer that was used is compared
    with the condition itself, and where one is wrong, the work is done again.
    """

    def __init__(self) -> None:
        self._answers: list[bool] = []

    def meet(self, work: Work[Found], device: torch.device) -> tuple[Found, list[float]]:
        """What the work finds, and its numbers: one read an attempt, as a rule one in all.

        An error of the work's counts only if all answers up to it were right.

        Args:
            work: may be done again, and whatever it changed is changed anew.
            device: whose numbers are read at the end; others are read at once.
        """
        for _ in range(ATTEMPTS):
            questions = _Questions(device, self._answers)
            failure: Exception | None = None
            token = _questions.set(questions)
            try:
                found, scalars = work()
            except Exception as error:  # wrong answers lead anywhere
                failure, scalars = error, ()
            finally:
                _questions.reset(token)
            asked = len(questions.conditions)
            waiting = [scalar for scalar in scalars if isinstance(scalar, Tensor)]
            parts = [torch.stack(part) for part in (questions.conditions, waiting) if part]
            read = torch.cat(parts).tolist() if parts else []
            wrong = [i for i in range(asked) if bool(read[i]) is not self._answers[i]]
            if not wrong:
                del self._answers[asked:]
                if failure is not None:
                    raise failure
                late = iter(read[asked:])
                return found, [
                    next(late) if isinstance(scalar, Tensor) else scalar for scalar in scalars
                ]
            self._answers[wrong[0] :] = [bool(read[wrong[0]])]
        return at_once(work)
