"""LeNet-5, the network of the paper's control that stayed at chance with sigmoids."""

from typing import Annotated, Literal

from torch import nn

from newton_core.labels import Labels
from newton_core.models.base import ImageModelParameters
from newton_core.settings import setting

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


class LeNet5Parameters(ImageModelParameters):
    """LeNet-5 (LeCun et al. 1998), for images of any size."""

    title = "LeNet-5"
    name: Literal["lenet5"] = "lenet5"
    activation: Annotated[Literal["tanh", "sigmoid", "relu"], Labels(relu="ReLU")] = setting(
        "tanh",
        "Nonlinearity after each layer; with sigmoids plain SGD hardly leaves chance, because four"
        " of them in a row leave little of a gradient.",
        title="Activation",
    )

    def build(self, height: int, width: int, outputs: int) -> nn.Sequential:
        """conv5x5(6) - pool - conv5x5(16) - pool - fc120 - fc84 - fc: (N, 1, h, w) -> (N, outputs).

        Pooling averages. Both convolutions keep the size (padding 2), so that small images have
        something left behind them; the original's second one has no padding.

        Raises:
            ValueError: the image is smaller than 4 x 4 pixels, nothing would be left of it.
        """
        if height < 4 or width < 4:
            raise ValueError(f"lenet5 needs images of at least 4 x 4 pixels, got {height}x{width}")
        act = _ACTIVATIONS[self.activation]
        return nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            act(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5, padding=2),
            act(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * (height // 4) * (width // 4), 120),
            act(),
            nn.Linear(120, 84),
            act(),
            nn.Linear(84, outputs),
        )
