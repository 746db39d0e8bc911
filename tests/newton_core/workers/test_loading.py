import gc
import subprocess
import sys

from newton_core.workers.loading import quick_imports

NEW_PROCESS = """
import gc
from newton_core.workers.loading import quick_imports
try:
    with quick_imports():
        assert not gc.isenabled()
        import no_such_module
except ImportError:
    pass
assert gc.isenabled() and gc.get_freeze_count() > 0
"""


def test_a_new_process_imports_without_the_collector_and_has_it_again_after_an_error() -> None:
    subprocess.run([sys.executable, "-c", NEW_PROCESS], check=True)


def test_with_torch_there_the_collector_goes_on() -> None:
    import torch  # noqa: F401

    frozen = gc.get_freeze_count()
    with quick_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
