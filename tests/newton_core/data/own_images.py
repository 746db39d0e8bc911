"""Writes small folders of images with a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def write_folder(folder: Path, values: Sequence[object], side: int = 10) -> Path:
    """Grey images 0.png, 1.png, ... and values.csv; image i is of the one level 10 + i."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,value"]
    for i, value in enumerate(values):
        pixels = np.full((side, side), (10 + i) % 256, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{value}")
    (folder / "values.csv").write_text("\n".join(lines) + "\n")
    return folder
