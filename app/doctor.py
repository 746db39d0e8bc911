"""What the lab found on this machine, for ``newton-lab doctor``."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from app.presets import load_presets
from app.settings import SettingsError, load_settings, unknown_settings
from newton_core.data import describe_datasets
from newton_core.folders import data_dir
from newton_core.losses import list_losses
from newton_core.training.devices import available_devices, versions


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes:
        name: what was looked at.
        good: whether the lab can use it; what is only absent by choice is not good either.
        detail: what was found, and what to do where it was not.
    """

    name: str
    good: bool
    detail: str

    def as_record(self) -> dict[str, Any]:
        """The finding as JSON-ready fields."""
        return asdict(self)


def examine() -> list[Finding]:
    """Looks at versions, devices, threads, folders, data sets, presets and losses."""
    findings = [Finding(name, found != "unknown", found) for name, found in versions().items()]
    findings.append(Finding("platform", True, platform.platform()))
    findings.append(Finding("devices", True, ", ".join(available_devices())))
    findings.append(
        Finding("threads", True, f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()}")
    )
    findings.append(_settings())
    findings.extend(Finding("settings", False, problem) for problem in unknown_settings())
    findings.append(_folder(data_dir()))
    findings.extend(
        Finding(f"data: {found.name}", found.found, found.detail) for found in describe_datasets()
    )
    findings.append(Finding("losses", True, ", ".join(list_losses())))
    findings.append(Finding("presets", True, ", ".join(p.name for p in load_presets())))
    return findings


def _settings() -> Finding:
    """What computes the runs, or what is wrong with the settings, which say it."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return Finding("settings", False, str(error))
    there = find_spec("ray") is not None
    detail = f"{settings.executor}; Ray is {'' if there else 'not '}installed"
    if not there:
        detail += " (pip install 'newton-lab[ray]')"
    return Finding("executor", there or settings.executor != "ray", detail)


def _folder(path: Path) -> Finding:
    name = "data folder"
    nearest = next(p for p in (path, *path.parents) if p.exists())
    if not nearest.is_dir():
        return Finding(name, False, f"{nearest} is no folder; set NEWTON_LAB_DATA_DIR")
    if not os.access(nearest, os.W_OK):
        return Finding(name, False, f"{path} cannot be written; set NEWTON_LAB_DATA_DIR")
    return Finding(name, True, f"{path}" if path.exists() else f"{path} (made when needed)")
