"""A data set as plain arrays, to be kept and memory-mapped, and back; neither way copies an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autoencoders.data.kinds import Dataset, Split

if TYPE_CHECKING:
    import numpy as np


def packed(dataset: Dataset) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays = {}
    for name in ("train", "validation", "test"):
        part: Split = getattr(dataset, name)
        arrays[f"{name}-images"] = part.images.permute(0, 2, 3, 1).numpy()
        arrays[f"{name}-labels"] = part.labels.numpy()
    return arrays, {"name": dataset.name, "classes": dataset.classes, "fingerprint": dataset.fingerprint}


def unpacked(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Dataset:
    import torch

    def part(name: str) -> Split:
        images, labels = (torch.from_numpy(arrays[f"{name}-{what}"]) for what in ("images", "labels"))
        return Split(images.permute(0, 3, 1, 2), labels)

    parts = {name: part(name) for name in ("train", "validation", "test")}
    return Dataset(meta["name"], **parts, classes=tuple(meta["classes"]), fingerprint=meta["fingerprint"])
