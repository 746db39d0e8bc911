"""What this server computes: every limit is checked here, whatever the page lets through."""

from dataclasses import dataclass
from typing import Any

from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import is_within_data_dir
from newton_core.training.devices import check_device


@dataclass(frozen=True)
class LimitProblem:
    """A field of a spec that asks for more than this server gives.

    Attributes:
        path: of the field in the spec.
        message: what is wrong and what would be right.
    """

    path: tuple[str | int, ...]
    message: str


def limits(settings: Settings) -> dict[str, int | float]:
    """The limits, for the page's form."""
    names = (
        "max_steps",
        "max_arms",
        "max_outputs",
        "max_batch_entries",
        "max_evaluations",
        "max_queue",
        "max_body_bytes",
        "run_seconds",
        "memory_mb",
    )
    return {name: getattr(settings, name) for name in names}


def check_limits(spec: ExperimentSpec, settings: Settings) -> list[LimitProblem]:
    """Everything in a valid spec that this server does not do; empty if it can be run."""
    problems = []

    def refuse(path: tuple[str | int, ...], message: str) -> None:
        problems.append(LimitProblem(path, message))

    if spec.steps > settings.max_steps:
        refuse(("steps",), f"at most {settings.max_steps} steps on this server")
    if len(spec.arms) > settings.max_arms:
        refuse(("arms",), f"at most {settings.max_arms} arms on this server")
    for name in ("evaluate_every", "landscape_every"):
        every = getattr(spec, name)
        if every is not None and spec.steps // every > settings.max_evaluations:
            least = -(-spec.steps // settings.max_evaluations)
            refuse((name,), f"at least {least} on this server, for {spec.steps} steps")
    path, outputs = outputs_per_sample(spec.task)
    if outputs > settings.max_outputs:
        refuse(path, f"{outputs} outputs a sample, at most {settings.max_outputs} on this server")
    elif spec.batch_size * outputs**2 > settings.max_batch_entries:
        most = settings.max_batch_entries // outputs**2
        refuse(("batch_size",), f"at most {most} on this server, with {outputs} outputs a sample")
    try:
        check_device(spec.device)
    except ValueError as error:
        refuse(("device",), str(error))
    folder = getattr(getattr(spec.task, "data", None), "path", None)
    if folder is not None and not is_within_data_dir(folder):
        refuse(
            ("task", "data", "path"),
            "use a folder inside the folder 'own' of the server's data directory",
        )
    return problems


def outputs_per_sample(task: Any) -> tuple[tuple[str | int, ...], int]:
    """How many outputs curvature is taken of, and the field of the task that says so.

    1 where no parameter of the task makes them many.
    """
    if (n := getattr(task, "n", None)) is not None:
        return ("task", "n"), int(n)
    data = getattr(task, "data", None)
    height, width = (getattr(data, side, None) for side in ("height", "width"))
    if height is not None and width is not None:  # one output for each tile of a map
        return ("task", "data"), int(height) * int(width)
    if getattr(data, "name", "") == "warcraft":
        return ("task", "data", "size"), int(getattr(data, "size", None) or 12) ** 2
    return ("task",), 1
