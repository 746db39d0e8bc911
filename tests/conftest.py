"""Shared by all tests: shapes and types of newton_core are checked at run time here, only here."""

import torch
from jaxtyping import install_import_hook

# Before anything imports newton_core: the hook wraps functions as their modules load.
install_import_hook("newton_core", "beartype.beartype")


def pytest_runtest_setup() -> None:
    """One thread: two that wait for each other on a busy machine cost ten times what they save."""
    torch.set_num_threads(1)  # before each test, as commands that ran in this process choose theirs
