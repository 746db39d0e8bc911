import pytest

from app.presets import UnknownPresetError, get_preset, load_presets
from newton_core.experiment.spec import ExperimentSpec

PRESETS = load_presets()
MEASURED = [preset for preset in PRESETS if preset.pace != "hours"]


@pytest.mark.parametrize("preset", MEASURED, ids=lambda preset: preset.name)
def test_each_preset_is_a_valid_spec_with_measured_expectations(preset):
    spec = ExperimentSpec.model_validate(preset.spec)
    labels = [arm.label for arm in spec.arms]
    assert preset.expect.baseline == labels[0]
    assert list(preset.expect.values) == labels
    assert [difference.arm for difference in preset.expect.differences] == labels[1:]
    for difference in preset.expect.differences:
        assert difference.low <= difference.mean <= difference.high
        values = preset.expect.values
        assert difference.mean == pytest.approx(
            values[difference.arm] - values[labels[0]], abs=1e-3
        )
    assert preset.expect.seeds >= 3
    assert preset.name in preset.expect.command


def test_the_paper_s_protocol_is_there_and_claims_nothing_that_was_not_measured() -> None:
    (preset,) = [preset for preset in PRESETS if preset.pace == "hours"]
    spec = ExperimentSpec.model_validate(preset.spec)
    maps = spec.task.data.train_maps
    epoch = -(-maps // 70)
    assert (spec.batch_size, spec.steps) == (70, 50 * epoch)
    assert {arm.lr_milestones for arm in spec.arms} == {(30 * epoch, 40 * epoch)}
    assert {(arm.optimizer, arm.lr) for arm in spec.arms} == {("adam", 5e-4)}
    assert spec.task.model.name == "resnet18_block"
    assert preset.expect.seeds == 0
    assert not preset.expect.values
    assert not preset.expect.differences


def test_names_and_orders_are_unique_and_the_default_shows_all_three_curvatures() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    assert len({preset.order for preset in PRESETS}) == len(PRESETS)
    arms = ExperimentSpec.model_validate(PRESETS[0].spec).arms
    assert {arm.curvature for arm in arms} == {"none", "hessian", "fisher"}


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownPresetError, match=PRESETS[0].name):
        get_preset("nothing")
