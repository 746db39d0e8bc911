"""Results that ship with the lab: computed once, committed, and shown by the page."""

import logging
from pathlib import Path

from pydantic import ValidationError

from newton_core.evidence.protocols import PROTOCOLS, SCALES
from newton_core.evidence.results import Result

SCALING = "scale"
"""The result that ``newton-lab scale`` writes: it has no protocol."""
_PACKAGE = Path(__file__).parent

logger = logging.getLogger(__name__)


class UnknownResultError(LookupError):
    """There is no result of this name; the message lists those that there are."""


def results_dir() -> Path:
    """Their folder: inside an installed package, or ``docs/results`` of a checkout."""
    packaged = _PACKAGE / "shipped_results"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "docs" / "results"


def read_result(file: Path) -> Result | None:
    """The result in a file; None where there is none that this version understands."""
    try:
        return Result.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        logger.warning("%s holds no result that this version understands", file)
        return None


def shipped_results(folder: Path | None = None) -> tuple[Result, ...]:
    """All that there are: the lab's own question first, then the paper's tables, costs last.

    Within a protocol the larger scales come first.
    """
    protocols = sorted(PROTOCOLS, key=lambda protocol: protocol != "components")
    names = [f"{protocol}-{scale}" for protocol in protocols for scale in reversed(SCALES)]
    files = ((folder or results_dir()) / f"{name}.json" for name in (*names, SCALING))
    return tuple(result for file in files if (result := read_result(file)) is not None)


def shipped_result(name: str, folder: Path | None = None) -> Result:
    """The result called ``name``: ``table1-small``, or ``table1`` for its largest scale.

    Raises:
        UnknownResultError: there is none.
    """
    results = shipped_results(folder)
    for result in results:
        if name in (result.name, result.protocol):
            return result
    names = ", ".join(result.name for result in results) or "none"
    raise UnknownResultError(f"there is no result {name!r}; there are: {names}")
