"""Photographs of things as their publishers give them: CIFAR-10, STL-10 and PASCAL VOC."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoencoders.data.kinds import Raw, as_split
from autoencoders.data.splitting import drawn

if TYPE_CHECKING:
    import numpy as np


def read_cifar10(root: Path) -> Raw:
    """60,000 colour images of 32×32, 10 classes."""
    from torchvision.datasets import CIFAR10

    train, test = CIFAR10(root, train=True), CIFAR10(root, train=False)
    return Raw(
        as_split(train.data, train.targets),
        as_split(test.data, test.targets),
        tuple(train.classes),
    )


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
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from torchvision.datasets import VOCDetection

    halves = [VOCDetection(root, year="2007", image_set=image_set) for image_set in ("trainval", "test")]
    with ThreadPoolExecutor() as pool:
        examples = [example for half in halves for example in pool.map(_voc_example, half.images, half.annotations)]
    classes, labels = np.unique([kind for _, kind in examples], return_inverse=True)
    images = np.stack([image for image, _ in examples])
    test = np.zeros(len(labels), bool)
    test[drawn(labels, len(labels) // 10, np.random.default_rng(0))] = True
    return Raw(as_split(images[~test], labels[~test]), as_split(images[test], labels[test]), tuple(map(str, classes)))


def _voc_example(image_path: str, annotation_path: str) -> tuple[np.ndarray, str]:
    """The largest square of a photograph that is centred, as far as its edges allow, on its largest object."""
    from xml.etree import ElementTree

    import numpy as np
    from PIL import Image

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
