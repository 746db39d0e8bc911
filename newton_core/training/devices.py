"""Where runs compute, and what else their numbers depend on."""

import importlib.metadata
import platform

import torch


def check_device(name: str) -> torch.device:
    """The torch device called ``name``.

    Raises:
        ValueError: this machine has no such device; the message lists those it has.
    """
    available = available_devices()
    try:
        device = torch.device(name)
    except RuntimeError:  # torch knows no such kind
        wanted = ""
    else:
        wanted = f"cuda:{device.index or 0}" if device.type == "cuda" else device.type
    if wanted not in available:
        raise ValueError(f"device {name!r} is not available; use one of {', '.join(available)}")
    return device


def available_devices() -> list[str]:
    """The devices that a spec can name on this machine."""
    devices = ["cpu"]
    devices += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return devices


def describe_device(name: str) -> str:
    """A device in words, with what its numbers depend on; one that is not here by its name."""
    device = torch.device(name)
    if device.type == "cuda":
        if (device.index or 0) >= torch.cuda.device_count():
            return name
        return f"{name} ({torch.cuda.get_device_name(device)})"
    return f"{name} ({platform.machine()}, {torch.get_num_threads()} threads)"


def versions() -> dict[str, str]:
    """Versions of all that a run's numbers depend on."""
    named = {"newton-lab": "newton-lab", "torch": "torch", "numpy": "numpy"}
    found = {"python": platform.python_version()}
    for key, distribution in named.items():
        try:
            found[key] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout without install
            found[key] = "unknown"
    return found
