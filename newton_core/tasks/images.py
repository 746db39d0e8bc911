"""Images as text that a page can show."""

import base64
import io

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor


def png_data_url(pixels: UInt8[Tensor, "h w"], white: int = 255) -> str:
    """A grey image as a PNG in a ``data:`` URL; ``white`` is the pixel value of full white."""
    grey = np.rint(pixels.cpu().numpy().astype(np.float64) * (255 / white)).astype(np.uint8)
    return _as_url(Image.fromarray(grey))


def rgb_png_data_url(pixels: UInt8[Tensor, "3 h w"]) -> str:
    """A colour image as a PNG in a ``data:`` URL."""
    return _as_url(Image.fromarray(np.ascontiguousarray(pixels.cpu().numpy().transpose(1, 2, 0))))


def grey(picture: Float[Tensor, "h w"]) -> UInt8[Tensor, "h w"]:
    """Black at 0, white at 1, what lies beyond cut off."""
    return (picture.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8)


def _as_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
