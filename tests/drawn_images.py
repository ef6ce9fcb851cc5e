"""A folder of one's own images, as a person might have it: of several sizes, modes and formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("Stripes 2", "circles", "old_squares")


def draw(root: Path, each: int = 60) -> Path:
    """So many images of each class, every fifth one grey."""
    rng = np.random.default_rng(0)
    for kind, name in enumerate(CLASSES):
        (root / name / "more").mkdir(parents=True)
        for number in range(each):
            height, width = (int(side) for side in rng.integers(30, 90, 2))
            y, x = np.mgrid[:height, :width]
            inside = (
                (x // 6) % 2 == 0,
                (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2,
                (abs(x - width / 2) < width / 4) & (abs(y - height / 2) < height / 4),
            )[kind]
            colours = rng.integers(0, 256, (2, 3))
            image = Image.fromarray(np.where(inside[..., None], *colours).astype(np.uint8))
            folder = root / name / ("more" if number % 7 == 0 else "")
            image = image.convert("L") if number % 5 == 0 else image
            image.save(folder / f"{number}.{('png', 'jpg')[number % 2]}")
    return root
