"""CIFAR-100 and SVHN in their publishers' formats, with generated images and their checksums in place of the official
ones."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoencoders import data
from autoencoders.data import files, sources

FINE = ("man", "boy", "girl", "bus", "train", "streetcar", "rose", "tulip", "poppy")


def write_cifar100(root: Path, patch: pytest.MonkeyPatch, train: int, test: int) -> Path:
    import torchvision.datasets

    rng, folder = np.random.default_rng(0), root / sources.CIFAR100.folder
    folder.mkdir(parents=True)
    names = [*FINE, *(f"class_{number}" for number in range(len(FINE), 100))]
    for name, count in (("train", train), ("test", test)):
        batch = {"data": rng.integers(0, 256, (count, 3072), np.uint8), "fine_labels": [i % 100 for i in range(count)]}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names}))
    checksums = _replaced("cifar100", sources.CIFAR100, folder, patch)
    official = torchvision.datasets.CIFAR100
    patch.setattr(official, "train_list", [["train", checksums["train"]]])
    patch.setattr(official, "test_list", [["test", checksums["test"]]])
    patch.setattr(official, "meta", official.meta | {"md5": checksums["meta"]})
    return root


def write_svhn(root: Path, patch: pytest.MonkeyPatch, train: int, test: int) -> Path:
    """The brighter an image, the higher its digit; as published, 0 is called 10."""
    import torchvision.datasets
    from scipy.io import savemat

    folder = root / sources.SVHN.folder
    folder.mkdir(parents=True)
    for part, count in (("train", train), ("test", test)):
        labels = np.arange(count) % 10
        images = np.broadcast_to((20 * labels).astype(np.uint8), (32, 32, 3, count))
        savemat(folder / f"{part}_32x32.mat", {"X": images, "y": np.where(labels == 0, 10, labels)[:, None]})
    checksums = _replaced("svhn", sources.SVHN, folder, patch)
    official: Any = torchvision.datasets.SVHN
    lists = {p: [u, n, checksums.get(n, md5)] for p, (u, n, md5) in official.split_list.items()}
    patch.setattr(official, "split_list", lists)
    return root


def _replaced(name: str, source: sources.Downloaded, folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    checksums = {file: files._md5(folder / file) for file in source.files}
    patch.setitem(data.SOURCES, name, dataclasses.replace(source, files=checksums))
    return checksums
