"""A multilayer perceptron on the pixels: the interactive default, a few milliseconds a step."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from newton_core.labels import Labels
from newton_core.models.base import ImageModelParameters
from newton_core.settings import setting

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class MlpParameters(ImageModelParameters):
    """A multilayer perceptron."""

    title = "Multilayer perceptron"
    name: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = setting(
        (128, 64), "Units in each hidden layer, from the pixels to the output.",
        title="Hidden layers", unit="units", max_length=8,
    )  # fmt: skip
    activation: Annotated[Literal["relu", "tanh", "sigmoid"], Labels(relu="ReLU")] = setting(
        "relu", "Nonlinearity after each hidden layer.", title="Activation"
    )

    def least_weights(self) -> int:
        """Those of a single pixel and a single output."""
        return sum((units + 1) * following for units, following in pairwise((1, *self.hidden, 1)))

    def build(self, height: int, width: int, outputs: int) -> nn.Sequential:
        """Linear layers with the activation between them: (N, 1, h, w) -> (N, outputs)."""
        layers: list[nn.Module] = [nn.Flatten()]
        units = height * width
        for hidden in self.hidden:
            layers += [nn.Linear(units, hidden), _ACTIVATIONS[self.activation]()]
            units = hidden
        layers.append(nn.Linear(units, outputs))
        return nn.Sequential(*layers)
