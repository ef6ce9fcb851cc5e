"""How close images come to their targets: a value for each image, and its mean with an interval over the images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_images, full_precision
from autoencoders.evaluation.statistics import Estimate, bootstrap

BATCH = 100  # images whose intermediate results stay in a CPU's caches

# ── Per image ────────────────────────────────────────────────────────────────────────────────────────────────────────


@full_precision()
def compare(target: Array, output: Array, mask: Array | None = None, batch: int = BATCH) -> dict[str, np.ndarray]:
    """Per-image mse, mae, psnr, ssim and snr; with a mask [N, 1, H, W], mse, mae and psnr of the masked region alone.

    A perfect image has psnr and snr +inf. An image without signal (all zero) has snr -inf unless it is perfect.
    """
    if target.shape != output.shape or (mask is not None and mask.shape != (len(target), 1, *target.shape[2:])):
        raise ValueError(
            f"shapes differ: target {list(target.shape)}, output {list(output.shape)}"
            + (f", mask {list(mask.shape)}" if mask is not None else "")
        )
    if len(target) == 0:
        raise ValueError("there are no images to compare")
    parts = []
    for start in range(0, len(target), batch):
        rows = slice(start, start + batch)
        clean = as_images(target[rows])
        made = as_images(output[rows], clean.device)
        if mask is None:
            parts.append(_whole(clean, made))
        else:
            parts.append(_errors(clean, made, torch.as_tensor(mask[rows], device=clean.device).bool()))
    return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}


def _whole(target: Tensor, output: Tensor) -> dict[str, Tensor]:
    errors = _errors(target, output, torch.ones_like(target[:, :1], dtype=torch.bool))
    signal = target.square().mean((1, 2, 3))
    return {**errors, "ssim": ssim(target, output), "snr": _decibels(signal, errors["mse"])}


def _errors(target: Tensor, output: Tensor, mask: Tensor) -> dict[str, Tensor]:
    pixels = mask.sum((1, 2, 3)) * target.shape[1]
    if (pixels == 0).any():
        raise ValueError(f"the mask is empty for {int((pixels == 0).sum())} images: they have no region to measure")
    difference = (output - target) * mask
    mse = difference.square().sum((1, 2, 3)) / pixels
    return {
        "mse": mse,
        "mae": difference.abs().sum((1, 2, 3)) / pixels,
        "psnr": _decibels(torch.ones_like(mse), mse),
    }


def _decibels(signal: Tensor, noise: Tensor) -> Tensor:
    """10·log10(signal / noise), where no noise at all is +inf even if there is no signal either."""
    return torch.where(noise == 0, torch.inf, 10 * (signal.log10() - noise.log10()))


# ── SSIM ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

WINDOW, SIGMA = 11, 1.5  # Wang et al. 2004
C1, C2 = 0.01**2, 0.03**2  # their constants, for a data range of 1


def ssim(target: Tensor, output: Tensor) -> Tensor:
    """Mean SSIM of each image: the windows that lie inside it, averaged over the channels."""
    height, width = target.shape[-2:]
    if min(height, width) < WINDOW:
        raise ValueError(f"SSIM needs images of at least {WINDOW}×{WINDOW} pixels, not {height}×{width}")
    rows, columns = _window(height, target.device), _window(width, target.device)

    def blur(values: Tensor) -> Tensor:
        return rows @ values @ columns.T

    mean_t, mean_o = blur(target), blur(output)
    variances = blur(target.square() + output.square()) - mean_t.square() - mean_o.square()
    covariance = blur(target * output) - mean_t * mean_o
    luminance = (2 * mean_t * mean_o + C1) / (mean_t.square() + mean_o.square() + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return (luminance * structure).mean((1, 2, 3))


def _window(size: int, device: torch.device) -> Tensor:
    """The Gaussian filter as a band matrix [size - 10, size]: on small images a product beats a convolution by far."""
    offsets = torch.arange(WINDOW, device=device, dtype=torch.float32) - WINDOW // 2
    taps = torch.exp(-0.5 * (offsets / SIGMA).square())
    band = torch.zeros(size - WINDOW + 1, size, device=device)
    for row in range(len(band)):
        band[row, row : row + WINDOW] = taps / taps.sum()
    return band


# ── Over the images ──────────────────────────────────────────────────────────────────────────────────────────────────


def summarise(per_image: Mapping[str, np.ndarray], seed: int = 0) -> dict[str, Estimate]:
    """Means with 95 % intervals over the images; psnr becomes psnr_mean, and psnr_pooled follows from the mean mse.

    Images without signal have no SNR: unless all are like that, they are left out of its mean, as its n shows.
    """
    summary = {}
    for name, values in per_image.items():
        if name == "snr" and (values > -np.inf).any():
            values = values[values > -np.inf]
        summary["psnr_mean" if name == "psnr" else name] = bootstrap(values, seed=seed)
    if "mse" in per_image:
        summary["psnr_pooled"] = bootstrap(per_image["mse"], transform=pooled_psnr, seed=seed)
    return summary


def by_class(values: np.ndarray, labels: Array, seed: int = 0) -> dict[int, Estimate]:
    """The mean of each class's images, with its interval; classes in ascending order."""
    classes = torch.as_tensor(labels).cpu().numpy()
    if len(values) != len(classes):
        raise ValueError(f"{len(values)} values need as many labels, not {len(classes)}")
    return {int(label): bootstrap(values[classes == label], seed=seed) for label in np.unique(classes)}


def pooled_psnr(mse: np.ndarray) -> np.ndarray:
    """PSNR from a mean MSE, for a data range of 1; +inf where nothing differs."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mse)
