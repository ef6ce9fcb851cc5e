"""Images that artifacts hold, as PNG files: one row of images a file, or a few rows where each is a sequence."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np

SHOWN, SEQUENCES = 8, 3  # images of a row; rows, where each is a sequence of images
EXAMPLES = "examples/"


class Album:
    """Files by name; what several artifacts hold, such as the clean images, is there once."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
        """What a page needs to show an artifact's images."""
        return [
            {"name": name.removeprefix(EXAMPLES)} | self._put(tiled(array))
            for name, array in arrays.items()
            if (name.startswith(EXAMPLES) or name == "samples") and array.dtype == np.uint8 and array.ndim in (4, 5)
        ]

    def _put(self, image: np.ndarray) -> dict[str, Any]:
        digest = hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest()[:16]
        if digest not in self._known:
            file = f"{self.folder}/{digest}.png"
            self.files[file] = png(image)
            self._known[digest] = {"file": file, "width": image.shape[1], "height": image.shape[0]}
        return self._known[digest]


def tiled(images: np.ndarray) -> np.ndarray:
    """[N, C, H, W] or [N, steps, C, H, W] as one image [height, width, C]."""
    rows = images[None, :SHOWN] if images.ndim == 4 else images[:SEQUENCES]
    count, length, channels, height, width = rows.shape
    return rows.transpose(0, 3, 1, 4, 2).reshape(count * height, length * width, channels)


def png(image: np.ndarray) -> bytes:
    """[height, width, 1 or 3] bytes as a file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
