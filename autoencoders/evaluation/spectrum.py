"""Which details a model loses: the power of its error, and of the images, by spatial frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_images
from autoencoders.evaluation.baselines import mean_image


@dataclass(frozen=True)
class Spectrum:
    """Power by frequency, averaged over images and channels; with `count` as weights, the mean square of a pixel."""

    frequency: np.ndarray  # [F], in cycles per pixel: 0 is the mean colour, 0.5 the finest stripes along an axis
    count: np.ndarray  # [F], how many Fourier coefficients have it
    error: np.ndarray  # [F], mean power of one coefficient
    signal: np.ndarray  # [F]

    @property
    def ratio(self) -> np.ndarray:
        """Error relative to the signal: 0 where all is kept, 1 where nothing is; NaN where there is no signal."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.signal > 0, self.error / self.signal, np.nan)


def error_by_frequency(target: Array, output: Array, batch: int = 500) -> Spectrum:
    """Radially averaged power of `output` − `target`, and of what `target` has beyond its mean image.

    A model has the mean image without looking. Frequencies are grouped by their distance from zero, one group for each
    cycle per image along the longer side.
    """
    if target.shape != output.shape or len(target) == 0:
        raise ValueError(f"images and outputs must be alike, and some: {list(target.shape)}, {list(output.shape)}")
    mean = torch.as_tensor(mean_image(target), device=torch.as_tensor(target[:1]).device)
    error, signal = torch.zeros(2, *target.shape[2:], dtype=torch.float64, device=mean.device)
    for start in range(0, len(target), batch):
        clean = as_images(target[start : start + batch]).double()
        made = as_images(output[start : start + batch], clean.device).double()
        error += _power(made - clean)
        signal += _power(clean - mean)
    ring, frequency = _rings(*target.shape[2:])
    count = np.bincount(ring.ravel())

    def average(power: Tensor) -> np.ndarray:
        return np.bincount(ring.ravel(), power.cpu().numpy().ravel() / len(target)) / count

    return Spectrum(frequency, count, average(error), average(signal))


def lost_detail(target: Array, output: Array, above: float = 0.25) -> np.ndarray:
    """Each image's error [N] at frequencies above this one, as a share of the power that images have there on average:
    1 is what an output without any such detail gives. Of images that have none themselves, nothing is lost."""
    clean, made = as_images(target), as_images(output)
    distance = np.hypot(np.fft.fftfreq(clean.shape[2])[:, None], np.fft.fftfreq(clean.shape[3])[None])
    fine = torch.as_tensor(distance > above, device=clean.device)
    mean = torch.as_tensor(mean_image(target), device=clean.device)
    error, signal = (_powers(part)[:, fine].sum(1) for part in (made - clean, clean - mean))
    return (error / signal.mean() if signal.mean() > 1e-9 else error * 0).cpu().numpy()


def _power(values: Tensor) -> Tensor:
    return _powers(values).sum(0)


def _powers(values: Tensor) -> Tensor:
    """Averaged over channels [N, H, W]; all frequencies of an image together are its mean square."""
    size = values.shape[2] * values.shape[3]
    return (torch.fft.fft2(values).abs().square() / size**2).mean(1)


def _rings(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The group of each coefficient [H, W] and the mean frequency of each group."""
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    _, ring = np.unique(np.rint(distance * max(height, width)), return_inverse=True)
    ring = ring.reshape(distance.shape)
    return ring, np.bincount(ring.ravel(), distance.ravel()) / np.bincount(ring.ravel())
