"""A data set's name becomes uint8 images with labels, class names, a split and a fingerprint.

Finding, checking and fingerprinting need no torch; it is imported where images are read or downloaded. Each reader is
a plain function that reaches no other data set's code, so that editing one of them leaves the others' results alone.
"""

from autoencoders.data.failures import UnavailableError
from autoencoders.data.finding import locate
from autoencoders.data.fingerprints import fingerprint
from autoencoders.data.kinds import Dataset, Raw, Split
from autoencoders.data.loading import load
from autoencoders.data.obtaining import Choice, choose, obtain
from autoencoders.data.packing import packed, unpacked
from autoencoders.data.sources import (
    CIFAR10,
    MNIST,
    PHOTOS,
    SOURCES,
    STAND_INS,
    STL10,
    VOC2007,
    Downloaded,
    Shipped,
    reader_name,
)
from autoencoders.data.splitting import split

__all__ = [
    "CIFAR10",
    "MNIST",
    "PHOTOS",
    "SOURCES",
    "STAND_INS",
    "STL10",
    "VOC2007",
    "Choice",
    "Dataset",
    "Downloaded",
    "Raw",
    "Shipped",
    "Split",
    "UnavailableError",
    "choose",
    "fingerprint",
    "load",
    "locate",
    "obtain",
    "packed",
    "reader_name",
    "split",
    "unpacked",
]
