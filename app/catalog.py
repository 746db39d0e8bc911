"""What can be run: all that the page's form is built from."""

import functools
import inspect
from typing import Any

from pydantic import BaseModel, Field

from app.hosts import own_host
from app.presets import Preset, load_presets
from app.runs.limits import Limits, limits
from app.settings import Settings
from app.vocabulary import Vocabulary, vocabulary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses.base import LOSSES
from newton_core.tasks import TASKS


class TaskEntry(BaseModel):
    """A task that a spec can name."""

    name: str
    description: str
    primary_metric: str
    target_kinds: list[str] = Field(description="kinds of target that it can give a loss")
    parameters: dict[str, Any] = Field(description="JSON schema of its parameters")


class LossEntry(BaseModel):
    """A loss that a spec can name."""

    name: str
    description: str
    target_kind: str = Field(description="kind of target that it compares outputs with")
    target_kinds: list[str] = Field(description="that kind, and others that it takes as well")
    parameters: dict[str, Any] = Field(description="JSON schema of its parameters")


class Catalog(Vocabulary):
    """Everything that can be chosen, and how to show what comes of it."""

    tasks: list[TaskEntry]
    losses: list[LossEntry]
    presets: list[Preset] = Field(description="the default first")
    schema_: dict[str, Any] = Field(alias="schema", description="JSON schema of a spec")
    limits: Limits
    host: str | None = Field(
        description="by which other machines reach this one; null where the lab listens to none"
    )


def catalog_of(settings: Settings) -> Catalog:
    """All that a server with these settings offers."""
    tasks, losses = _entries()
    return Catalog(
        **dict(vocabulary()),
        tasks=list(tasks),
        losses=list(losses),
        presets=list(load_presets()),
        schema=_schema(),
        limits=limits(settings),
        host=own_host(settings),
    )


@functools.cache
def _entries() -> tuple[tuple[TaskEntry, ...], tuple[LossEntry, ...]]:
    tasks = tuple(
        TaskEntry(
            name=name,
            description=_first_paragraph(TASKS.get(name)),
            primary_metric=TASKS.get(name).primary_metric,
            target_kinds=sorted(TASKS.get(name).target_kinds),
            parameters=TASKS.get(name).Parameters.model_json_schema(),
        )
        for name in TASKS
    )
    losses = tuple(
        LossEntry(
            name=name,
            description=_first_paragraph(LOSSES.get(name)),
            target_kind=LOSSES.get(name).target_kind,
            target_kinds=[LOSSES.get(name).target_kind, *LOSSES.get(name).further_kinds],
            parameters=LOSSES.get(name).Parameters.model_json_schema(),
        )
        for name in LOSSES
    )
    return tasks, losses


@functools.cache
def _schema() -> dict[str, Any]:
    """Made once: it takes 40 ms of a core, and a class opens thirty pages at once."""
    return ExperimentSpec.model_json_schema()


def _first_paragraph(thing: type) -> str:
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n", 1)[0].split())
