"""What a data set is, from its files' content to its splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes."""

    images: torch.Tensor  # uint8 [N, C, H, W], in memory [N, H, W, C]: so a training takes them as they are
    labels: torch.Tensor  # int64 [N]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Raw:
    """What the files hold, before anything is set aside for validation."""

    train: Split
    test: Split
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an experiment works with; its three splits share no image."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    fingerprint: str


def as_split(images: np.ndarray, labels: Any) -> Split:
    """Of images [N, H, W, C]."""
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return Split(pixels, torch.as_tensor(labels, dtype=torch.int64))


def part_of(split: Split, positions: np.ndarray) -> Split:
    pixels = split.images.permute(0, 2, 3, 1)[positions]
    return Split(pixels.permute(0, 3, 1, 2), split.labels[positions])
