"""Images as text that a page can show."""

import base64
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor


def png_data_url(pixels: UInt8[Tensor, "h w"], white: int = 255) -> str:
    """A grey image as a PNG in a ``data:`` URL; ``white`` is the pixel value of full white."""
    grey = np.rint(pixels.cpu().numpy().astype(np.float64) * (255 / white)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
