"""The server and the command line of Newton Lab."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("newton-lab")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
