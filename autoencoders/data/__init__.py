"""A data set's name becomes uint8 images with labels, class names, a split and a fingerprint.

Finding, checking and fingerprinting need no torch; it is imported where images are read or downloaded. Each reader is
a plain function that reaches no other data set's code, so that editing one of them leaves the others' results alone.
"""

from autoencoders.data.dataset import Dataset, Raw, Split, load, packed, split, unpacked
from autoencoders.data.files import classes_of, fingerprint, locate
from autoencoders.data.folders import SIZES, data_of_folder, is_folder, resolved
from autoencoders.data.obtain import Choice, UnavailableError, choose, obtain
from autoencoders.data.sources import CLASSES, PHOTOS, SOURCES, reader_name

__all__ = [
    "CLASSES",
    "PHOTOS",
    "SIZES",
    "SOURCES",
    "Choice",
    "Dataset",
    "Raw",
    "Split",
    "UnavailableError",
    "choose",
    "classes_of",
    "data_of_folder",
    "fingerprint",
    "is_folder",
    "load",
    "locate",
    "obtain",
    "packed",
    "reader_name",
    "resolved",
    "split",
    "unpacked",
]
