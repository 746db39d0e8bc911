import itertools
import math
from collections import Counter

import pytest
import torch

from newton_core.data import DatasetError, ImageDataset, LabelledImages, NumberPool, load_digits
from newton_core.data.compose import _distinct
from newton_core.seeding import generator

CPU = torch.device("cpu")


def _pool(digits: int = 4) -> NumberPool:
    dataset = load_digits()
    return NumberPool(dataset, dataset.train, digits, CPU)


def _digit_of_image() -> dict[bytes, set[int]]:
    labels: dict[bytes, set[int]] = {}
    train = load_digits().train
    for image, label in zip(train.pixels, train.labels.tolist(), strict=True):
        labels.setdefault(image.numpy().tobytes(), set()).add(label)
    return labels


@pytest.mark.parametrize("digits", [1, 2, 4, 6])
def test_the_parts_of_an_image_are_the_digits_of_its_value(digits: int) -> None:
    pool = _pool(digits)
    known = _digit_of_image()
    sets = pool.draw(generator(3, "test"), 20, 5)
    pixels, values = pool.pixels(sets), pool.values(sets)
    assert pixels.shape == (20, 5, 8, 8 * digits)
    for i, j in itertools.product(range(20), range(5)):
        text = f"{int(values[i, j]):0{digits}d}"
        for part, digit in enumerate(text):
            tile = pixels[i, j, :, 8 * part : 8 * (part + 1)].contiguous()
            assert int(digit) in known[tile.numpy().tobytes()]


def test_images_are_the_normalised_pixels() -> None:
    dataset, pool = load_digits(), _pool()
    sets = pool.draw(generator(0, "test"), 7, 3)
    images = pool.images(sets)
    assert images.shape == (7, 3, 1, 8, 32)
    assert pool.image_size == (8, 32)
    expected = dataset.normalise(pool.pixels(sets).flatten(0, 1)).view(7, 3, 1, 8, 32)
    assert torch.equal(images, expected)


def test_drawing_is_a_pure_function_of_the_generator() -> None:
    pool = _pool()
    one, same = (pool.draw(generator(0, "batch", 1), 10, 5) for _ in range(2))
    other = pool.draw(generator(0, "batch", 2), 10, 5)
    assert torch.equal(one.ids, same.ids)
    assert torch.equal(one.tiles, same.tiles)
    assert not torch.equal(one.ids, other.ids)


def test_slices_are_the_same_sets() -> None:
    pool = _pool()
    sets = pool.draw(generator(0, "test"), 9, 4)
    part = sets[2:5]
    assert len(sets) == 9
    assert len(part) == 3
    assert torch.equal(pool.images(part), pool.images(sets)[2:5])


@pytest.mark.parametrize(
    ("size", "n"), [(10, 10), (100, 32), (600, 32), (33, 2), (10_000, 32), (1, 1)]
)
def test_values_within_a_set_are_distinct(size: int, n: int) -> None:
    ids = _distinct(generator(0, "distinct"), size, 300, n)
    assert ids.shape == (300, n)
    assert int(ids.min()) >= 0
    assert int(ids.max()) < size
    assert all(len(set(row)) == n for row in ids.tolist())


@pytest.mark.parametrize(("size", "n"), [(4, 3), (40, 2)])  # shuffled, drawn again
def test_all_sets_are_equally_likely(size: int, n: int) -> None:
    draws = 60_000
    counts = Counter(map(tuple, _distinct(generator(1, "fair"), size, draws, n).tolist()))
    possible = math.perm(size, n)
    assert set(counts) <= set(itertools.permutations(range(size), n))
    expected = draws / possible
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    chi_square += expected * (possible - len(counts))
    # Chi-square has mean f and variance 2 f; beyond 4 deviations lies less than 0.1 %.
    freedom = possible - 1
    assert abs(chi_square - freedom) < 4 * math.sqrt(2 * freedom)


def test_every_image_of_a_class_is_used() -> None:
    pool = _pool(1)
    sets = pool.draw(generator(0, "all"), 5000, 5)
    assert len(sets.tiles.unique()) == len(load_digits().train)


def test_too_few_values() -> None:
    with pytest.raises(DatasetError, match="a set of 11 needs 11 different values, found 10"):
        _pool(1).draw(generator(0, "test"), 1, 11)


def _small(labels: list[int], values: list[float] | None = None, classes: int = 10) -> NumberPool:
    pixels = (
        torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1).expand(-1, 4, 6).contiguous()
    )
    part = LabelledImages(pixels, torch.tensor(labels))
    own = None if values is None else torch.tensor(values, dtype=torch.float64)
    dataset = ImageDataset(train=part, test=part, classes=classes, values=own)
    return NumberPool(dataset, part, 1, CPU)


def test_classes_without_images_are_never_drawn() -> None:
    pool = _small([4, 0, 4, 2, 2], values=[0.5, 1.0, 1.5, 2.0, 2.5], classes=5)
    assert pool.size == 3
    sets = pool.draw(generator(0, "test"), 50, 3)
    values = pool.values(sets)
    assert set(values.flatten().tolist()) == {0.5, 1.5, 2.5}
    assert torch.equal(sets.ids.argsort(), values.argsort())
    shown = {0: {1}, 1: {3, 4}, 2: {0, 2}}  # id -> the grey level that marks its images
    for id_, image in zip(
        sets.ids.flatten().tolist(), pool.pixels(sets).flatten(0, 1), strict=True
    ):
        assert int(image[0, 0]) in shown[id_]


def test_composed_numbers_need_every_digit() -> None:
    part = LabelledImages(torch.zeros(9, 2, 2, dtype=torch.uint8), torch.arange(9))
    dataset = ImageDataset(train=part, test=part)
    with pytest.raises(DatasetError, match="images of all 10 digits, found 9"):
        NumberPool(dataset, part, 4, CPU)


def test_images_without_contrast_stay_finite() -> None:
    part = LabelledImages(torch.full((3, 2, 2), 200, dtype=torch.uint8), torch.arange(3))
    dataset = ImageDataset(train=part, test=part, classes=3)
    assert torch.equal(dataset.normalise(part.pixels), torch.zeros(3, 2, 2))
