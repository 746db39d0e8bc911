"""The server's limits, all checked here, because requests need not come from the page."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from app.runs.files import without_paths
from app.settings import Settings
from newton_core.data import DatasetError
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import is_within_data_dir
from newton_core.training.devices import available_devices, check_device

MOST_WALKERS = 8
MOST_NOISE_SAMPLES = 100


@dataclass(frozen=True)
class LimitProblem:
    """A field of a spec that asks for more than this server gives.

    Attributes:
        path: of the field in the spec.
        message: what is wrong and what would be right.
    """

    path: tuple[str | int, ...]
    message: str


class Limits(BaseModel):
    """What this server computes at most."""

    max_steps: int
    max_arms: int
    max_outputs: int = Field(description="of one sample: ranked items, tiles of a map")
    max_batch_entries: int = Field(description="batch size times the square of the outputs")
    max_evaluations: int
    max_queue: int = Field(description="runs that wait")
    max_cells: int = Field(description="combinations of a sweep's grid times seeds")
    max_body_bytes: int
    run_seconds: float
    keepalive_seconds: float = Field(description="of silence until an event stream sends a ping")
    memory_mb: int
    devices: list[str] = Field(description="on which runs can compute")
    runs_per_visitor: int = Field(
        description="of one visitor that wait or are computed at a time; 0: no limit"
    )
    runs_per_minute: int = Field(description="of one address; 0: no limit")
    max_walkers: int = Field(MOST_WALKERS, description="walks in one answer")
    max_noise_samples: int = Field(MOST_NOISE_SAMPLES, description="paths in one answer")


def limits(settings: Settings) -> Limits:
    """The limits, for the page's form."""
    known = settings.model_dump(include=set(Limits.model_fields))
    return Limits(**known, devices=available_devices())


def check_limits(spec: ExperimentSpec, settings: Settings) -> list[LimitProblem]:
    """The fields of a valid spec that exceed a limit; empty if it can be run."""
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
    sample = spec.task.outputs_per_sample()
    outputs = sample.count
    if outputs > settings.max_outputs:
        most = settings.max_outputs
        refuse(
            ("task", *sample.parameter),
            f"{outputs} outputs a sample, at most {most} on this server",
        )
    elif spec.batch_size * outputs**2 > settings.max_batch_entries:
        most = settings.max_batch_entries // outputs**2
        refuse(("batch_size",), f"at most {most} on this server, with {outputs} outputs a sample")
    try:
        check_device(spec.device)
    except ValueError as error:
        refuse(("device",), str(error))
    own = {field: data for field, data in spec.task.datasets().items() if data.own_files}
    for field, data in own.items():
        folder = data.folder()
        if folder is not None and not is_within_data_dir(folder):
            refuse(
                ("task", field, "path"),
                "use a folder inside the folder 'own' of the server's data directory",
            )
    if own and not problems:
        try:
            spec.task.check_data()
        except (DatasetError, OSError) as error:
            refuse(("task", next(iter(own)), "path"), without_paths(str(error), settings))
    return problems
