"""Schema, migrations and the lock, on SQLite and PostgreSQL."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.database import Base, Database, DatabaseInUseError, migrate
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
