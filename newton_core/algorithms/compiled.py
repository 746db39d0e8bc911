"""Compilation of numba kernels; imported, like numba itself, when a kernel is first called."""

import functools
from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(signature: str) -> Callable[[Kernel], Kernel]:
    """Compiles at once, or takes the machine code from numba's cache on disk.

    The cache lies beside the kernel's file, or in the user's cache folder where that cannot be
    written. Where neither can (a read-only container), each process compiles for itself. Kernels
    run without the GIL. They need ``typing.no_type_check`` as well, below this decorator: it keeps
    the test run's shape checker from wrapping what numba must compile.
    """

    def compile_kernel(kernel: Kernel) -> Kernel:
        build = functools.partial(numba.njit, signature, nogil=True, error_model="numpy")
        try:
            machine_code = build(cache=True)(kernel)
        except (RuntimeError, OSError):  # no folder for a cache, or it cannot be written
            machine_code = build()(kernel)
        return cast(Kernel, machine_code)

    return compile_kernel
