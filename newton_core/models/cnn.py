"""The convolutional network that the literature ranks multi-digit MNIST numbers with."""

from typing import Literal

from torch import nn

from newton_core.models.base import ImageModelParameters


class CnnParameters(ImageModelParameters):
    """Two convolutions and two linear layers, as in the paper."""

    title = "Convolutional, as in the paper"
    name: Literal["cnn"] = "cnn"

    def build(self, height: int, width: int, outputs: int) -> nn.Sequential:
        """conv5x5(32) - pool - conv5x5(64) - pool - fc64 - fc: (N, 1, h, w) -> (N, outputs).

        The convolutions keep the size (padding 2) and each max pooling halves it, rounding down,
        so that only the first linear layer depends on the image: 64 * (h // 4) * (w // 4) inputs,
        12,544 for 28 x 112 pixels, 1,024 for 8 x 32.

        Raises:
            ValueError: the image is smaller than 4 x 4 pixels, nothing would be left of it.
        """
        if height < 4 or width < 4:
            raise ValueError(f"the cnn needs images of at least 4 x 4 pixels, got {height}x{width}")
        return nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * (height // 4) * (width // 4), 64),
            nn.ReLU(),
            nn.Linear(64, outputs),
        )
