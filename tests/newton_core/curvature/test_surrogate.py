"""Curvature matrices: by their definitions, and consistent with the directions of training."""

import pytest
import torch

from newton_core.curvature import NewtonStep
from newton_core.curvature.surrogate import (
    NewtonSettings,
    apply_definiteness,
    curvature_matrices,
)
from newton_core.losses.base import Derivatives


def derivatives(N: int = 4, m: int = 3) -> Derivatives:
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(N, m, m, generator=generator, dtype=torch.float64)
    gradient = torch.randn(N, m, generator=generator, dtype=torch.float64)
    return Derivatives(torch.zeros(N, dtype=torch.float64), gradient, half + half.mT)


SETTINGS = [
    NewtonSettings(curvature="fisher", tikhonov=0.3),
    *(
        NewtonSettings(hessian=kind, definiteness=rule, tikhonov=0.3)
        for kind in ("batch_mean", "per_sample")
        for rule in ("raw", "clip", "saddle_free")
    ),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_damped_matrix_maps_the_direction_back_to_the_gradient(
    settings: NewtonSettings,
) -> None:
    d = derivatives()
    matrices = curvature_matrices(d, settings.step)
    assert matrices.shape == (4, 3, 3)
    back = torch.einsum("nij,nj->ni", matrices, settings.step.direction(d))
    torch.testing.assert_close(back + settings.tikhonov * settings.step.direction(d), d.gradient)


def test_the_fisher_is_the_mean_of_outer_products() -> None:
    d = derivatives()
    expected = sum(torch.outer(g, g) for g in d.gradient) / 4
    for matrix in curvature_matrices(d, NewtonStep("fisher")):
        torch.testing.assert_close(matrix, expected)


def test_definiteness_rules_on_a_known_spectrum() -> None:
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
    values = torch.tensor([-2.0, 0.0, 3.0], dtype=torch.float64)
    matrix = rotation @ torch.diag(values) @ rotation.T
    for rule, kept in (("raw", [-2.0, 0.0, 3.0]), ("clip", [0.0, 0.0, 3.0])):
        found = torch.linalg.eigvalsh(apply_definiteness(matrix, rule))
        torch.testing.assert_close(found, torch.tensor(kept, dtype=torch.float64))
    found = torch.linalg.eigvalsh(apply_definiteness(matrix, "saddle_free"))
    torch.testing.assert_close(found, torch.tensor([0.0, 2.0, 3.0], dtype=torch.float64))


def test_a_broken_matrix_breaks_alone() -> None:
    matrices = torch.eye(2, dtype=torch.float64).repeat(2, 1, 1)
    matrices[0, 0, 1] = torch.nan
    kept = apply_definiteness(matrices, "clip")
    assert kept[0].isnan().all()
    torch.testing.assert_close(kept[1], torch.eye(2, dtype=torch.float64))


def test_the_hessian_must_be_there() -> None:
    d = derivatives()
    with pytest.raises(ValueError, match="hessian=True"):
        curvature_matrices(Derivatives(d.value, d.gradient), NewtonStep())
