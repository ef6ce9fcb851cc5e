"""Handwritten digits, MNIST's and those that ship with scikit-learn; and colours for both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoencoders.data.kinds import Raw, Split, as_split

if TYPE_CHECKING:
    import numpy as np


def read_mnist(root: Path) -> Raw:
    """70,000 grey digits of 28×28."""
    from torchvision.datasets import MNIST

    train, test = MNIST(root, train=True), MNIST(root, train=False)
    return Raw(
        as_split(train.data.unsqueeze(3).numpy(), train.targets),
        as_split(test.data.unsqueeze(3).numpy(), test.targets),
        tuple("0123456789"),
    )


def read_mnist_colored(root: Path) -> Raw:
    """MNIST, each digit in a random colour that tells nothing about its class."""
    return _randomly_colored(read_mnist(root))


def read_mnist_colored_class(root: Path) -> Raw:
    """MNIST, each class in one colour: the colour gives the class away."""
    return _colored_by_class(read_mnist(root))


def read_digits(root: Path) -> Raw:
    """1,797 grey digits of 8×8, enlarged threefold inside a margin of 2: MNIST's 28×28, so that its models fit.

    They come in the order of their writers: the last fifth, the test set, was written by other people than the rest.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))).reshape(-1, 28, 28, 1)
    train = len(images) * 4 // 5
    return Raw(
        as_split(images[:train], digits.target[:train]),
        as_split(images[train:], digits.target[train:]),
        tuple("0123456789"),
    )


def read_digits_colored(root: Path) -> Raw:
    """scikit-learn's digits, each in a random colour that tells nothing about its class."""
    return _randomly_colored(read_digits(root))


def read_digits_colored_class(root: Path) -> Raw:
    """scikit-learn's digits, each class in one colour: the colour gives the class away."""
    return _colored_by_class(read_digits(root))


def _randomly_colored(grey: Raw) -> Raw:
    import numpy as np

    rng = np.random.default_rng(0)
    train, test = rng.random((len(grey.train), 3)), rng.random((len(grey.test), 3))
    return Raw(_colored(grey.train, train), _colored(grey.test, test), grey.classes)


def _colored_by_class(grey: Raw) -> Raw:
    import colorsys

    import numpy as np

    hues = np.random.default_rng(0).permutation(len(grey.classes)) / len(grey.classes)
    colors = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in hues])
    train, test = (_colored(part, colors[part.labels.numpy()]) for part in (grey.train, grey.test))
    return Raw(train, test, grey.classes)


def _colored(digits: Split, colors: np.ndarray) -> Split:
    """White becomes each image's colour, at full brightness; black stays black."""
    import torch

    colors = colors / colors.max(axis=1, keepdims=True)
    channels = [
        (digits.images[:, 0] * channel.view(-1, 1, 1)).round().to(torch.uint8)
        for channel in torch.from_numpy(colors).float().unbind(1)
    ]
    return Split(torch.stack(channels, dim=3).permute(0, 3, 1, 2), digits.labels)
