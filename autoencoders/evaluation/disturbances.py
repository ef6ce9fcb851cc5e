"""What befalls images other than noise: blur, salt and pepper, occlusion, loss of contrast.

Each takes images in [0, 1] and returns others in [0, 1], on the images' own device; those that draw take a generator.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from autoencoders.specs import Disturbance


def disturb(images: Tensor, what: Disturbance, generator: torch.Generator) -> Tensor:
    """Images in [0, 1] as others in [0, 1]."""
    match what.kind:
        case "blur":
            return blur(images, what.strength)
        case "salt and pepper":
            return salt_and_pepper(images, what.strength, generator)
        case "occlusion":
            return occlude(images, round(what.strength), generator)
        case "low contrast":
            return lower_contrast(images, what.strength)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian of so many pixels; beyond the border, the image is mirrored."""
    if sigma < 0:
        raise ValueError(f"a blur has a width of at least 0, not {sigma}")
    reach = min(round(3 * sigma), min(images.shape[2:]) - 1)
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    taps = torch.exp(-0.5 * (offsets / max(sigma, 1e-6)).square())
    taps /= taps.sum()
    padded = F.pad(images, (reach,) * 4, mode="reflect").flatten(0, 1)[:, None]
    smooth = F.conv2d(F.conv2d(padded, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return smooth.view(images.shape).clamp(0, 1)


def salt_and_pepper(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Make so many of the pixels, on average, black or white in all channels, half of them each."""
    if not 0 <= share <= 1:
        raise ValueError(f"the share of pixels must lie in [0, 1], not {share}")
    drawn = torch.rand(len(images), 1, *images.shape[2:], generator=generator, device=images.device)
    return torch.where(drawn < share, (drawn < share / 2).to(images.dtype), images)


def occlude(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Make a square of so many pixels grey, in a place of its own in each image."""
    count, _, height, width = images.shape
    if not 0 <= side <= min(height, width):
        raise ValueError(f"a square of {side} pixels doesn't fit images of {height}×{width}")

    def inside(size: int) -> Tensor:
        start = torch.randint(size - side + 1, (count, 1), generator=generator, device=images.device)
        places = torch.arange(size, device=images.device)
        return (places >= start) & (places < start + side)

    square = inside(height)[:, None, :, None] & inside(width)[:, None, None, :]
    return images.masked_fill(square, 0.5)


def lower_contrast(images: Tensor, factor: float) -> Tensor:
    """Scale deviations from each image's mean brightness, by 0 (uniform grey) to 1 (the image itself)."""
    if not 0 <= factor <= 1:
        raise ValueError(f"contrast is lowered by a factor in [0, 1], not {factor}")
    return torch.lerp(images.mean((1, 2, 3), keepdim=True), images, factor)
