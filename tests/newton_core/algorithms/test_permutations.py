import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from newton_core.algorithms import permutation_matrix
from newton_core.algorithms.permutations import check_permutations


def test_row_r_marks_the_r_th_smallest() -> None:
    matrix = permutation_matrix(torch.tensor([30.0, 10.0, 20.0]))
    assert matrix.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=5),
    st.sampled_from([torch.int16, torch.int64, torch.float32, torch.float64]),
)
def test_sorts_and_is_a_permutation(rows, dtype):
    values = torch.tensor(rows, dtype=dtype)
    matrix = permutation_matrix(values)
    assert (matrix.sum(1) == 1).all()
    assert (matrix.sum(2) == 1).all()
    sorted_values = (matrix @ values.to(matrix.dtype).unsqueeze(2)).squeeze(2)
    assert torch.equal(sorted_values, values.sort(1).values.to(matrix.dtype))


def test_ties_keep_their_order() -> None:
    assert torch.equal(permutation_matrix(torch.zeros(2, 5)), torch.eye(5).expand(2, 5, 5))


def test_any_number_of_batch_dimensions_and_non_contiguous_values() -> None:
    values = torch.randn(5, 6, 2).mT[..., ::2]
    matrix = permutation_matrix(values)
    assert matrix.shape == (5, 2, 3, 3)
    assert torch.equal(matrix[3, 1], permutation_matrix(values[3, 1].contiguous()))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.int64, torch.float32),
        (torch.uint8, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.float16, torch.float16),
    ],
)
def test_dtype(dtype, expected):
    assert permutation_matrix(torch.tensor([1, 0]).to(dtype)).dtype is expected


def test_infinite_values_have_a_rank_and_nan_has_none() -> None:
    matrix = permutation_matrix(torch.tensor([torch.inf, 0.0, -torch.inf]))
    assert matrix.argmax(1).tolist() == [2, 1, 0]
    with pytest.raises(ValueError, match="cannot rank NaN"):
        permutation_matrix(torch.tensor([0.0, torch.nan]))


@pytest.mark.parametrize("n", [2, 3, 5, 8, 33])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bfloat16, torch.float32, torch.float64])
def test_permutations_and_their_means_pass_the_check(n: int, dtype: torch.dtype) -> None:
    matrices = permutation_matrix(torch.randn(6, n))
    check_permutations(matrices.to(dtype), "target")
    check_permutations(matrices[:0].to(dtype), "target")
    check_permutations(matrices.mT.to(dtype), "target")  # laid out in another order
    if dtype.is_floating_point:
        check_permutations(((matrices[::2] + matrices[1::2]) / 2).to(dtype), "target")


@pytest.mark.parametrize("n", [2, 3, 5, 8, 33])
@pytest.mark.parametrize("wrong", [-1e-6, 0.5, 2.0, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("place", [(0, 0, 0), (3, 1, 0), (5, -1, -1)])
def test_one_wrong_entry_anywhere_is_refused(
    n: int, wrong: float, place: tuple[int, int, int]
) -> None:
    matrices = torch.eye(n).flip(1).repeat(6, 1, 1)
    matrices[place] = wrong
    for target in (matrices, matrices.double()):
        with pytest.raises(ValueError, match="is no permutation matrix"):
            check_permutations(target, "target")


@pytest.mark.parametrize("n", [2, 3, 5, 8, 33])
def test_sums_of_rows_and_of_columns_are_both_looked_at(n: int) -> None:
    twice = torch.eye(n).repeat(6, 1, 1)
    twice[4, 0] = twice[4, 1]  # rows sum to one, columns do not
    for target in (twice, twice.mT):
        with pytest.raises(ValueError, match="is no permutation matrix"):
            check_permutations(target, "target")
