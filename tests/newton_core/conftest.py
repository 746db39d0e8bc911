from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture
def as_users_run() -> Iterator[None]:
    """Types and shapes unchecked, as outside the tests: our own messages meet bad arguments."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
