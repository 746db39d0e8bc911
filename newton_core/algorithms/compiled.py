"""Compilation of numba kernels; imported, like numba itself, when a kernel is first called."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[Kernel], Kernel]:
    """Compiles at once, or takes the machine code from numba's cache on disk.

    The cache lies beside the kernel's file, or in the user's cache folder where that cannot be
    written. Where neither can (a read-only container), each process compiles for itself. Kernels
    run without the GIL. They need ``typing.no_type_check`` as well, below this decorator: it keeps
    the test run's shape checker from wrapping what numba must compile.
    """

    def compile_kernel(kernel: Kernel) -> Kernel:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            machine_code: Any = numba.njit(signature, cache=True, **options)(kernel)
        except (RuntimeError, OSError):  # no folder for a cache, or it cannot be written
            machine_code = numba.njit(signature, **options)(kernel)
        return cast(Kernel, machine_code)

    return compile_kernel
