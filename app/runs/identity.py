"""What a run computes, as a key: two runs with one key say the same numbers."""

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version

from app import __version__
from newton_core.experiment.spec import ExperimentSpec


@dataclass(frozen=True)
class Identity:
    """All that a run's numbers depend on.

    Attributes:
        spec: canonical JSON of the spec: every default filled in, keys sorted, no spaces.
        version: of the lab and of torch.
        device: as in the spec.
        data: state of the user's own files that it reads; empty for data that never change.
    """

    spec: str
    version: str
    device: str
    data: str = ""

    @property
    def key(self) -> str:
        """SHA-256 of all of them, in hexadecimal."""
        text = "\n".join((self.version, self.device, self.data, self.spec))
        return hashlib.sha256(text.encode()).hexdigest()


def canonical(spec: ExperimentSpec) -> str:
    """The spec as one JSON text, the same for every way to write it down."""
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


@functools.cache
def software_version() -> str:
    """The versions that numbers depend on, in one word."""
    return f"{__version__}+torch.{version('torch')}"


def identify(spec: ExperimentSpec) -> Identity:
    """The identity of the run that this server would make of ``spec``."""
    return Identity(canonical(spec), software_version(), spec.device, _state_of_own_data(spec))


def _state_of_own_data(spec: ExperimentSpec) -> str:
    """A digest that changes whenever one of the user's own files that the task reads does."""
    folders = [data.folder() for data in spec.task.datasets().values() if data.own_files]
    own = [folder for folder in folders if folder is not None]
    if not own:
        return ""
    digest = hashlib.sha256()
    for file in sorted(file for folder in own for file in folder.rglob("*") if file.is_file()):
        state = file.stat()
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_reusable(spec: ExperimentSpec) -> bool:
    """Whether the same spec gives the same run: not where a clock decides when it stops."""
    return spec.seconds is None
