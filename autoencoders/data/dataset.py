"""What a data set is, and its way from files to splits, and to plain arrays and back."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders.data.files import verified
from autoencoders.data.folders import Folder, images_in
from autoencoders.data.obtain import cause_of
from autoencoders.data.sources import reader_name, source_of
from autoencoders.errors import InputError
from autoencoders.specs import Data

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

    def without(self, left_out: int | None) -> Dataset:
        """The same data set, one class of which is in the test images alone."""
        if left_out is None:
            return self
        if not 0 <= left_out < len(self.classes):
            raise InputError(f"{self.name} has classes 0 to {len(self.classes) - 1}, none of them {left_out}")
        train, validation = (_part(s, (s.labels != left_out).numpy()) for s in (self.train, self.validation))
        if not (len(train) and len(validation)):
            raise InputError(f"{self.name} has too few images that aren't of the class {self.classes[left_out]}")
        return replace(self, train=train, validation=validation)


def as_split(images: np.ndarray, labels: Any) -> Split:
    """Make a split of images [N, H, W, C]."""
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return Split(pixels, torch.as_tensor(labels, dtype=torch.int64))


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(spec: Data, root: Path) -> Dataset:
    """Read the data set that a spec describes from ``root`` (see ``obtain``), check it and split it."""
    raw, digest = _read(spec.name, root)
    train, validation = split(raw, spec)
    return Dataset(spec.name, train, validation, raw.test, raw.classes, digest)


def _read(name: str, root: Path) -> tuple[Raw, str]:
    source, (module, reader) = source_of(name), reader_name(name).split(":")
    try:
        digest = verified(name, root)
        read = getattr(importlib.import_module(module), reader)
        if isinstance(source, Folder):
            return read(images_in(root / source.folder), source.size), digest
        return read(root), digest
    except InputError:
        raise
    except Exception as error:  # pickles, XML and pictures each fail in their own way
        raise InputError(f"{name} can't be read from {root}: {cause_of(error)}") from error


# ── Splitting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def split(raw: Raw, spec: Data) -> tuple[Split, Split]:
    """Split the official training set into training and validation images; each class keeps its share in both.

    Smaller training sets are parts of larger ones.
    """
    import numpy as np

    labels = raw.train.labels.numpy()
    if not 0 < spec.validation < 1 or spec.split_seed < 0:
        raise InputError(f"a validation share between 0 and 1 and a seed from 0 on are needed, not {spec}")
    rng = np.random.default_rng(spec.split_seed)
    held_out = round(spec.validation * len(labels))
    if not 0 < held_out < len(labels):
        raise InputError(f"{spec.name} has {len(labels)} images: too few to train on some and to validate on others")
    validation = stratified(labels, held_out, rng)
    train = np.setdiff1d(np.arange(len(labels)), validation)
    if spec.train is not None:
        if not 0 < spec.train <= len(train):
            raise InputError(
                f"{spec.name} has 1 to {len(train)} images to train on beside validation: not {spec.train}"
            )
        train = train[stratified(labels[train], spec.train, rng)]
    return _part(raw.train, train), _part(raw.train, validation)


def stratified(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``count`` positions, in ascending order; each class keeps its share, rounded to whole images."""
    import numpy as np

    classes, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    quotas[np.argsort(quotas - shares, kind="stable")[: count - quotas.sum()]] += 1
    drawn = [
        rng.permutation(np.flatnonzero(labels == kind))[:quota] for kind, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _part(whole: Split, positions: np.ndarray) -> Split:
    pixels = whole.images.permute(0, 2, 3, 1)[positions]
    return Split(pixels.permute(0, 3, 1, 2), whole.labels[positions])


# ── Packing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def packed(dataset: Dataset) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A data set as plain arrays, to be kept and memory-mapped; no image is copied."""
    arrays = {}
    for name in ("train", "validation", "test"):
        part: Split = getattr(dataset, name)
        arrays[f"{name}-images"] = part.images.permute(0, 2, 3, 1).numpy()
        arrays[f"{name}-labels"] = part.labels.numpy()
    return arrays, {"name": dataset.name, "classes": dataset.classes, "fingerprint": dataset.fingerprint}


def unpacked(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Dataset:
    """The data set that was packed, again without a copy."""
    import torch

    def part(name: str) -> Split:
        images, labels = (torch.from_numpy(arrays[f"{name}-{what}"]) for what in ("images", "labels"))
        return Split(images.permute(0, 3, 1, 2), labels)

    parts = {name: part(name) for name in ("train", "validation", "test")}
    return Dataset(meta["name"], **parts, classes=tuple(meta["classes"]), fingerprint=meta["fingerprint"])
