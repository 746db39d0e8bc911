"""What the texts among the settings must look like, and how they are written out in full."""

import re
from pathlib import Path

SQLITE = "sqlite:///"
_HOST_PORT = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
_NAME = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?")


def host_names(hosts: str) -> str:
    """Names with or without a port, separated by single spaces.

    Raises:
        ValueError: one of them is no such name.
    """
    names = hosts.replace(",", " ").split()
    if wrong := [name for name in names if not _NAME.fullmatch(name)]:
        raise ValueError(f"{wrong[0]} is no name with or without a port, as in lab.example.org")
    return " ".join(names)


def cluster_address(address: str) -> str:
    """The host:port of a Ray cluster, or nothing.

    Raises:
        ValueError: it is something else.
    """
    if address.startswith("ray://"):
        raise ValueError(
            "ray:// is Ray Client, which cannot stream a run's events: join the cluster from"
            " this machine (ray start --address=host:port) and give host:port"
        )
    if address and not _HOST_PORT.fullmatch(address):
        raise ValueError("use host:port, e.g. head:6379, or leave it empty")
    return address


def path_prefix(prefix: str) -> str:
    """A path with one slash before it and none behind, or nothing."""
    stripped = prefix.strip("/")
    return f"/{stripped}" if stripped else ""


def absolute(folder: Path) -> Path:
    """A folder, with ``~`` and the working directory written out."""
    return folder.expanduser().absolute()


def existing(folder: Path) -> Path:
    """A folder that is there, written out in full.

    Raises:
        ValueError: it is not, or it is a file.
    """
    if not (folder := absolute(folder)).is_dir():
        is_file = "is a file" if folder.exists() else "is not there"
        raise ValueError(f"{folder} {is_file}: make the folder, or leave the setting empty")
    return folder


def sql_address(url: str) -> str:
    """The address of a database, as SQLAlchemy takes it.

    Raises:
        ValueError: it is neither PostgreSQL nor a file of SQLite.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and rest.strip("/") and "?" not in rest:
        return f"{SQLITE}{absolute(Path(rest[1:]))}"
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
        raise ValueError(
            "use postgresql://user:password@host/name or sqlite:////folder/file, or leave it"
            " empty for SQLite in the data folder"
        )
    from sqlalchemy.engine import make_url  # here: most have no URL, and start sooner
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except (ArgumentError, ValueError):  # ValueError: of a port that is no number
        raise ValueError(
            "this is no address of a database: use postgresql://user:password@host:5432/name;"
            " write @ : / of a password as %40 %3A %2F"
        ) from None
    return f"postgresql+psycopg://{rest}"


def framing_pages(sources: str) -> str:
    """Pages for a Content-Security-Policy.

    Raises:
        ValueError: the text could add other rules to that policy.
    """
    if any(character in sources for character in ";,\r\n"):
        raise ValueError("separate the pages by spaces; no ; or , or line breaks")
    return sources
