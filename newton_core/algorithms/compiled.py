"""Compiles numba kernels. It is imported, like numba, when a kernel is first called."""

import functools
from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(*signatures: str) -> Callable[[Kernel], Kernel]:
    """Compiles a kernel at once, or loads its machine code from numba's cache on disk.

    It takes arguments of any of the ``signatures``. The cache is beside the kernel's file, or in
    the user's cache folder if that cannot be written. If neither can be written (a read-only
    container), each process compiles for itself. Kernels run without the GIL. Below this decorator
    they need ``typing.no_type_check``, because the shape checker of the tests would wrap them and
    numba cannot compile its wrapper.
    """

    def compile_kernel(kernel: Kernel) -> Kernel:
        build = functools.partial(numba.njit, list(signatures), nogil=True, error_model="numpy")
        try:
            machine_code = build(cache=True)(kernel)
        except (RuntimeError, OSError):  # there is no folder for a cache that can be written
            machine_code = build()(kernel)
        return cast(Kernel, machine_code)

    return compile_kernel
