"""Compiles numba kernels. It is imported, like numba, when a kernel is first called."""

import contextlib
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

SHIPPED = Path(sys.prefix, "share", "newton-lab", "kernels")
"""Machine code that an installation may bring, laid out as numba's cache."""

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(*signatures: str) -> Callable[[Kernel], Kernel]:
    """Compiles a kernel at once, or loads its machine code from numba's cache on disk.

    It takes arguments of any of the ``signatures``. The cache is in ``NUMBA_CACHE_DIR``, beside the
    kernel's file, or in the user's cache folder if that cannot be written. If neither can be
    written (a read-only container), each process compiles for itself. Kernels run without the GIL.
    Below this decorator they need ``typing.no_type_check``, because the shape checker of the tests
    would wrap them and numba cannot compile its wrapper.
    """

    def compile_kernel(kernel: Kernel) -> Kernel:
        build = functools.partial(numba.njit, list(signatures), nogil=True, error_model="numpy")
        try:
            machine_code = build(cache=True)(kernel)
        except (RuntimeError, OSError):  # there is no folder for a cache that can be written
            machine_code = build()(kernel)
        return cast(Kernel, machine_code)

    return compile_kernel


def take_shipped(shipped: Path, cache: Path) -> None:
    """Copies to the cache what it lacks, or has older, of the machine code that was shipped.

    numba reads no cache that it cannot write, as the files of an image are. What was compiled here
    since then, for another kind of processor, stays.
    """
    for file in shipped.rglob("*.nb[ci]"):
        copy = cache / file.relative_to(shipped)
        if copy.exists() and copy.stat().st_mtime >= file.stat().st_mtime:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        making = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copy2(file, making)
        os.replace(making, copy)  # whole at once: other processes read it


if cache := os.environ.get("NUMBA_CACHE_DIR"):
    with contextlib.suppress(OSError):  # without a cache, all is compiled
        take_shipped(SHIPPED, Path(cache))
