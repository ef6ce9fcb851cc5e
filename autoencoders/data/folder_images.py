"""What a folder of one's own images holds, as squares of one size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from autoencoders.data.dataset import Raw, as_split, stratified
from autoencoders.data.folders import TEST_SHARE
from autoencoders.errors import InputError


def read_folder(classes: dict[str, list[Path]], size: int) -> Raw:
    """Squares of so many pixels from all images; a fifth of each class, drawn with a fixed seed, is for testing."""
    paths = [path for images in classes.values() for path in images]
    labels = np.arange(len(classes)).repeat([len(images) for images in classes.values()])
    with ThreadPoolExecutor() as pool:
        squares = np.stack(list(pool.map(partial(_square, size=size), paths)))
    test = np.zeros(len(labels), bool)
    test[stratified(labels, round(TEST_SHARE * len(labels)), np.random.default_rng(0))] = True
    return Raw(as_split(squares[~test], labels[~test]), as_split(squares[test], labels[test]), tuple(classes))


def _square(path: Path, size: int) -> np.ndarray:
    """The centre of an image, as large as its shorter side allows, turned as its camera was held, in three channels."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (2 * size, 2 * size))  # JPEGs decode at a fraction of their size, several times as fast
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
                upright = upright.convert("I").point(lambda value: value / 256).convert("L")
            return np.asarray(ImageOps.fit(upright.convert("RGB"), (size, size), Image.Resampling.BILINEAR))
    except Exception as error:  # each decoder fails in its own way
        raise InputError(f"{path} can't be read as an image: {' '.join(str(error).split())}") from None
