"""Images to train on and images to validate on, from one official training set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoencoders.data.kinds import Raw, Split, part_of
from autoencoders.errors import InputError
from autoencoders.specs import Data

if TYPE_CHECKING:
    import numpy as np


def split(raw: Raw, spec: Data) -> tuple[Split, Split]:
    """Training and validation images from the official training set, each class with its share; smaller training sets
    are parts of larger ones."""
    import numpy as np

    labels = raw.train.labels.numpy()
    if not 0 < spec.validation < 1 or spec.split_seed < 0:
        raise InputError(f"a validation share between 0 and 1 and a seed from 0 on are needed, not {spec}")
    rng = np.random.default_rng(spec.split_seed)
    held_out = round(spec.validation * len(labels))
    if not 0 < held_out < len(labels):
        raise InputError(f"{spec.name} has {len(labels)} images: too few to train on some and to validate on others")
    validation = drawn(labels, held_out, rng)
    train = np.setdiff1d(np.arange(len(labels)), validation)
    if spec.train is not None:
        if not 0 < spec.train <= len(train):
            raise InputError(
                f"{spec.name} has 1 to {len(train)} images to train on beside validation: not {spec.train}"
            )
        train = train[drawn(labels[train], spec.train, rng)]
    return part_of(raw.train, train), part_of(raw.train, validation)


def drawn(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` positions in ascending order, drawn so that each class keeps its share, rounded to whole images."""
    import numpy as np

    classes, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    quotas[np.argsort(quotas - shares, kind="stable")[: count - quotas.sum()]] += 1
    drawn = [
        rng.permutation(np.flatnonzero(labels == kind))[:quota] for kind, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn))
