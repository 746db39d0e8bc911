"""Imports without the garbage collector."""

import contextlib
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Around imports of torch and all that needs it, at the start of a process.

    Nothing that is imported is garbage, and to look for it takes a fifth of the time. What has been
    loaded stays for good: later collections need not look at it either. Where torch is there
    already, there is little to import, and nothing is changed; nor is a collector that is off.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
