import numpy as np
import pytest
import torch

from newton_core.data import DigitImagesParameters, DigitsParameters, load_digits
from newton_core.data import digits as digits_module


def _as_set(pixels: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in pixels}


def test_parts_share_no_image_and_hold_all() -> None:
    digits = load_digits()
    assert len(digits.train) + len(digits.test) == 1797
    assert not _as_set(digits.train.pixels) & _as_set(digits.test.pixels)
    assert digits.train.pixels.shape[1:] == (8, 8)
    assert digits.train.pixels.dtype == torch.uint8
    assert int(digits.train.pixels.max()) == digits.white == 16


def test_every_class_gives_a_fifth_to_the_test() -> None:
    digits = load_digits()
    train, test = digits.train.labels.bincount(), digits.test.labels.bincount()
    assert len(train) == len(test) == digits.classes == 10
    share = test / (train + test)
    assert bool(((share - 0.2).abs() < 0.003).all())


def test_labels_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits as original

    bunch = original()
    label_of = {
        image.astype("uint8").tobytes(): label
        for image, label in zip(bunch.images, bunch.target, strict=True)
    }
    digits = load_digits()
    for part in (digits.train, digits.test):
        expected = [label_of[image.numpy().tobytes()] for image in part.pixels]
        assert part.labels.tolist() == expected


def test_split_is_not_touched_by_the_global_seed() -> None:
    first = load_digits()
    load_digits.cache_clear()
    torch.manual_seed(7)
    second = load_digits()
    assert torch.equal(first.test.pixels, second.test.pixels)
    assert torch.equal(first.train.labels, second.train.labels)


def test_loaded_once() -> None:
    assert DigitsParameters().load() is DigitImagesParameters().load()


def test_normalised_training_pixels_have_mean_0_and_deviation_1() -> None:
    digits = load_digits()
    before = digits.train.pixels.clone()
    normalised = digits.normalise(digits.train.pixels)
    assert normalised.dtype == torch.float32
    assert abs(normalised.double().mean().item()) < 1e-6
    assert abs(normalised.double().std(correction=0).item() - 1) < 1e-6
    scaled = (digits.test.pixels.double() / 16 - (digits.train.pixels.double() / 16).mean()) / (
        digits.train.pixels.double() / 16
    ).std(correction=0)
    torch.testing.assert_close(
        digits.normalise(digits.test.pixels).double(), scaled, atol=1e-6, rtol=0
    )
    assert torch.equal(digits.train.pixels, before)


def test_number_parameters() -> None:
    assert DigitsParameters().digits == 4
    assert DigitsParameters(digits=2).parts() == 2
    assert DigitImagesParameters().parts() == 1


def test_scikit_learns_loader_gives_the_same_where_its_file_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    direct = digits_module._read_table()
    monkeypatch.setattr(digits_module, "find_spec", lambda _name: None)
    assert np.array_equal(digits_module._read_table(), direct)
