"""What a run computes, as a key: runs with one key have the same numbers."""

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version

from app import __version__
from newton_core.experiment.sources import Source, sources_of
from newton_core.experiment.spec import ExperimentSpec

_SOURCES = "+sources."


@dataclass(frozen=True)
class Identity:
    """All that a run's numbers depend on.

    Attributes:
        spec: canonical JSON of the spec: every default filled in, keys sorted, no spaces.
        version: of the lab and of torch, and a digest of all that comes from outside: code of
            other packages, data on disk.
        device: as in the spec.
    """

    spec: str
    version: str
    device: str

    @property
    def key(self) -> str:
        """SHA-256 of all of them, in hexadecimal."""
        # the empty line is from earlier versions, whose keys are still looked up
        text = "\n".join((self.version, self.device, "", self.spec))
        return hashlib.sha256(text.encode()).hexdigest()


def canonical(spec: ExperimentSpec) -> str:
    """The spec as one JSON text, the same for every way to write it down."""
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


@functools.cache
def software_version() -> str:
    """The versions that numbers depend on, in one word."""
    return f"{__version__}+torch.{version('torch')}"


def identify(spec: ExperimentSpec) -> Identity:
    """The identity of the run that this server would make of ``spec`` now."""
    return Identity(canonical(spec), version_with(sources_of(spec)), spec.device)


def version_with(sources: Iterable[Source]) -> str:
    """The version of everything, what comes from outside included."""
    found = [f"{source.kind} {source.name} {source.digest}\n" for source in sources]
    if not found:
        return software_version()
    return f"{software_version()}{_SOURCES}{hashlib.sha256(''.join(found).encode()).hexdigest()}"


def is_outdated(version: str, sources: Iterable[Source]) -> bool:
    """Whether code or data from outside have changed since a run got this version."""
    same_lab = version.partition(_SOURCES)[0] == software_version()
    return same_lab and version != version_with(sources)


def is_reusable(spec: ExperimentSpec) -> bool:
    """Whether the same spec gives the same run, which it does not where a clock stops it."""
    return spec.seconds is None
