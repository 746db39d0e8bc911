from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from newton_core.conditions import ATTEMPTS, Expectations, at_once, finite, holds, number

CPU = torch.device("cpu")
"""Where conditions are expected in these tests; a training step expects none on the CPU."""


class Steps:
    """Some work that asks, and says which way it went."""

    def __init__(self, asked: Callable[[], str]) -> None:
        self.asked = asked
        self.ways: list[str] = []

    def __call__(self) -> tuple[str, tuple[Tensor, ...]]:
        self.ways.append("begun")
        self.ways[-1] = self.asked()
        return self.ways[-1], (torch.tensor(2.5), torch.tensor(0.1, dtype=torch.float64))


def sign(x: float) -> Callable[[], str]:
    def asked() -> str:
        if not finite(torch.tensor(x)):
            raise ArithmeticError("not finite")
        return "positive" if holds(number(torch.tensor(x)) > 0) else "other"

    return asked


def test_at_once_every_question_has_its_own_answer() -> None:
    assert at_once(Steps(sign(-1.0))) == ("other", [2.5, 0.1])


def test_what_is_expected_costs_one_attempt_and_what_is_not_another() -> None:
    expectations, work = Expectations(), Steps(sign(1.0))
    assert expectations.meet(work, CPU) == ("positive", [2.5, 0.1])
    assert work.ways == ["positive"]
    work = Steps(sign(-1.0))
    assert expectations.meet(work, CPU)[0] == "other"
    assert work.ways == ["positive", "other"]
    work = Steps(sign(-1.0))  # the answer before is the one that is expected
    assert expectations.meet(work, CPU)[0] == "other"
    assert work.ways == ["other"]


def test_an_error_counts_only_after_right_answers() -> None:
    def asked() -> str:
        if holds(torch.tensor(False)):
            raise ValueError("of a wrong answer")
        raise ArithmeticError("of right answers")

    with pytest.raises(ArithmeticError, match="of right answers"):
        Expectations().meet(Steps(asked), CPU)


def test_answers_that_change_between_attempts_are_read_at_once_in_the_end() -> None:
    truth = [False]

    def asked() -> str:
        truth[0] = not truth[0]
        return str(holds(torch.tensor(truth[0])))

    expectations, work = Expectations(), Steps(asked)
    expectations.meet(work, CPU)
    expectations.meet(work, CPU)
    assert len(work.ways) <= 2 * ATTEMPTS + 2
    assert work.ways[-1] == str(truth[0])


def test_questions_about_another_device_are_answered_at_once() -> None:
    seen = []

    def asked() -> str:
        seen.append(number(torch.tensor(3.0)))
        return str(holds(torch.tensor(False)))

    found, _ = Expectations().meet(Steps(asked), torch.device("meta"))
    assert (found, seen) == ("False", [3.0])
