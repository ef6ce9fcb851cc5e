"""The likelihood of images under a decoder that puts a Gaussian of one variance around each output."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, as_images

LEVELS = 256  # values a pixel can have, 1/255 apart
BATCH = 500  # images whose terms are held in float64 at a time
LEAST_VARIANCE = 1 / 12 / (LEVELS - 1) ** 2  # that of a bin: nothing is known of where in it a pixel lies


@dataclass(frozen=True)
class Bits:
    """Bits per dimension of each image [N], an upper bound on what a lossless code needs; raw pixels have 8.

    `mass` uses the probability of a pixel's bin, as a code would. `density` uses the density, plus 8 bits for the
    256 levels: it may fall below `mass` where the variance is small against a bin or much mass lies outside [0, 1].
    """

    mass: np.ndarray
    density: np.ndarray


def bits_per_dimension(images: Array, outputs: Array, kl: Array, variance: float, batch: int = BATCH) -> Bits:
    """The negative evidence lower bound in bits per dimension.

    `outputs` are unclipped and decoded from one sample of each image's posterior; `kl` [N] is that posterior's KL
    divergence from the prior in nats; `variance` is the decoder's, from training images (`calibrated_variance`).
    """
    if not 0 < variance < math.inf:
        raise ValueError(f"the variance must be positive and finite, not {variance}")
    if images.shape != outputs.shape or len(kl) != len(images):
        raise ValueError(
            f"images, outputs and KL differ in shape: {list(images.shape)}, {list(outputs.shape)}, {list(np.shape(kl))}"
        )
    if len(images) == 0:
        raise ValueError("there are no images to compute bits of")
    cost = torch.as_tensor(kl).double()
    parts = []
    for start in range(0, len(images), batch):
        rows = slice(start, start + batch)
        clean = as_images(images[rows]).double()
        made = as_images(outputs[rows], clean.device).double()
        logs = torch.stack([log_mass(clean, made, variance), log_density(clean, made, variance)])
        parts.append((cost[rows].to(clean.device) - logs) / (clean[0].numel() * math.log(2)))
    mass, density = torch.cat(parts, 1).cpu().numpy()
    return Bits(mass, density + math.log2(LEVELS))


def calibrated_variance(images: Array, outputs: Array, batch: int = BATCH) -> float:
    """The one variance under which images are likeliest given their outputs: the mean squared error, or a bin's."""
    if images.shape != outputs.shape or len(images) == 0:
        raise ValueError(f"images and outputs must be alike, and some: {list(images.shape)}, {list(outputs.shape)}")
    total = 0.0
    for start in range(0, len(images), batch):
        clean = as_images(images[start : start + batch])
        made = as_images(outputs[start : start + batch], clean.device)
        total += float((made - clean).double().square().sum())
    return max(LEAST_VARIANCE, total / (len(images) * clean[0].numel()))


def posterior_kl(mu: Array, logvar: Array) -> np.ndarray:
    """KL divergence [N] in nats of each sample's diagonal Gaussian posterior from the standard normal."""
    mean = as_features(mu).double()
    log_variance = as_features(logvar, mean.device).double()
    return (0.5 * (mean.square() + log_variance.exp() - log_variance - 1)).sum(1).cpu().numpy()


def log_density(images: Tensor, outputs: Tensor, variance: float) -> Tensor:
    """Log density [N] in nats, of pixels in [0, 1]."""
    squares = (images - outputs).square().flatten(1)
    return -0.5 * (squares.sum(1) / variance + squares.shape[1] * math.log(2 * math.pi * variance))


def log_mass(images: Tensor, outputs: Tensor, variance: float) -> Tensor:
    """Log probability [N] in nats of the pixels' bins; the bins of black and white reach to infinity.

    A bin on the right of the Gaussian's centre is mirrored to the left, where the logarithm of the distribution
    function keeps its digits however far out the bin lies.
    """
    levels = images * (LEVELS - 1)
    if not torch.allclose(levels, levels.round(), atol=1e-3):
        raise ValueError(f"images must have the {LEVELS} levels of a byte; noise was added to them, or they are scaled")
    scale = math.sqrt(variance)
    offset, half = (images - outputs) / scale, 0.5 / (LEVELS - 1) / scale
    black, white = levels < 0.5, levels > LEVELS - 1.5
    left = torch.where(black, offset, torch.where(white, -offset, -offset.abs()))
    near = torch.special.log_ndtr(left + half)
    far = torch.special.log_ndtr((left - half).masked_fill(black | white, -math.inf))
    return (near + (-torch.expm1(far - near)).log()).flatten(1).sum(1)
