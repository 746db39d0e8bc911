import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from newton_core.tasks.images import png_data_url, rgb_png_data_url


@pytest.mark.parametrize("white", [16, 255])
def test_round_trip(white: int) -> None:
    pixels = torch.randint(0, white + 1, (8, 32), dtype=torch.uint8)
    pixels[0, 0], pixels[0, 1] = 0, white
    url = png_data_url(pixels, white)
    prefix, encoded = url.split(",")
    assert prefix == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (32, 8))
    shown = np.asarray(image)
    assert np.array_equal(shown, np.rint(pixels.numpy() * (255 / white)))
    assert (shown[0, 0], shown[0, 1]) == (0, 255)


def test_colours_round_trip() -> None:
    pixels = torch.randint(0, 256, (3, 8, 32), dtype=torch.uint8)
    prefix, encoded = rgb_png_data_url(pixels).split(",")
    assert prefix == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 8))
    assert np.array_equal(np.asarray(image), pixels.permute(1, 2, 0))
