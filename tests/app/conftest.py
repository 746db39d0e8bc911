"""A real server process with a real database, shared by the tests that only ask it questions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.settings import load_settings
from tests.app.command import Lab
from tests.app.harness import LabServer
from tests.app.postgres import Postgres, postgres_binaries


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
    """The address of a PostgreSQL server that stays up."""
    postgres = _new_postgres(tmp_path_factory).start()
    yield postgres.url
    postgres.stop()


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server of one's own, to be stopped and started."""
    own = _new_postgres(tmp_path_factory).start()
    yield own
    own.stop()


def _new_postgres(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("NOT TESTED on PostgreSQL: its server is not installed (pg_config not found)")
    return Postgres(binaries, tmp_path_factory.mktemp("pg"), tmp_path_factory.getbasetemp())


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Database.open(load_settings(data_dir=tmp_path, database_url=url))
    yield opened
    if url is not None:
        with opened.write() as session:
            session.execute(
                text("TRUNCATE runs, events, sweeps, sweep_events, presentations, followers")
            )
    opened.close()


@pytest.fixture
def newton_lab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Lab:
    """The command line, with a data folder of its own."""
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path / "data"))
    return Lab(monkeypatch, capsys)
