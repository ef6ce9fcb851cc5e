"""What the files of each data set hold; each reader reaches no other data set's code."""

from __future__ import annotations

import colorsys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from PIL import Image

from autoencoders.data.dataset import Raw, Split, as_split, stratified


def read_cifar10(root: Path) -> Raw:
    """60,000 colour images of 32×32, 10 classes."""
    from torchvision.datasets import CIFAR10

    train, test = CIFAR10(root, train=True), CIFAR10(root, train=False)
    return Raw(as_split(train.data, train.targets), as_split(test.data, test.targets), tuple(train.classes))


def read_stl10(root: Path) -> Raw:
    """5,000 and 8,000 labelled colour images of 96×96, 10 classes."""
    from torchvision.datasets import STL10

    train, test = STL10(root, split="train"), STL10(root, split="test")
    return Raw(
        as_split(train.data.transpose(0, 2, 3, 1), train.labels),
        as_split(test.data.transpose(0, 2, 3, 1), test.labels),
        tuple(train.classes),
    )


def read_voc2007(root: Path) -> Raw:
    """9,963 photographs as squares of 64×64; the class is the largest object's.

    The study that uses it splits the whole set by 80/10/10 or 70/20/10, so its test set is a fixed tenth of all.
    """
    from torchvision.datasets import VOCDetection

    halves = [VOCDetection(root, year="2007", image_set=image_set) for image_set in ("trainval", "test")]
    with ThreadPoolExecutor() as pool:
        examples = [example for half in halves for example in pool.map(_voc_example, half.images, half.annotations)]
    classes, labels = np.unique([kind for _, kind in examples], return_inverse=True)
    images = np.stack([image for image, _ in examples])
    test = np.zeros(len(labels), bool)
    test[stratified(labels, len(labels) // 10, np.random.default_rng(0))] = True
    return Raw(as_split(images[~test], labels[~test]), as_split(images[test], labels[test]), tuple(map(str, classes)))


def _voc_example(image_path: str, annotation_path: str) -> tuple[np.ndarray, str]:
    """The largest square of a photograph that is centred, as far as its edges allow, on its largest object."""

    def box(item: ElementTree.Element) -> list[float]:
        return [float(item.findtext(f"bndbox/{edge}", "0")) for edge in ("xmin", "ymin", "xmax", "ymax")]

    def area(item: ElementTree.Element) -> float:
        left, top, right, bottom = box(item)
        return (right - left) * (bottom - top)

    largest = max(ElementTree.parse(annotation_path).getroot().iter("object"), key=area)
    left, top, right, bottom = box(largest)
    with Image.open(image_path) as image:
        width, height = image.size
        image.draft("RGB", (128, 128))  # decodes at a fraction of the size, several times as fast
        scale = image.width / width
        side = min(width, height)
        x = min(max((left + right - side) / 2, 0), width - side)
        y = min(max((top + bottom - side) / 2, 0), height - side)
        window = (x * scale, y * scale, (x + side) * scale, (y + side) * scale)
        square = image.convert("RGB").resize((64, 64), Image.Resampling.BOX, window)
    return np.asarray(square), largest.findtext("name", "")


# ── Digits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    rng = np.random.default_rng(0)
    train, test = rng.random((len(grey.train), 3)), rng.random((len(grey.test), 3))
    return Raw(_colored(grey.train, train), _colored(grey.test, test), grey.classes)


def _colored_by_class(grey: Raw) -> Raw:
    hues = np.random.default_rng(0).permutation(len(grey.classes)) / len(grey.classes)
    colors = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in hues])
    train, test = (_colored(part, colors[part.labels.numpy()]) for part in (grey.train, grey.test))
    return Raw(train, test, grey.classes)


def _colored(digits: Split, colors: np.ndarray) -> Split:
    """White becomes each image's colour, at full brightness; black stays black."""
    colors = colors / colors.max(axis=1, keepdims=True)
    channels = [
        (digits.images[:, 0] * channel.view(-1, 1, 1)).round().to(torch.uint8)
        for channel in torch.from_numpy(colors).float().unbind(1)
    ]
    return Split(torch.stack(channels, dim=3).permute(0, 3, 1, 2), digits.labels)
