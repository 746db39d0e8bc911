"""A real server process with a real database, shared by the tests that only ask it questions."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.settings import load_settings
from tests.app.harness import LabServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One server for all tests that leave it as it is."""
    lab = LabServer(tmp_path_factory.mktemp("shared") / "data", keepalive_seconds=0.5, prometheus=1)
    yield lab.start()
    lab.close()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., LabServer]]:
    """Makes servers of one's own, stopped at the end."""
    made: list[LabServer] = []

    def make(**settings: Any) -> LabServer:
        made.append(LabServer(tmp_path / "data", **settings))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private PostgreSQL server, reached through a socket in a temporary folder."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("NOT TESTED on PostgreSQL: its server is not installed (pg_config not found)")
    folder = tmp_path_factory.mktemp("postgres")
    owner = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    for path in (folder, *folder.parents):
        if owner and path.owner() == "root" and path.is_relative_to(tmp_path_factory.getbasetemp()):
            path.chmod(0o755)
    if owner:
        tmp_path_factory.getbasetemp().parent.chmod(0o755)
        shutil.chown(folder, owner)

    def call(*command: str) -> None:
        subprocess.run(command, check=True, user=owner, stdout=subprocess.DEVNULL, cwd=folder)

    cluster = str(folder / "cluster")
    call(str(binaries / "initdb"), "-D", cluster, "-U", "lab", "--auth=trust", "--no-sync")
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    control = str(binaries / "pg_ctl")
    call(control, "-D", cluster, "-o", options, "-l", str(folder / "log"), "-w", "start")
    yield f"postgresql://lab@/postgres?host={folder}"
    call(control, "-D", cluster, "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Database.open(load_settings(data_dir=tmp_path, database_url=url))
    yield opened
    if url is not None:
        with opened.write() as session:
            session.execute(text("TRUNCATE runs, events"))
    opened.close()


def _postgres_binaries() -> Path | None:
    command = shutil.which("pg_config")
    if command is None:
        return None
    found = subprocess.run([command, "--bindir"], check=True, capture_output=True, text=True)
    folder = Path(found.stdout.strip())
    return folder if (folder / "initdb").exists() else None
