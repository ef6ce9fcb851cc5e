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

    images: torch.Tensor  # uint8 [N, C, H, W]
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
    import numpy as np
    import torch

    return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.as_tensor(labels, dtype=torch.int64))
