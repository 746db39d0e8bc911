"""What a run is called."""

from app.presets import get_preset
from app.runs.submission import new_run, preset_spec
from app.settings import Settings
from newton_core.experiment.spec import Change, ExperimentSpec

COLLAPSE = get_preset("collapse").title


def title(spec: ExperimentSpec) -> str:
    return new_run(spec, Settings()).title


def test_a_what_if_keeps_the_name_of_what_it_changes() -> None:
    spec = preset_spec("collapse")
    changes = (Change(step=10, arm=1, tikhonov=3.0), Change(step=60, arm=1, tikhonov=7.0))
    changed = spec.model_copy(update={"changes": changes, "seed": 3})
    assert title(changed) == f"{COLLAPSE}; Hessian with λ 7 from step 60"
    own = changed.model_copy(update={"batch_size": 9})
    assert title(own).startswith("ranking, neuralsort: Vanilla, Hessian, ")
    assert title(own).endswith("; Hessian with λ 7 from step 60")


def test_another_seed_of_a_preset_keeps_its_name() -> None:
    assert title(preset_spec("collapse").model_copy(update={"seed": 5})) == COLLAPSE
