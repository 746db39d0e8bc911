"""What a build of the image would trip over, as far as it shows without Docker."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from app.runs.limits import check_limits
from app.settings import SettingsError, describe_settings, load_settings
from app.warm import find_wishes
from scripts.docker_context import ROOT, IgnoreRules, context_files, context_sources

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
RULES = IgnoreRules((ROOT / ".dockerignore").read_text("utf-8"))


@pytest.mark.parametrize("source", context_sources(DOCKERFILE))
def test_what_the_dockerfile_copies_is_sent_to_the_build(source: str) -> None:
    assert context_files(source, RULES)


def test_the_results_that_ship_are_all_sent() -> None:
    there = {path.relative_to(ROOT) for path in (ROOT / "docs/results").glob("*.json")}
    assert there <= set(context_files("docs/results", RULES))


def test_what_is_built_or_large_is_not_sent() -> None:
    for path in ("frontend/node_modules/x/index.js", "frontend/dist/index.html", ".git/config",
                 "tests/test_docker.py", "app/__pycache__/lab.pyc", "docs/a.png"):  # fmt: skip
        assert RULES.keep_out(Path(path)), path


def test_a_source_that_is_kept_out_is_found() -> None:
    assert context_files("docs/results", IgnoreRules("*\n!app")) == []
    assert context_files("app/presets", IgnoreRules("*\n!app\napp/presets/*.json")) != []


def test_the_label_says_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f'org.opencontainers.image.version="{version}"' in DOCKERFILE


def test_only_settings_that_exist_are_set() -> None:
    known = {row.variable for row in describe_settings()}
    environment = (ROOT / "deploy" / "class.env").read_text("utf-8")
    for text in (DOCKERFILE, environment):
        named = set(re.findall(r"^\s*.*?\b(NEWTON_LAB_\w+)=", text, re.M))
        assert named
        assert named <= known


def test_every_service_of_ours_is_locked_down() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    ours = {name: s for name, s in services.items() if "build" in s}
    assert set(ours) == {"lab", "lab-gpu", "lab-class", "lab-cluster", "ray-worker"}
    for name, service in ours.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["tmpfs"] == ["/tmp"], name


def class_settings() -> dict[str, str]:
    """The settings of deploy/class.env, by their names."""
    lines = (ROOT / "deploy" / "class.env").read_text("utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    prefix = "NEWTON_LAB_"
    return {k.removeprefix(prefix).lower(): v for k, v in pairs.items() if k.startswith(prefix)}


def test_a_class_starts_with_codes_of_its_own_alone() -> None:
    given = class_settings()
    with pytest.raises(SettingsError, match=r"ACCESS_CODE: .*choose a code of your own"):
        load_settings(**given)
    settings = load_settings(**{**given, "access_code": "sesame", "admin_code": "teacher"})
    assert settings.own_runs_only
    assert settings.runs_per_visitor > 0


def test_a_class_may_run_every_scene_of_the_lessons() -> None:
    settings = load_settings(
        **{**class_settings(), "access_code": "sesame", "admin_code": "teacher"}
    )
    for wish in find_wishes([], settings):
        assert check_limits(wish.spec, settings) == [], wish.name
