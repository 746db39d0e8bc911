import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from newton_core.algorithms import permutation_matrix


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
