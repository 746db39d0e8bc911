"""Landscapes over weights: equal to direct evaluation, same model, exact shortcuts."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from newton_core.landscape import (
    Grid,
    ParameterFunction,
    ParameterPlane,
    PlaneError,
    evaluate_coarse_to_fine,
    filter_normalised_plane,
    line_landscape,
    model_weights,
    parameter_landscape,
    parameters,
)
from newton_core.tasks import Batch


def squared(y: Tensor, target: Tensor) -> Tensor:
    """One value per sample, nonlinear in y."""
    return (y.flatten(1) - target).square().sum(1)


class Reused(nn.Module):
    """Its first layer is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.last = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.layer(torch.tanh(self.layer(x.flatten(1)))))
        return out


class Tied(nn.Module):
    """Its first layer lends its weight to the last."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x.flatten(1))))[:, :2]


class Scaled(nn.Module):
    """A weight of its own comes before the first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6) / 2)
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(self.scale * x.flatten(1)).sin()
        return out


class Cubed(nn.Module):
    """A linear layer with this parametrisation is not linear in its parameter."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight**3


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)),
    "conv": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.MaxPool2d(2, padding=1), nn.Tanh(), nn.Flatten(), nn.LazyLinear(2)
    ),
    "batch_norm": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 2)
    ),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 2)),
    "reused": Reused,
    "tied": Tied,
    "scaled": Scaled,
    "parametrised": lambda: nn.Sequential(
        nn.Flatten(),
        parametrize.register_parametrization(nn.Linear(6, 5), "weight", Cubed()),
        nn.ReLU(),
        nn.Linear(5, 2),
    ),
}


def setup(name: str) -> tuple[nn.Module, Batch, ParameterPlane]:
    torch.manual_seed(0)
    model = NETWORKS[name]()
    inputs = torch.randn(4, 1, 2, 3)
    model(inputs)  # materialises lazy layers, moves batch statistics off their start
    batch = Batch(inputs, torch.randn(4, 2))
    return model, batch, filter_normalised_plane(model_weights(model), seed=1)


def directly(model: nn.Module, plane: ParameterPlane, batch: Batch, a: float, b: float) -> float:
    """The loss of a copy whose weights are overwritten: slow and obvious."""
    moved = copy.deepcopy(model).eval()
    with torch.no_grad():
        for name, parameter in moved.named_parameters():
            parameter.copy_(plane.origin[name] + a * plane.first[name] + b * plane.second[name])
        return squared(moved(batch.inputs), batch.target).mean().item()


@pytest.mark.parametrize("name", NETWORKS)
def test_values_equal_direct_evaluation_at_random_points_and_the_centre_exactly(
    name: str,
) -> None:
    model, batch, plane = setup(name)
    patch = parameter_landscape(model, plane, squared, batch, Grid(points=9, span=0.8))
    picks = torch.randint(9, (12, 2), generator=torch.Generator().manual_seed(2)).tolist()
    for j, i in picks:
        at = directly(model, plane, batch, patch.a[i].item(), patch.b[j].item())
        assert patch.values[j, i].item() == pytest.approx(at, rel=1e-5)
    assert patch.values[4, 4].item() == directly(model, plane, batch, 0.0, 0.0)
    assert patch.values.unique().numel() > 40, "the landscape varies"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_layer_is_shared_only_where_that_is_right(name: str) -> None:
    model, batch, plane = setup(name)
    layer = ParameterFunction(model, plane, squared, batch)._first_layer
    assert (layer is not None) == (name in {"mlp", "conv", "batch_norm", "linear"})


def test_with_and_without_the_shortcut_the_landscape_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, batch, plane = setup("conv")
    grid = Grid(points=7)
    fast = parameter_landscape(model, plane, squared, batch, grid)
    monkeypatch.setattr(parameters, "split_first_layer", lambda *_, **__: None)
    slow = parameter_landscape(model, plane, squared, batch, grid)
    torch.testing.assert_close(fast.values, slow.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "batch_norm", "conv"])
@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_bit_identical_after_a_slice(name: str, training: bool) -> None:
    model, batch, plane = setup(name)
    model.train(training)
    before = copy.deepcopy(model.state_dict())
    requires = [p.requires_grad for p in model.parameters()]
    parameter_landscape(model, plane, squared, batch, Grid(points=5))
    line_landscape(model, plane.origin, plane.first, squared, batch, points=5)
    after = model.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]), key
    assert [p.requires_grad for p in model.parameters()] == requires
    assert all(p.grad is None for p in model.parameters())
    assert all(module.training == training for module in model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_landscape_around_other_weights_than_the_models() -> None:
    model, batch, plane = setup("mlp")
    elsewhere = {name: value + 0.1 for name, value in plane.origin.items()}
    patch = parameter_landscape(model, plane.around(elsewhere), squared, batch, Grid(points=3))
    moved = ParameterPlane("arms", elsewhere, plane.first, plane.second)
    assert patch.values[1, 1].item() == directly(model, moved, batch, 0, 0)
    assert patch.values[2, 0].item() == pytest.approx(
        directly(model, moved, batch, -1, 1), rel=1e-5
    )


def test_float64_networks_keep_their_precision() -> None:
    model, batch, _ = setup("mlp")
    model = model.double()
    assert batch.target is not None
    batch = Batch(batch.inputs.double(), batch.target.double())
    plane = filter_normalised_plane(model_weights(model), seed=1)
    patch = parameter_landscape(model, plane, squared, batch, Grid(points=5))
    at = directly(model, plane, batch, patch.a[0].item(), patch.b[3].item())
    assert patch.values[3, 0].item() == pytest.approx(at, rel=1e-13)


def test_non_finite_losses_are_values_not_errors() -> None:
    model, batch, plane = setup("mlp")
    patch = parameter_landscape(
        model, plane, lambda y, t: (squared(y, t) * 100).exp().exp(), batch, Grid(points=5)
    )
    assert not torch.isfinite(patch.values).all()


def test_small_chunks_change_nothing() -> None:
    model, batch, plane = setup("mlp")
    function = ParameterFunction(model, plane, squared, batch)
    whole = [patch.values for patch in evaluate_coarse_to_fine(function, Grid(points=9))]
    function.chunk = 1
    single = [patch.values for patch in evaluate_coarse_to_fine(function, Grid(points=9))]
    for one, other in zip(whole, single, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_a_sampled_loss_has_the_same_noise_at_every_point() -> None:
    class Noisy(nn.Module):
        generator = torch.Generator().manual_seed(7)

        def forward(self, y: Tensor, target: Tensor) -> Tensor:
            noise = torch.randn(y.shape, generator=self.generator)
            return squared(y + noise, target)

    model, batch, plane = setup("mlp")
    loss = Noisy()
    state = loss.generator.get_state()
    patch = parameter_landscape(model, plane, loss, batch, Grid(points=5))
    assert torch.equal(loss.generator.get_state(), state), "the generator is left as it was"
    noise = torch.randn(4, 2, generator=torch.Generator().manual_seed(7))
    still = parameter_landscape(
        model, plane, lambda y, t: squared(y + noise.repeat(len(y) // 4, 1), t), batch,
        Grid(points=5),
    )  # fmt: skip
    torch.testing.assert_close(patch.values, still.values, rtol=1e-5, atol=1e-6)


def test_a_plane_of_another_model_is_refused() -> None:
    model, batch, _ = setup("mlp")
    _, _, other = setup("conv")
    with pytest.raises(PlaneError, match=r"origin does not fit the model: 0\.bias"):
        parameter_landscape(model, other, squared, batch, Grid(points=3))


def test_the_line_between_two_models() -> None:
    model, batch, plane = setup("mlp")
    end = {name: value + plane.first[name] for name, value in plane.origin.items()}
    line = line_landscape(model, plane.origin, end, squared, batch, points=11, margin=0.25)
    assert line.t[0] == -0.25
    assert line.t[-1] == 1.25
    assert line.values[line.t == 0].item() == directly(model, plane, batch, 0, 0)
    ending = ParameterPlane("line", end, plane.first, plane.second)
    assert line.values[line.t == 1].item() == directly(model, ending, batch, 0, 0)
    for t, value in zip(line.t.tolist(), line.values.tolist(), strict=True):
        assert value == pytest.approx(directly(model, plane, batch, t, 0), rel=1e-5)


def test_the_barrier_is_what_rises_over_the_chord() -> None:
    model = nn.Linear(1, 1, bias=False)
    batch = Batch(torch.ones(1, 1), torch.zeros(1))
    start, end = {"weight": torch.tensor([[-1.0]])}, {"weight": torch.tensor([[2.0]])}

    def hill(y: Tensor, target: Tensor) -> Tensor:
        return -y[:, 0].square() + target

    line = line_landscape(model, start, end, hill, batch, points=151, margin=0.25)
    # from -1 (at -1) to -4 (at 2): the parabola is farthest above its chord in the middle
    assert line.barrier == pytest.approx(1.5**2, abs=1e-3)
    valley = line_landscape(model, start, end, lambda y, t: -hill(y, t), batch, points=51)
    assert valley.barrier == 0
