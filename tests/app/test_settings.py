"""The one table of settings: environment, documentation, errors."""

from pathlib import Path

import pytest

from app.database import Database
from app.settings import (
    Settings,
    SettingsError,
    describe_settings,
    load_settings,
    settings_markdown,
)
from newton_core.folders import data_dir

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_documentation_is_that_of_the_table() -> None:
    assert DOCS.read_text("utf-8") == settings_markdown(), (
        "run: python -m app.settings > docs/settings.md"
    )


def test_every_setting_says_what_it_is() -> None:
    rows = describe_settings()
    assert [row.name for row in rows] == list(Settings.model_fields)
    for row in rows:
        assert row.help.endswith("."), row
        assert row.variable == f"NEWTON_LAB_{row.name.upper()}"


def test_environment_is_read_and_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWTON_LAB_PORT", "9001")
    monkeypatch.setenv("NEWTON_LAB_WORKERS", "3")
    monkeypatch.setenv("NEWTON_LAB_DATABASE_URL", "")
    settings = load_settings(port=9002, host=None)
    assert (settings.port, settings.workers, settings.host) == (9002, 3, "127.0.0.1")
    assert settings.database_url is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKERS", "0", "NEWTON_LAB_WORKERS: Input should be greater than or equal to 1"),
        ("MEMORY_MB", "599", "NEWTON_LAB_MEMORY_MB: Input should be greater than or equal to 600"),
        ("PORT", "http", "NEWTON_LAB_PORT: Input should be a valid integer"),
        ("DATABASE_URL", "mysql://x", "NEWTON_LAB_DATABASE_URL: use postgresql://"),
        ("DATABASE_URL", "sqlite://lab.db", "use postgresql://user:password@host/name or sqlite:"),
        ("LESSONS_DIR", "/no/such/lessons", "/no/such/lessons is not there: make the folder"),
        ("LESSONS_DIR", __file__, "test_settings.py is a file: make the folder"),
        (
            "DATABASE_URL",
            "postgresql://u:p@host:abc/x",
            "NEWTON_LAB_DATABASE_URL: this is no address",
        ),
        ("FRAME_ANCESTORS", "'self'; script-src *", "NEWTON_LAB_FRAME_ANCESTORS"),
    ],
)
def test_bad_value_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"NEWTON_LAB_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)
    assert (value in str(caught.value)) is (name != "DATABASE_URL")  # which holds a password


def test_memory_that_no_worker_fits_is_refused() -> None:
    load_settings(memory_mb=600, companions=0)
    with pytest.raises(SettingsError, match="with its 2 companions needs 1500 MB"):
        load_settings(memory_mb=1499, companions=2)


@pytest.mark.parametrize(
    ("name", "meant"), [("ACCES_CODE", "ACCESS_CODE"), ("HSOTS", "HOSTS"), ("DATADIR", "DATA_DIR")]
)
def test_a_misspelt_setting_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    for other in ("UID", "PUBLISH", "TEST_DATABASE"):  # of compose files and of our own tests
        monkeypatch.setenv(f"NEWTON_LAB_{other}", "1")
    load_settings()
    monkeypatch.setenv(f"NEWTON_LAB_{name}", "secret")
    with pytest.raises(
        SettingsError, match=f"NEWTON_LAB_{name}: .* mean NEWTON_LAB_{meant}?"
    ) as it:
        load_settings()
    assert "secret" not in str(it.value)


@pytest.mark.parametrize("prefix", ["lab", "/lab", "/lab/", "lab/"])
def test_root_path_is_normalised(prefix: str) -> None:
    assert load_settings(root_path=prefix).root_path == "/lab"
    assert load_settings(root_path="/").root_path == ""


def test_data_folder_is_that_of_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWTON_LAB_DATA_DIR", raising=False)
    assert load_settings().data_dir == data_dir()


def test_postgres_is_reached_through_psycopg() -> None:
    settings = load_settings(database_url="postgres://me@host/db")
    assert settings.database_url == "postgresql+psycopg://me@host/db" == settings.postgres_url


def test_sqlite_may_be_any_file(tmp_path: Path) -> None:
    file = tmp_path / "db" / "lab.sqlite3"
    settings = load_settings(data_dir=tmp_path, database_url=f"sqlite:///{file}")
    assert settings.postgres_url is None
    Database.open(settings).close()
    assert file.is_file()
    assert not (tmp_path / "newton-lab.sqlite3").exists()
