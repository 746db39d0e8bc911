"""Compiles every kernel ahead, so that no run waits for its own: a minute, once.

    python -m newton_core.algorithms.precompile

The machine code goes to numba's cache: beside the kernels, or to ``NUMBA_CACHE_DIR``. It is good
for processors of this kind; on others each kernel is compiled when it is first needed.
"""

import importlib
import pkgutil

import newton_core


def precompile() -> list[str]:
    """Imports all modules of kernels, which compiles them; their names."""
    found = pkgutil.walk_packages(newton_core.__path__, f"{newton_core.__name__}.")
    names = [module.name for module in found if module.name.endswith("kernels")]
    for name in names:
        importlib.import_module(name)
    return names


if __name__ == "__main__":
    precompile()
