"""A folder of one's own images, `folder:NAME@SIZE`: a folder a class, whatever the images' sizes."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from autoencoders.coercion import shown
from autoencoders.errors import InputError
from autoencoders.specs import Data

PREFIX = "folder:"
SIZES = range(16, 129, 8)  # of the squares that images become, in pixels: what all models can take
USUAL_SIZE = 32
FEWEST = 10  # images of a class: of fewer, one of the three parts would have none
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.125  # of all images, and of those that are left: 70, 10 and 20 % of all
MOST_PIXELS = 100_000_000  # of an image
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
NAMES = r"[^\W_][\w .()+-]{0,63}"  # they stand in YAML, HTML and Typst: these characters are harmless in all


@dataclass(frozen=True)
class Folder:
    """Such a data set, by its name; a data folder holds it, as it holds others."""

    folder: str
    size: int
    module: str = "autoencoders.data.folder_images"  # of its reader


def is_folder(name: str) -> bool:
    return name.startswith(PREFIX)


def folder_of(name: str) -> Folder:
    """What `folder:NAME@SIZE` says.

    >>> folder_of("folder:holidays@48")
    Folder(folder='holidays', size=48, module='autoencoders.data.folder_images')
    """
    folder, size = _parts(name)
    if not re.fullmatch(NAMES, folder):
        raise InputError(f"dataset {shown(name)}: a folder of images needs a name of letters, digits and spaces")
    if size and not (size.isascii() and int(size) in SIZES):
        raise InputError(f"dataset {shown(name)}: image_size must be a multiple of 8 from 16 to 128")
    return Folder(folder, int(size or USUAL_SIZE))


def _parts(name: str) -> tuple[str, str]:
    """Folder and size of `folder:NAME@SIZE`; the size may be missing."""
    folder, at, size = name.removeprefix(PREFIX).rpartition("@")
    return (folder, size) if at and size.isdigit() else (name.removeprefix(PREFIX), "")


def resolved(name: str, image_size: int | None, data_dir: str | Path | None) -> tuple[str, Path | None]:
    """The name of a data set and the data folder, where either may have been given as `folder:PATH`.

    >>> resolved("folder:/data/holidays", 48, None)
    ('folder:holidays@48', PosixPath('/data'))
    """
    place = Path(data_dir) if data_dir else None
    if not is_folder(name):
        if image_size is not None:
            raise InputError(f"image_size {image_size}: only a folder of images has one to choose, not {name}")
        return name, place
    path, size = _parts(name)
    named = Path(path).expanduser()
    if path and (named.name != path or (not (place and (place / path).is_dir()) and named.is_dir())):
        place = named.resolve().parent
        path = named.resolve().name
    found = folder_of(f"{PREFIX}{path}@{size or image_size or USUAL_SIZE}")
    return f"{PREFIX}{found.folder}@{found.size}", place


# ── What lies in it ──────────────────────────────────────────────────────────────────────────────────────────────────


def images_in(folder: Path) -> dict[str, list[Path]]:
    """The images of each class, in the order of their names; what no data set can be made of is refused."""
    try:
        classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} can't be read: {error.strerror}") from None
    found = {path.name: _images_below(path) for path in classes}
    if not any(found.values()):
        raise InputError(f"{folder} holds no images: expected a folder for each class, with images in it")
    if len(found) == 1:
        raise InputError(
            f"{folder} has one class, {shown(classes[0].name)}: at least two folders with images are needed"
        )
    for name, images in found.items():
        if not re.fullmatch(NAMES, name):
            raise InputError(f"{folder}: the class {shown(name)} needs a name of letters, digits and spaces")
        if len(images) < FEWEST:
            raise InputError(f"{folder}: the class {name} has {len(images)} images, at least {FEWEST} are needed")
    return found


def _images_below(folder: Path) -> list[Path]:
    """Links are refused: one may lead anywhere, or show an image twice, for training and for testing."""
    found = []
    if folder.is_symlink():
        raise InputError(f"{folder} is a link: put what it leads to in its place")
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            if path.is_symlink():
                raise InputError(f"{path} is a link: put what it leads to in its place")
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, n) for n in sorted(names) if not n.startswith(".") and _is_image(n)]
    return sorted(found)


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


@functools.lru_cache(maxsize=4)
def counts(folder: Path) -> tuple[tuple[str, int], ...]:
    """The classes, with how many images each has."""
    return tuple((name, len(images)) for name, images in images_in(folder).items())


def check_image(path: Path) -> None:
    """Refuse what is no image, or one too large to be opened, by the first bytes of its file."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
    except Image.DecompressionBombError:
        raise InputError(f"{path} is too large: more than {MOST_PIXELS / 1e6:.0f} million pixels") from None
    except Exception as error:  # each decoder fails in its own way
        raise InputError(f"{path} can't be read as an image: {_cause(error, path)}") from None
    if width * height > MOST_PIXELS:
        raise InputError(f"{path} is too large: {width}×{height}, more than {MOST_PIXELS / 1e6:.0f} million pixels")


def _cause(error: Exception, path: Path) -> str:
    return " ".join(str(error).replace(f" {str(path)!r}", "").split()) or type(error).__name__


def data_of_folder(name: str, images: int, train: int | None) -> Data:
    """So many training images of a folder's, or all that testing and validation leave."""
    rest = images - round(TEST_SHARE * images)
    left = rest - round(VALIDATION_SHARE * rest)
    return Data(name=name, train=train if train and train < left else None, validation=VALIDATION_SHARE)
