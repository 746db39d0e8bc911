"""Reads the images of a folder as grey levels of one size, alike for all of them.

Every image is rotated as its EXIF data say, converted to grey and stretched to the common size.
What eight bits cannot hold as it is depends on the whole folder and not on one image, so that
images stay comparable: the range of 16-bit and floating-point levels, and the background of
transparent images.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")

_BLACK_SHOWS = 4
"""Times the contrast on white at which a folder's transparent images are put on black."""

_BLANK = 4.0
"""Contrast (standard deviation of the grey levels) below which an image shows nothing."""

_SIXTEEN_BITS_A_COLOUR = ("RGB;16B", "RGBA;16B", "LA;16B")
"""Pillow reads the upper eight of these bits, of which 12-bit images leave four empty."""

_LEAST_OF_EIGHT_BITS = 64


def read_greys(
    paths: Sequence[Path], height: int, width: int, failed: Callable[[int, str], None]
) -> list[NDArray[np.uint8]]:
    """The images, (height, width) each, 0 is black; those that cannot be read are left out.

    Args:
        paths: of the image files.
        height: of every image, in pixels.
        width: of every image, in pixels.
        failed: told the position and the problem of each image that cannot be read.
    """
    folder = _Folder()
    greys: dict[int, NDArray[np.uint8]] = {}
    waiting: list[int] = []

    def read(i: int, to_grey: Callable[[Image.Image], Image.Image | None]) -> None:
        try:
            with _opened(paths[i]) as image:
                grey = to_grey(image)
        except UnidentifiedImageError:
            failed(i, f"is no image in one of the formats {', '.join(FORMATS)}")
            return
        except Exception as error:  # decoders of damaged files raise all kinds of errors
            failed(i, f"is no image that can be read ({error})")
            return
        if grey is None:
            waiting.append(i)
        else:
            greys[i] = np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR))

    for i in range(len(paths)):
        read(i, folder.look)
    for i in waiting.copy():
        read(i, folder.convert)
    return [greys[i] for i in sorted(greys)]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            coarse = any(str(tile.args).endswith(_SIXTEEN_BITS_A_COLOUR) for tile in image.tile)
            upright = ImageOps.exif_transpose(image)
            if coarse and 0 < np.asarray(upright.convert("L")).max() < _LEAST_OF_EIGHT_BITS:
                raise ValueError(
                    "it has 16 bits a colour and uses few of them: save it in grey, or with 8 bits"
                )
            yield upright


@dataclass
class _Range:
    """The lowest and the highest level of several images."""

    low: float = np.inf
    high: float = -np.inf

    def include(self, levels: NDArray[np.number]) -> None:
        self.low = min(self.low, float(levels.min()))
        self.high = max(self.high, float(levels.max()))

    def fills(self, low: float, high: float) -> bool:
        """Whether levels on a scale from ``low`` to ``high`` keep half of their grey levels.

        A single level has no range of its own and stays on the scale.
        """
        within = low <= self.low and self.high <= high
        return within and (self.low == self.high or self.high - self.low >= (high - low) / 2)

    def stretch(self, levels: NDArray[np.number]) -> NDArray[np.uint8]:
        """The lowest level becomes 0, the highest 255."""
        shares = (levels.astype(np.float64) - self.low) / ((self.high - self.low) or 1.0)
        return np.rint(255 * shares).astype(np.uint8)


@dataclass
class _Folder:
    """What must be known of all images before some of them can be converted."""

    whole: _Range = field(default_factory=_Range)
    real: _Range = field(default_factory=_Range)
    on_white: float = 0.0
    on_black: float = 0.0

    def look(self, image: Image.Image) -> Image.Image | None:
        """The grey image; None if that depends on the others, which includes it among them."""
        if _is_deep(image):
            range_, levels = self._range_and_levels(image)
            range_.include(levels)
            return None
        if not image.has_transparency_data:
            return image.convert("L")
        layer = image.convert("RGBA")
        if np.asarray(layer.getchannel("A")).min() == 255:  # opaque: no background is seen
            return layer.convert("L")
        self.on_white += _contrast(_on(layer, "white"))
        self.on_black += _contrast(_on(layer, "black"))
        return None

    def convert(self, image: Image.Image) -> Image.Image:
        """The grey image, once all have been looked at.

        The levels of 16-bit images stay on their scale if they use half of it, and so do
        floating-point ones from 0 to 1; otherwise the lowest level of the folder becomes black
        and the highest white. Transparent images are put on white, or on black if that shows far
        more of them; one that would show nothing is put on the other.
        """
        if not _is_deep(image):
            layer = image.convert("RGBA")
            black = self.on_black >= _BLACK_SHOWS * self.on_white and self.on_black > 0
            names = ("black", "white") if black else ("white", "black")
            chosen, other = (_on(layer, name) for name in names)
            return other if _contrast(chosen) < _BLANK < _contrast(other) else chosen
        range_, levels = self._range_and_levels(image)
        if range_ is self.whole and range_.fills(0.0, 65_535.0):
            return Image.fromarray((levels // 257).astype(np.uint8))
        if range_ is self.real and range_.fills(0.0, 1.0):
            return Image.fromarray(np.rint(255 * levels).astype(np.uint8))
        return Image.fromarray(range_.stretch(levels))

    def _range_and_levels(self, image: Image.Image) -> tuple[_Range, NDArray[np.number]]:
        levels = np.asarray(image)
        if image.mode == "F":
            if not np.isfinite(levels).all():
                raise ValueError("expected finite grey levels, found NaN or infinity")
            return self.real, levels
        if levels.min() < 0 or levels.max() > 65_535:
            raise ValueError("expected grey levels of at most 16 bits")
        return self.whole, levels


def _is_deep(image: Image.Image) -> bool:
    """Whether its levels are of 16 bits or floating-point: Pillow's own conversion clips those."""
    return image.mode == "F" or image.mode.startswith("I")


def _on(layer: Image.Image, background: str) -> Image.Image:
    """The grey image of a layer (RGBA) on a white or black background."""
    return Image.alpha_composite(Image.new("RGBA", layer.size, background), layer).convert("L")


def _contrast(grey: Image.Image) -> float:
    return float(np.asarray(grey).std())
