import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn
from torch.func import functional_call

from newton_core.models import (
    AnyModel,
    CnnParameters,
    ItemScorer,
    LeNet5Parameters,
    MlpParameters,
    ModelParameters,
    build_seeded,
)

SIZES = [(8, 8), (8, 32), (14, 14), (14, 56), (28, 28), (28, 112), (4, 4), (5, 9)]
MODELS = [
    MlpParameters(),
    CnnParameters(),
    LeNet5Parameters(),
    MlpParameters(hidden=()),
    MlpParameters(hidden=(7,)),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("parameters", MODELS)
def test_fits_every_image_size(parameters: ModelParameters, size: tuple[int, int]) -> None:
    classifier = build_seeded(parameters, size, 10, seed=0)
    assert classifier(torch.randn(3, 1, *size)).shape == (3, 10)
    scorer = ItemScorer(build_seeded(parameters, size, 1, seed=0))
    assert scorer(torch.randn(2, 5, 1, *size)).shape == (2, 5)


@pytest.mark.parametrize("parameters", MODELS[:2])
def test_items_are_scored_by_themselves(parameters: ModelParameters) -> None:
    scorer = ItemScorer(build_seeded(parameters, (8, 32), 1, seed=0))
    images = torch.randn(2, 3, 1, 8, 32)
    with torch.no_grad():
        together = scorer(images)
        for i in range(2):
            for j in range(3):
                alone = scorer.network(images[i, j].unsqueeze(0))
                torch.testing.assert_close(together[i, j], alone[0, 0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("parameters", MODELS[:2])
def test_functional_call_equals_the_module_with_those_weights(
    parameters: ModelParameters,
) -> None:
    model = ItemScorer(build_seeded(parameters, (8, 32), 1, seed=0))
    other = ItemScorer(build_seeded(parameters, (8, 32), 1, seed=1))
    images = torch.randn(2, 3, 1, 8, 32)
    weights = dict(other.named_parameters())
    assert torch.equal(functional_call(model, weights, (images,)), other(images))
    assert not torch.equal(model(images), other(images))


@pytest.mark.parametrize("parameters", MODELS[:2])
def test_weights_are_a_pure_function_of_the_seed(parameters: ModelParameters) -> None:
    def weights(seed: int) -> torch.Tensor:
        return nn.utils.parameters_to_vector(
            build_seeded(parameters, (8, 32), 1, seed).parameters()
        )

    torch.manual_seed(1)
    first = weights(3)
    torch.manual_seed(2)
    assert torch.equal(weights(3), first)
    assert not torch.equal(weights(4), first)


def test_global_random_numbers_are_left_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    build_seeded(CnnParameters(), (8, 32), 1, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_papers_cnn_layer_by_layer() -> None:
    network = CnnParameters().build(28, 112, 1)
    shapes = [tuple(p.shape) for p in network.parameters()]
    assert shapes == [
        (32, 1, 5, 5), (32,), (64, 32, 5, 5), (64,), (64, 64 * 7 * 28), (64,), (1, 64), (1,),
    ]  # fmt: skip


def test_mlp_layer_by_layer() -> None:
    network = MlpParameters(hidden=(128, 64), activation="tanh").build(8, 32, 1)
    kinds = [type(layer) for layer in network]
    assert kinds == [nn.Flatten, nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
    widths = [layer.weight.shape for layer in network if isinstance(layer, nn.Linear)]
    assert widths == [(128, 256), (64, 128), (1, 64)]


@pytest.mark.parametrize(
    ("activation", "kind"), [("relu", nn.ReLU), ("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid)]
)
def test_activations(activation: str, kind: type[nn.Module]) -> None:
    network = MlpParameters.model_validate({"activation": activation}).build(4, 4, 1)
    assert sum(isinstance(layer, kind) for layer in network) == 2


def test_the_cnn_refuses_images_that_vanish() -> None:
    with pytest.raises(ValueError, match="at least 4 x 4 pixels, got 3x8"):
        CnnParameters().build(3, 8, 1)


def test_parameters_are_told_apart_by_name() -> None:
    adapter: TypeAdapter[ModelParameters] = TypeAdapter(AnyModel)
    assert isinstance(adapter.validate_python({"name": "cnn"}), CnnParameters)
    assert adapter.validate_python({"name": "mlp", "hidden": [3]}) == MlpParameters(hidden=(3,))
    for bad in ({"name": "rnn"}, {"name": "mlp", "hidden": [0]}, {"name": "cnn", "hidden": [1]}):
        with pytest.raises(ValidationError):
            adapter.validate_python(bad)
