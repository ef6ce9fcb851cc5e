"""Images that artifacts hold, as PNG files: one row of images a file, or a few rows where each is a sequence."""

from __future__ import annotations

import hashlib
import struct
import zlib
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
    """[N, C, H, W] or [N, steps, C, H, W] as one image [height, width, 3]."""
    rows = images[None, :SHOWN] if images.ndim == 4 else images[:SEQUENCES]
    count, length, channels, height, width = rows.shape
    whole = rows.transpose(0, 3, 1, 4, 2).reshape(count * height, length * width, channels)
    return np.ascontiguousarray(whole if channels == 3 else whole[..., :1].repeat(3, 2))


def png(image: np.ndarray) -> bytes:
    """[height, width, 3] bytes as a file."""
    height, width, _ = image.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(lines.tobytes(), 6), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )
