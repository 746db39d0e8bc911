from collections.abc import Iterator

import jaxtyping
import pytest

from tests.newton_core.training.parallel.arm_workers import PatientArmWorker


@pytest.fixture
def as_users_run() -> Iterator[None]:
    """Types and shapes unchecked, as outside the tests: our own messages meet bad arguments."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def warm_arm_worker() -> Iterator[PatientArmWorker]:
    with PatientArmWorker() as arm_worker:
        yield arm_worker


@pytest.fixture
def arm_worker(warm_arm_worker: PatientArmWorker) -> Iterator[PatientArmWorker]:
    """A warm one, whose shares are those of the test."""
    warm_arm_worker.shares.clear()
    yield warm_arm_worker
    assert warm_arm_worker.shares, "the arm worker never had an arm"
