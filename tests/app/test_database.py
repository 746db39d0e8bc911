"""Schema, migrations and the lock, on SQLite and PostgreSQL."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.database import Base, Database, DatabaseInUseError, LockLostError, migrate
from app.settings import load_settings


def test_migrations_give_the_schema_of_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() is not None


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database.engine)
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_sqlite_lets_readers_and_the_writer_be(tmp_path: Path) -> None:
    database = Database.open(load_settings(data_dir=tmp_path))
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "auto_vacuum", "synchronous")
        }
    database.close()
    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "auto_vacuum": 2,  # incremental
        "synchronous": 1,  # normal
    }


def test_second_server_on_one_file_is_refused(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    first = Database.open(settings)
    with pytest.raises(DatabaseInUseError, match=r"another newton-lab server works on .*\.sqlite3"):
        Database.open(settings)
    first.close()
    Database.open(settings).close()


def test_second_server_on_one_postgres_database_is_refused(
    tmp_path: Path, postgres_url: str
) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=postgres_url)
    first = Database.open(settings)
    with pytest.raises(DatabaseInUseError, match="another newton-lab server works on postgresql"):
        Database.open(settings)
    first.close()
    Database.open(settings).close()


OWNER = """
import sys
from sqlalchemy import text
from app.database import Database, DatabaseUnavailableError, LockLostError
from app.settings import load_settings
settings = load_settings(data_dir=sys.argv[1], database_url=sys.argv[2])
database = Database.open(settings, may_share=True)
try:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = version_num || '-half'"))
        print("in the middle", flush=True)
        sys.stdin.readline()
except DatabaseUnavailableError:
    print("rolled back", flush=True)
try:
    with database.write(owned=True):
        print("writes on", flush=True)
except LockLostError:
    print("stops", flush=True)
"""


def test_a_hung_owner_loses_the_lock_and_what_it_had_not_stored(
    tmp_path: Path, postgres_url: str
) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=postgres_url, takeover_seconds=3)
    command = [sys.executable, "-c", OWNER, str(tmp_path), postgres_url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == "in the middle\n"
        other = Database.open(settings, may_share=True)
        try:
            _wait_for_a_beat(other)
            assert not other.claim(), "an owner that is alive keeps it"
            with pytest.raises(LockLostError), other.write(owned=True):
                pass
            owner.send_signal(signal.SIGSTOP)
            assert any(_look(other) for _ in range(200))
            with other.write(owned=True) as session:
                stored = session.scalar(text("SELECT version_num FROM alembic_version"))
            assert "half" not in str(stored)
            owner.send_signal(signal.SIGCONT)
            said = owner.communicate("\n", timeout=60)[0].splitlines()
            assert said[-2:] == ["rolled back", "stops"]
        finally:
            owner.kill()
            other.close()


def _wait_for_a_beat(database: Database) -> None:
    query = text("SELECT state_change FROM pg_locks JOIN pg_stat_activity USING (pid)"
                 " WHERE locktype = 'advisory' AND granted")  # fmt: skip
    seen: set[object] = set()
    deadline = time.monotonic() + 60
    while len(seen) < 2:
        assert time.monotonic() < deadline, "the owner does not beat"
        with database.read() as session:
            seen.add(session.scalar(query))
        time.sleep(0.1)


def _look(database: Database) -> bool:
    """One look of a server beside the owner; it is looks that count, not seconds."""
    time.sleep(0.1)
    return database.claim()
