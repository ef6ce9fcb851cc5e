"""Data sets of torchvision that the assignment doesn't name, as colour images of 32×32."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from autoencoders.data.dataset import Raw, Split, as_split

BORDER = 2  # pixels of black on each side, which make 32 of 28


def read_cifar100(root: Path) -> Raw:
    """60,000 colour images of 32×32, 100 classes."""
    from torchvision.datasets import CIFAR100

    train, test = CIFAR100(root, train=True), CIFAR100(root, train=False)
    return Raw(as_split(train.data, train.targets), as_split(test.data, test.targets), tuple(train.classes))


def read_svhn(root: Path) -> Raw:
    """73,257 and 26,032 house numbers, cut out around one digit, as colour images of 32×32."""
    from torchvision.datasets import SVHN

    train, test = (SVHN(root / "svhn", split=part) for part in ("train", "test"))
    return Raw(
        as_split(train.data.transpose(0, 2, 3, 1), train.labels),
        as_split(test.data.transpose(0, 2, 3, 1), test.labels),
        tuple("0123456789"),
    )


def read_fashion_mnist(root: Path) -> Raw:
    """70,000 grey pictures of clothes, 28×28: in three equal channels, and with a border."""
    from torchvision.datasets import FashionMNIST

    train, test = (_clothes(root / "FashionMNIST/raw", part) for part in ("train", "t10k"))
    return Raw(train, test, tuple(FashionMNIST.classes))


def _clothes(folder: Path, part: str) -> Split:
    """From the packed files, whose checksums are known."""
    pixels = np.frombuffer(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    grey = np.pad(pixels.reshape(-1, 28, 28), ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))
    return as_split(grey[..., None].repeat(3, axis=3), labels.astype(np.int64))
