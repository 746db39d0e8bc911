"""Every setting of the server in one typed table: environment, command line, docs and limits."""

import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.machine import default_threads, default_workers, spare_companions
from app.setting_rules import (
    SQLITE,
    absolute,
    cluster_address,
    existing,
    framing_pages,
    host_names,
    path_prefix,
    sql_address,
)
from newton_core.folders import data_dir

PREFIX = "NEWTON_LAB_"
DATA_DIR_VARIABLE = f"{PREFIX}DATA_DIR"
WORKER_MB = 600
"""What a worker process needs with torch imported (460 MB) and a small run."""
COMPANION_MB = 450
PLACEHOLDER = "change-me"
"""What the shipped files have in place of a code."""
_CODES = ("access_code", "admin_code")
_SECRETS = (*_CODES, "database_url")
_LEAST_CODE = 6
_RETIRED = ("STARTUP_SECONDS",)
"""Settings of earlier versions, which do no harm where they are still given."""
_OTHERS = ("UID", "PUBLISH", "TEST_DATABASE")
"""Variables of the compose file and of our own tests."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message has one line per problem."""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address, without a port, means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _shown(text: str) -> dict[str, Any]:
    """Marks a default that depends on the machine, as the documentation names it."""
    return {"default": text}


class Settings(BaseSettings):
    """The settings, each read from ``NEWTON_LAB_`` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True
    )

    host: str = Field(
        "127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 for a class room."
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    hosts: Annotated[str, AfterValidator(host_names)] = Field(
        "",
        description="Names, separated by spaces or commas, under which others reach the lab, e.g."
        " lab.example.org or lab.example.org:8443 for that port alone. localhost always works, and"
        " so do IP addresses where the lab listens beyond this machine.",
    )
    root_path: Annotated[str, AfterValidator(path_prefix)] = Field(
        "", description="Path prefix under which a proxy shows the lab, e.g. /newton-lab."
    )
    data_dir: Annotated[Path, AfterValidator(absolute)] = Field(
        default_factory=data_dir,
        description="Folder of the database, the snapshots and the data sets.",
        json_schema_extra=_shown("the platform's user data folder"),
    )
    lessons_dir: Annotated[Path, AfterValidator(existing)] | None = Field(
        None, description="Folder of your own lessons, Markdown files that are read as they change."
    )
    database_url: Annotated[str, AfterValidator(sql_address)] | None = Field(
        None,
        description="Database: PostgreSQL as postgresql://user:password@host/name, or one SQLite"
        " file as sqlite:////srv/lab.sqlite3; empty means SQLite in the data folder.",
    )
    executor: Literal["local", "ray"] = Field(
        "local",
        description="What computes the runs: worker processes of this machine, or those of a Ray"
        " cluster, which needs newton-lab[ray].",
    )
    ray_address: Annotated[str, AfterValidator(cluster_address)] = Field(
        "",
        description="host:port of the Ray cluster that this machine has joined; empty starts one"
        " on this machine alone.",
    )
    workers: int = Field(
        default_factory=default_workers,
        ge=1,
        le=64,
        description="Worker processes, each computing one run at a time.",
        json_schema_extra=_shown("one per two cores, at most 8"),
    )
    fork_workers: int = Field(
        1,
        ge=0,
        le=8,
        description="Further worker processes that only forks may use, so that a what-if never"
        " waits behind long runs.",
    )
    threads: int = Field(
        default_factory=lambda data: default_threads(
            data.get("workers", 1), data.get("fork_workers", 1)
        ),
        ge=1,
        le=256,
        description="Threads of each worker process.",
        json_schema_extra=_shown("the cores, shared out"),
    )
    companions: int = Field(
        default_factory=lambda data: spare_companions(
            data.get("workers", 1), data.get("threads", 1)
        ),
        ge=0,
        le=5,
        description="Further processes of each worker, which start with its first run of several"
        " arms and compute a share of them.",
        json_schema_extra=_shown("the idle cores, shared out, at most 3"),
    )
    run_seconds: float = Field(
        3600.0, gt=0, description="Wall-clock seconds after which a run fails."
    )
    hang_seconds: float = Field(
        120.0, gt=0, description="Seconds without a sign of life after which a run fails."
    )
    stop_seconds: float = Field(
        5.0, gt=0, description="Seconds that a stopped run has to end by itself."
    )
    memory_mb: int = Field(
        4096,
        ge=WORKER_MB,
        description="Megabytes of memory past which a run's worker is ended, its"
        " companions counted too.",
    )
    max_steps: int = Field(100_000, ge=1, description="Most updates of one run.")
    max_arms: int = Field(6, ge=1, le=6, description="Most arms of one run.")
    max_outputs: int = Field(
        1024, ge=1, description="Most outputs of one sample (n ranked items, h x w tiles)."
    )
    max_batch_entries: int = Field(
        20_000_000,
        ge=1,
        description="Most entries of one batch's curvature matrices: batch size times outputs"
        " squared.",
    )
    max_evaluations: int = Field(
        2000, ge=1, description="Most evaluations (and landscapes) of one run."
    )
    max_queue: int = Field(100, ge=1, description="Most waiting runs; more are answered with 429.")
    max_cells: int = Field(
        10_000, ge=1, description="Most runs of one sweep: combinations of its grid times seeds."
    )
    max_body_bytes: int = Field(1_000_000, ge=1000, description="Largest request body in bytes.")
    runs_per_minute: int = Field(
        default_factory=lambda data: 0 if is_loopback(data.get("host", "")) else 60,
        ge=0,
        description="New runs that one address may start in a minute; 0 for no limit.",
        json_schema_extra=_shown("60 where the lab listens beyond this machine, else 0"),
    )
    runs_per_visitor: int = Field(
        0,
        ge=0,
        description="Runs of one visitor that wait or are computed at a time, and sweeps of theirs"
        " that are going; 0 for no limit. A visitor is a random cookie, or an address without one.",
    )
    own_runs_only: bool = Field(
        False,
        description="Whether only who started a run or a sweep, and the admin, may stop, rename,"
        " pin or remove it; else everyone may.",
    )
    access_code: SecretStr | None = Field(
        None,
        description="Code that everyone is asked for before anything is shown, of 6 characters at"
        " least; empty for none. Scripts send it as `Authorization: Bearer CODE`.",
    )
    admin_code: SecretStr | None = Field(
        None,
        description="Code, another one, of who may see and clear the queue and change all runs.",
    )
    disk_mb: int = Field(
        10_000,
        ge=1,
        description="Megabytes of logs and snapshots past which the oldest ended runs that"
        " are not pinned are removed.",
    )
    cells_mb: int = Field(
        2_000,
        ge=1,
        description="Megabytes of trained arms that sweep, tune and reproduce keep in the data"
        " folder (cells). Past it, those go first whose last use is longest ago; none goes that a"
        " computation in progress has used.",
    )
    keepalive_seconds: float = Field(
        10.0, gt=0, description="Seconds of silence after which an event stream sends a ping."
    )
    takeover_seconds: int = Field(
        30,
        ge=3,
        description="Seconds without a sign of life of the server that owns the queue after which"
        " another one on the same PostgreSQL database takes it over.",
    )
    shutdown_seconds: int = Field(
        2, ge=1, description="Seconds that open connections have to end when the server stops."
    )
    frame_ancestors: Annotated[str, AfterValidator(framing_pages)] = Field(
        "'self'",
        description="Pages that may embed the lab (Content-Security-Policy frame-ancestors),"
        " e.g. https://course.example.org.",
    )
    prometheus: bool = Field(False, description="Serve measurements for Prometheus at /metrics.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe messages that are logged."
    )
    log_format: Literal["console", "json"] = Field("console", description="Form of the log.")

    @field_validator("memory_mb")
    @classmethod
    def _holds_a_worker(cls, memory_mb: int, info: ValidationInfo) -> int:
        companions = info.data.get("companions", 0)
        if memory_mb < (least := WORKER_MB + COMPANION_MB * companions):
            raise ValueError(
                f"a worker with its {companions} companions needs {least} MB: give it more, or set"
                f" {PREFIX}COMPANIONS to 0"
            )
        return memory_mb

    @field_validator(*_CODES)
    @classmethod
    def _is_a_code_of_ones_own(
        cls, code: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if code is None:
            return None
        words = code.get_secret_value().strip()
        if len(words) < _LEAST_CODE or words.startswith(PLACEHOLDER):
            raise ValueError(f"choose a code of your own, of {_LEAST_CODE} characters at least")
        if SecretStr(words) == info.data.get("access_code"):
            raise ValueError("everyone knows the access code: the admin needs another one")
        return SecretStr(words)

    @cached_property
    def is_public(self) -> bool:
        """Whether the server listens beyond this machine."""
        return not is_loopback(self.host)

    @cached_property
    def tells_visitors_apart(self) -> bool:
        """Whether it matters who started a run."""
        return self.own_runs_only or self.runs_per_visitor > 0

    @cached_property
    def postgres_url(self) -> str | None:
        """The address of the PostgreSQL database; None where SQLite is used."""
        return None if (self.database_url or SQLITE).startswith(SQLITE) else self.database_url

    @cached_property
    def sqlite_file(self) -> Path:
        """Where the SQLite database is, if it is used."""
        if self.database_url is not None and self.postgres_url is None:
            return Path(self.database_url.removeprefix(SQLITE))
        return self.data_dir / "newton-lab.sqlite3"

    @cached_property
    def snapshots_dir(self) -> Path:
        """The folder that holds one folder of snapshots per run."""
        return self.data_dir / "snapshots"


@dataclass(frozen=True)
class SettingInfo:
    """One row of the table of settings.

    Attributes:
        name: field name, which is also the long option without its dashes.
        variable: environment variable.
        default: the default in words.
        help: a sentence.
    """

    name: str
    variable: str
    default: str
    help: str


def describe_settings() -> list[SettingInfo]:
    """The table of settings, for ``--help`` and the documentation."""
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict):
            default = str(extra["default"])
        else:
            default = "empty" if field.default in (None, "") else str(field.default)
        rows.append(SettingInfo(name, PREFIX + name.upper(), default, field.description or ""))
    return rows


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment, with those of ``overrides`` that are not None on top.

    Raises:
        SettingsError: a value is out of its range, or a variable's name is nearly that of a
            setting; the message names the variable.
    """
    misspelt = [  # without a word a code would not be asked for
        f"{variable}: there is no such setting; did you mean {PREFIX}{near}?"
        for variable, near in _unknown(os.environ)
        if near is not None
    ]
    if misspelt:
        raise SettingsError("\n".join(misspelt))
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            f"{PREFIX}{str(item['loc'][0]).upper()}:"
            f" {item['msg'].removeprefix('Value error, ')}{_given(item)}"
            for item in error.errors(include_url=False)
            if item["type"] != "default_factory_not_called"  # it waits for a value that is wrong
        ]
        raise SettingsError("\n".join(lines)) from error


def unknown_settings() -> list[str]:
    """A sentence for each variable of the environment that looks like a setting and is none.

    :func:`load_settings` refuses those whose name is near that of a setting.
    """
    return [
        f"{variable}: there is no such setting, so it does nothing; newton-lab serve --help and"
        " docs/settings.md list all"
        for variable, near in _unknown(os.environ)
        if near is None
    ]


def _unknown(variables: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Variables that somebody took for a setting, and the setting whose name is near, if any."""
    known = [row.variable.removeprefix(PREFIX) for row in describe_settings()]
    for variable in sorted(variables):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper() == name or name in (*known, *_RETIRED, *_OTHERS):
            continue
        yield variable, next(iter(get_close_matches(name, known, 1, 0.75)), None)


def _given(problem: ErrorDetails) -> str:
    """The value that was refused, unless nobody but its owner should read it."""
    return "" if problem["loc"][0] in _SECRETS else f" (given: {problem['input']!r})"


def settings_markdown() -> str:
    """The documentation's page on settings."""
    lines = [
        "# Settings",
        "",
        "The server reads these environment variables; `newton-lab serve --help` shows them too.",
        "This page is written by `python -m app.settings > docs/settings.md`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{row.variable}` | {row.default} | {row.help} |" for row in describe_settings()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(settings_markdown())
