"""Seamless textures of the ground of generated maps: sand, grass, forest, water and rock."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAND, GRASS, FOREST, WATER, ROCK = range(5)
SIDE = 128
"""Pixels after which a texture repeats, in both directions."""

Pixels = NDArray[np.float32]
Random = np.random.Generator


@lru_cache(maxsize=1)
def textures() -> Pixels:
    """(3, 5, SIDE, SIDE): red, green and blue from 0 to 255 of SAND, GRASS, FOREST, WATER, ROCK."""
    random = np.random.default_rng(7)
    draw: list[Callable[[Random], Pixels]] = [_sand, _grass, _forest, _water, _rock]
    drawn = np.stack([texture(random) for texture in draw]).clip(0, 255)
    return np.ascontiguousarray(drawn.transpose(3, 0, 1, 2))


def seamless_noise(random: Random, detail: float) -> Pixels:
    """(SIDE, SIDE) smooth periodic noise, mean 0 and deviation 1; ``detail`` in waves per side."""
    frequency = np.fft.fftfreq(SIDE) * SIDE
    radius = np.hypot(frequency[:, None], frequency[None])
    spectrum = np.fft.fft2(random.standard_normal((SIDE, SIDE))) * np.exp(-((radius / detail) ** 2))
    noise = np.fft.ifft2(spectrum).real
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def _rgb(red: int, green: int, blue: int) -> Pixels:
    return np.array((red, green, blue), np.float32)


def _ground(random: Random, colour: Pixels, fine: float, coarse: float) -> Pixels:
    """One colour with fine and coarse relative variations."""
    shade = 1 + fine * seamless_noise(random, SIDE / 6) + coarse * seamless_noise(random, SIDE / 25)
    return np.asarray(colour * shade[:, :, None], np.float32)


def _scattered(random: Random, step: int, spread: float) -> Iterator[tuple[int, int]]:
    """Positions on staggered rows ``step`` apart, each moved by up to ``spread``; row by row."""
    for i, row in enumerate(range(0, SIDE, step)):
        for column in range(0, SIDE, step):
            dy, dx = random.uniform(-spread, spread, 2)
            yield round(row + dy) % SIDE, round(column + (i % 2) * step / 2 + dx) % SIDE


def _around(row: int, column: int, reach: int) -> tuple[NDArray[np.intp], ...]:
    """Index of the square of ``reach`` pixels around a position; it wraps around the edges."""
    span = np.arange(-reach, reach + 1)
    return np.ix_((row + span) % SIDE, (column + span) % SIDE)


def _sand(random: Random) -> Pixels:
    pixels = _ground(random, _rgb(228, 206, 152), fine=0.02, coarse=0.03)
    grain = random.random((SIDE, SIDE))
    pixels[grain < 0.035] *= 0.86
    pixels[grain > 0.98] = 0.6 * pixels[grain > 0.98] + _rgb(102, 99, 90)
    return pixels


def _grass(random: Random) -> Pixels:
    pixels = _ground(random, _rgb(146, 186, 92), fine=0.035, coarse=0.06)
    for row, column in _scattered(random, 7, spread=3.0):
        if random.random() < 0.6:
            colour = _rgb(104, 150, 66) if random.random() < 0.8 else _rgb(180, 208, 110)
            for dy, dx in ((0, 0), (-1, -1), (-1, 1)):  # a tuft
                pixels[(row + dy) % SIDE, (column + dx) % SIDE] = colour
    return pixels


def _forest(random: Random) -> Pixels:
    """Round tree tops with shadows, lit from the north-west."""
    pixels = _ground(random, _rgb(44, 82, 50), fine=0.05, coarse=0.05)
    dy, dx = np.mgrid[-4:5, -4:5].astype(np.float32)
    distance = np.hypot(dy, dx)
    for row, column in _scattered(random, 5, spread=1.5):
        radius = random.uniform(2.4, 3.3)
        inside = (radius - distance + 0.5).clip(0, 1)[:, :, None]
        light = ((-dy - dx) / (2.2 * radius)).clip(-1, 1)[:, :, None]
        top = _rgb(66, 118, 62) * random.uniform(0.88, 1.12) * (1 + 0.38 * light)
        below = _around(row + 1, column + 1, 4)
        pixels[below] += 0.75 * inside * (_rgb(24, 50, 34) - pixels[below])
        here = _around(row, column, 4)
        pixels[here] += inside * (top - pixels[here])
    return pixels


def _water(random: Random) -> Pixels:
    pixels = _ground(random, _rgb(70, 130, 180), fine=0.03, coarse=0.05)
    crest = _rgb(190, 222, 238)
    for row, column in _scattered(random, 8, spread=3.0):
        if random.random() < 0.55:
            length = int(random.integers(4, 7))
            for k in range(length):
                at = (row - (0 < k < length - 1)) % SIDE, (column + k) % SIDE
                pixels[at] += 0.55 * (crest - pixels[at])
    return pixels


def _rock(random: Random) -> Pixels:
    """Ridged cones as peaks, the high ones with snow, lit from the north-west."""
    rough = seamless_noise(random, SIDE / 8)
    height = 0.6 * rough
    dy, dx = np.mgrid[-8:9, -8:9].astype(np.float32)
    angle, distance = np.arctan2(dy, dx), np.hypot(dy, dx)
    for row, column in _scattered(random, 8, spread=2.2):
        ridges = int(random.integers(3, 5)) * angle + random.uniform(0, 2 * np.pi)
        cone = random.uniform(4.5, 7.5) - 1.05 * distance * (1 + 0.22 * np.cos(ridges))
        here = _around(row, column, 8)
        height[here] = np.maximum(height[here], cone + 0.35 * rough[here])
    slope_y, slope_x = (
        (np.roll(height, -1, axis) - np.roll(height, 1, axis)) / 2 for axis in (0, 1)
    )
    light = (slope_x + 0.55 * slope_y).clip(-1.4, 1.2)[:, :, None]
    snow = ((height - 3.6) / 1.2).clip(0, 1)[:, :, None]
    stone = _rgb(140, 128, 116) * (1 + 0.06 * rough[:, :, None])
    ground = stone + snow * (_rgb(242, 244, 248) - stone)
    return np.asarray(ground * (1 + 0.34 * light), np.float32)
