"""photos10: crops of photographs that ship with scikit-image and scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from autoencoders.data import files
from autoencoders.data.dataset import Raw, as_split
from autoencoders.data.sources import PHOTOS


def read_photos10(root: Path) -> Raw:
    """10,000 and 2,000 crops of 32×32 from ten photographs; the photograph is the class."""
    return _photo_crops(32)


def read_photos10_64(root: Path) -> Raw:
    """5,000 and 1,000 crops of 64×64 from ten photographs; the photograph is the class."""
    return _photo_crops(64)


def read_photos10_96(root: Path) -> Raw:
    """3,330 and 660 crops of 96×96 from ten photographs; the photograph is the class."""
    return _photo_crops(96)


def _photo_crops(size: int) -> Raw:
    """Train and test crops share no pixel. Crops within each of them overlap, so validation crops resemble training."""
    rng = np.random.default_rng(0)
    cell = min(2 * size, 144)  # the smallest photograph has 300 rows: two cells
    sides = (size, cell * 5 // 6)
    train, test = [], []
    for package, path in PHOTOS.values():
        with Image.open(files.shipped(package, path)) as file:
            # Whole factors average disjoint blocks: large photographs shrink without mixing regions
            photo = file.convert("RGB").reduce(max(1, min(file.size) // 400))
        held_out = _held_out(photo.height, photo.width, cell)
        train.append(_crops(photo, _windows(~held_out, sides, 32_000 // size, rng), size, rng))
        test.append(_crops(photo, _windows(held_out, sides, 6_400 // size, rng), size, rng))
    labels = np.arange(len(PHOTOS))
    return Raw(
        as_split(np.concatenate(train), labels.repeat(len(train[0]))),
        as_split(np.concatenate(test), labels.repeat(len(test[0]))),
        tuple(PHOTOS),
    )


def _held_out(height: int, width: int, cell: int) -> np.ndarray:
    """Which pixels are for testing: every fifth cell of a grid, scattered over the whole photograph."""
    rows, columns = height // cell, width // cell
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (column[None, :] + 2 * row[:, None]) % 5 == 1


def _windows(allowed: np.ndarray, sides: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` random squares (top, left, side) of allowed pixels only."""
    height, width = allowed.shape
    area = np.pad(allowed.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)  # allowed pixels above and left
    windows = np.empty((0, 3), np.int64)
    while len(windows) < count:
        side = rng.integers(*sides, 8 * count, endpoint=True)
        top, left = rng.integers(height - side, endpoint=True), rng.integers(width - side, endpoint=True)
        bottom, right = top + side, left + side
        inside = area[bottom, right] - area[top, right] - area[bottom, left] + area[top, left]
        windows = np.concatenate([windows, np.stack([top, left, side], axis=1)[inside == side**2]])
    return windows[:count]


def _crops(photo: Any, windows: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The windows at ``size``, every other one mirrored. Cut first, then scaled: no pixel from outside leaks in."""
    crops = np.stack(
        [
            photo.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)
            for top, left, side in windows.tolist()
        ]
    )
    mirrored = rng.random(len(crops)) < 0.5
    crops[mirrored] = crops[mirrored, :, ::-1]
    return crops
