"""Where the running server of a data folder answers, so that commands can ask it."""

from pathlib import Path

from app.settings import Settings


def _file(settings: Settings) -> Path:
    return settings.data_dir / "server.address"


def note_address(settings: Settings, address: str) -> None:
    """Notes the address of the server that has just started on this data."""
    _file(settings).write_text(f"{address}\n", "utf-8")


def read_address(settings: Settings) -> str | None:
    """The address of the server that runs on this data, if it noted one."""
    try:
        return _file(settings).read_text("utf-8").strip()
    except FileNotFoundError:
        return None


def forget_address(settings: Settings) -> None:
    """Removes the note, because the server ends or an earlier one has left it behind."""
    _file(settings).unlink(missing_ok=True)
