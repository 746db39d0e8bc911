from collections.abc import Iterator

import jaxtyping
import pytest
import torch

from tests.newton_core.training.parallel.arm_workers import PatientCompanion


@pytest.fixture
def as_users_run() -> Iterator[None]:
    """Types and shapes unchecked, as outside the tests: our own messages meet bad arguments."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def warm_companion() -> Iterator[PatientCompanion]:
    with PatientCompanion() as companion:
        yield companion


@pytest.fixture
def one_thread() -> Iterator[None]:
    """On each side of a shared run: more threads than cores wait for each other for minutes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def companion(warm_companion: PatientCompanion, one_thread: None) -> Iterator[PatientCompanion]:
    """A warm one, whose loans are those of the test."""
    warm_companion.loans.clear()
    yield warm_companion
    assert warm_companion.loans, "the companion was never lent an arm"
