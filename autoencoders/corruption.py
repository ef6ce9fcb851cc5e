"""What is done to images before a model sees them: noise and masks, seeded, on the images' own device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from autoencoders.specs import Corruption, Gaussian, GaussianUpTo, PixelMask


def corrupt(images: Tensor, corruption: Corruption | None, generator: torch.Generator) -> Tensor:
    """Corrupt images in [0, 1] as a spec says; without a corruption, return the images themselves."""
    match corruption:
        case None:
            return images
        case Gaussian():
            return gaussian(images, corruption.sigma, generator, clip=corruption.clip)
        case GaussianUpTo():
            return gaussian_up_to(images, corruption.most, generator)
        case PixelMask():
            return hide_pixels(images, corruption.ratio, generator)
    raise TypeError(f"not a corruption: {corruption!r}")


def gaussian(images: Tensor, sigma: float, generator: torch.Generator, *, clip: bool = True) -> Tensor:
    """Add noise of mean 0 and standard deviation ``sigma``, and clip to [0, 1] unless ``clip`` is false."""
    if not 0 <= sigma < math.inf:
        raise ValueError(f"sigma must be a finite number of at least 0, not {sigma}")
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    noisy = torch.add(images, noise, alpha=sigma)
    return noisy.clamp_(0, 1) if clip else noisy


def gaussian_up_to(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Add noise whose standard deviation is drawn for each image, from 0 to ``most``, and clip to [0, 1]."""
    if not 0 <= most < math.inf:
        raise ValueError(f"sigma must be a finite number of at least 0, not {most}")
    sigma = most * torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return torch.addcmul(images, noise, sigma).clamp_(0, 1)


def hide_pixels(images: Tensor, ratio: float, generator: torch.Generator) -> Tensor:
    """Make a share of each image's pixels black, in all channels; which ones differs between images."""
    count, _, height, width = images.shape
    return images.masked_fill(random_mask(count, (height, width), ratio, generator), 0)


def random_mask(count: int, grid: tuple[int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Draw masks [count, 1, *grid], true where hidden; each hides the same number of places."""
    if not 0 <= ratio <= 1:
        raise ValueError(f"the share that is hidden must lie in [0, 1], not {ratio}")
    places = grid[0] * grid[1]
    order = torch.rand(count, places, generator=generator, device=generator.device).argsort(dim=1)
    ranks = order.argsort(dim=1)  # a random permutation of each image's places
    return (ranks < round(ratio * places)).view(count, 1, *grid)


# ── Augmentation ──────────────────────────────────────────────────────────────────────────────────────────────────────

REACH = 2  # pixels that images are moved by at most, each way


def augmented(images: Tensor, generator: torch.Generator, place: int) -> Tensor:
    """Mirror each image or not, and move all of them to one of (2 · REACH + 1)² places.

    What comes into view is mirrored from inside.
    """
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device) < 0.5
    images = torch.where(mirrored, images.flip(3), images)
    down, right = divmod(place % (2 * REACH + 1) ** 2, 2 * REACH + 1)
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, (REACH,) * 4, mode="reflect")
    moved = padded[:, :, down : down + height, right : right + width]
    return moved.contiguous(memory_format=torch.channels_last)
