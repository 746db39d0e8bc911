"""Says what is in a folder, for people whose files are not where they should be."""

from pathlib import Path

_SHOWN = 6


def what_is_in(folder: Path) -> str:
    """The first names in a folder, or why there are none, as words to put in parentheses."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return "which is not there"
    except OSError as error:
        return f"which cannot be read: {error.strerror}"
    if not names:
        return "which is empty"
    return f"found {', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}"
