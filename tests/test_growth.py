"""Exponents of growth, and sizes that are left out."""

import math

import pytest
import torch

from benchmarks.growth import MOST_MEGABYTES, Growth, Line, exponent, measure, page
from benchmarks.memory import peak_megabytes
from benchmarks.pairs import Call

needs_proc = pytest.mark.skipif(
    peak_megabytes(lambda: None) is None, reason="memory is measured on Linux alone"
)


def test_exponents_are_those_of_the_largest_sizes() -> None:
    sizes = [1, 2, 4, 8, 16]
    assert exponent(sizes, [7.0, 7.0, 16.0, 64.0, 256.0]) == pytest.approx(2)
    assert exponent([4], [1.0]) is None


@needs_proc
def test_memory_is_what_a_call_takes_at_its_height() -> None:
    found = peak_megabytes(lambda: torch.ones(8 * 2**20).sum())
    assert found == pytest.approx(32, abs=8)


@needs_proc
def test_a_size_that_would_take_too_much_is_named_and_does_not_run() -> None:
    ran = []

    def build(size: int) -> Call:
        ran.append(size)
        return lambda: torch.ones(size, 2**18)

    too_much = 2 * MOST_MEGABYTES
    found = measure(Line("ones", "n", (16, 32, too_much), build))
    assert ran == [16, 16, 32]
    assert found.sizes == [16, 32]
    assert found.not_run.startswith(f"n = {too_much:,}: some 1")  # 16 GB and some pages
    assert " GB, " in found.not_run


def test_the_page_shows_exponents_where_they_can_be_told() -> None:
    one = Growth("a step", "n", [2, 4, 8], [1.0, 8.0, 64.0], [0.0, 0.0, math.pi], "")
    assert "| a step | n | 8 | 64 | n^3.0 | 3.14 |  |  |" in page([one])
