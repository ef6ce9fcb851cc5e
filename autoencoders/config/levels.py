"""What models are shown: levels of noise, ratios of masks, triples of classes; and the names of inputs in results."""

from __future__ import annotations

import math

from autoencoders.config.experiments import Gaussian, PatchMask, PixelMask

VARIANCE = 0.1  # the assignment gives the noise as this variance, and also names levels of sigma: both are reported
RATIOS = (0.1, 0.3, 0.5, 0.75)  # of masked patches
TRIPLES = {  # a − b + c; the first is the assignment's
    "cifar10": (("dog", "cat", "bird"), ("truck", "automobile", "ship"), ("horse", "deer", "frog")),
    "photos10": (("astronaut", "chelsea", "coffee"), ("rocket", "hubble", "china"), ("flower", "retina", "ihc")),
}
NOISE = Gaussian(0.3)  # under which features and latents are compared with those of clean images
TV_IMAGES, TV_VALIDATION = 1000, 100  # total variation takes its time: it is measured and tuned on so many images


def level(sigma: float) -> str:
    """A noise level's name; variance 0.1 keeps the name that the assignment gives it."""
    return f"var{VARIANCE:g}" if math.isclose(sigma, math.sqrt(VARIANCE)) else f"{sigma:g}"


Input = Gaussian | PixelMask | PatchMask | None  # what a measurement shows its subject


def describe(corruption: Input) -> str:
    """An input's name in results: `clean`, `gaussian:0.3`, `mask:0.5`."""
    match corruption:
        case None:
            return "clean"
        case Gaussian():
            return f"gaussian:{level(corruption.sigma)}" + ("" if corruption.clip else ":unclipped")
        case _:
            return f"mask:{corruption.ratio:g}"
