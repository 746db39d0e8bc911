"""Drawing terrain as an RGB map: irregular borders, relief, shadows and shores."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from newton_core.data.terrain_textures import SIDE, WATER, seamless_noise, textures

TILE = 8
"""Pixels along each side of a tile."""

_LIFT = np.array(
    [0.15, 0.2, 0.6, -0.5, 1.0], np.float32
)  # elevation of each ground, for light and shadow
_FOAM = np.array((206, 232, 240), np.float32)
_MAPS_PER_CHUNK = 16  # their intermediate images stay in cache


def draw_terrain(ground: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """RGB images (M, 3, h TILE, w TILE) of maps whose tiles are ``ground`` (M, h, w).

    Ground is numbered as in ``terrain_textures``. Borders are irregular, but they stay in the outer
    half of each tile: its centre always shows its own ground.
    """
    count, height, width = ground.shape
    offsets = random.integers(0, SIDE, (2, count))  # which part of the textures each map shows
    images = np.empty((count, 3, height * TILE, width * TILE), np.uint8)
    for first in range(0, count, _MAPS_PER_CHUNK):
        part = slice(first, first + _MAPS_PER_CHUNK)
        images[part] = _draw(ground[part], offsets[:, part])
    return images


def pixel_ground(
    ground: NDArray[np.uint8], texel: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The ground that each pixel shows (M, H, W), and its share of every ground (M, 5, H, W).

    Args:
        ground: (M, h, w) of the tiles.
        texel: (M, H, W) index of each pixel in the textures; it selects the borders' irregularity.
    """
    shares = _shares(ground)
    kind = np.zeros(texel.shape, np.intp)
    best = np.full(texel.shape, -np.inf, np.float32)
    for i, wander in enumerate(_wander()):
        score = shares[:, i] + wander.take(texel)
        better = score > best
        np.copyto(best, score, where=better)
        kind[better] = i
    return kind, shares


def _draw(ground: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    texel = _texels(ground.shape[1] * TILE, ground.shape[2] * TILE, offsets)
    kind, shares = pixel_ground(ground, texel)
    surface = np.zeros(texel.shape, np.float32)
    for i, lift in enumerate(_LIFT):
        surface += lift * shares[:, i]

    # The surface interpolates the tiles' elevations and is lit from the north-west.
    light = np.ones_like(surface)
    light[:, 1:, 1:] += 0.55 * (surface[:, 1:, 1:] - surface[:, :-1, :-1]).clip(-0.3, 0.3)
    water = kind == WATER
    stands = _LIFT.take(kind)
    for reach, strength in ((1, 0.22), (2, 0.12)):  # shadows of higher ground
        shadow = stands[:, :-reach, :-reach] > stands[:, reach:, reach:] + 0.3
        shadow &= ~water[:, reach:, reach:]
        light[:, reach:, reach:][shadow] *= 1 - strength
    depth = (2 * shares[:, WATER] - 1).clip(0, 1)
    np.copyto(light, light * (1.08 - 0.26 * depth), where=water)

    shore = water & _touches(~water)
    texel += kind * SIDE**2
    image = np.empty((len(ground), 3, *texel.shape[1:]), np.uint8)
    for channel, (palette, foam) in enumerate(zip(textures(), _FOAM, strict=True)):
        colour = palette.take(texel)
        colour *= light
        np.copyto(colour, 0.35 * colour + 0.65 * foam, where=shore)
        image[:, channel] = colour.clip(0, 255, out=colour)
    return image


def _texels(height: int, width: int, offsets: NDArray[np.int64]) -> NDArray[np.intp]:
    """(M, H, W) index into a texture of SIDE x SIDE, from one (row, column) offset per map."""
    rows = (offsets[0][:, None] + np.arange(height)) % SIDE
    columns = (offsets[1][:, None] + np.arange(width)) % SIDE
    return np.asarray(rows[:, :, None] * SIDE + columns[:, None, :], np.intp)


def _shares(ground: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(M, 5, H, W): share of each ground in a pixel, interpolated between the tiles' centres."""
    each = ground[:, None] == np.arange(5, dtype=np.uint8)[:, None, None]
    stretched = interpolate(
        torch.from_numpy(each).float(), scale_factor=TILE, mode="bilinear", align_corners=False
    )
    return np.asarray(stretched.numpy())


@lru_cache(maxsize=1)
def _wander() -> NDArray[np.float32]:
    """(5, SIDE, SIDE) noise that is added to the shares to make borders irregular.

    It is bounded, because the four pixels in the middle of a tile must show its own ground: their
    share of it is at least 0.87, and at most 0.13 of any other.
    """
    random = np.random.default_rng(11)
    noise = [
        0.16 * seamless_noise(random, SIDE / 12) + 0.1 * seamless_noise(random, SIDE / 4)
        for _ in range(5)
    ]
    return np.stack(noise).clip(-0.37, 0.37).astype(np.float32)


def _touches(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels with a pixel of the mask above, below, to the left or to the right."""
    touches = np.zeros_like(mask)
    touches[:, 1:] |= mask[:, :-1]
    touches[:, :-1] |= mask[:, 1:]
    touches[:, :, 1:] |= mask[:, :, :-1]
    touches[:, :, :-1] |= mask[:, :, 1:]
    return touches
