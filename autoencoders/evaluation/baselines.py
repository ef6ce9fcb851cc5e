"""What a model must beat: the mean image, a linear denoiser, total variation and non-local means (PCA has a module
of its own)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_images, full_precision, gram

Corrupt = Callable[[Tensor, torch.Generator], Tensor]  # images in [0, 1] -> what a denoiser gets to see

# ── Mean image ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mean_image(images: Array, batch: int = 5000) -> np.ndarray:
    """The mean image [C, H, W]: what a collapsed model puts out, whatever it is shown."""
    if len(images) == 0:
        raise ValueError("there are no images to take the mean of")
    sums = [as_images(images[start : start + batch]).double().sum(0) for start in range(0, len(images), batch)]
    return torch.stack(sums).sum(0).div(len(images)).float().cpu().numpy()


# ── Linear denoiser ──────────────────────────────────────────────────────────────────────────────────────────────────

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)  # on the scale of a pixel's variance; noise regularises too, so few are enough


@dataclass(frozen=True)
class Directions:
    """Training images along some orthonormal directions, around their mean: made once, they serve every corruption."""

    images: Array
    mean: Tensor  # [C, H, W]
    basis: Tensor  # [K, D]
    coordinates: Tensor  # [N, K]


@full_precision()
def along(images: Array, basis: np.ndarray, batch: int = 5000) -> Directions:
    """To confine a linear denoiser to the directions along which clean images vary costs it little and saves much."""
    if len(images) == 0:
        raise ValueError("a linear denoiser needs training and validation images")
    device = torch.as_tensor(images[:1]).device
    mean, within = torch.as_tensor(mean_image(images), device=device), torch.as_tensor(basis, device=device)
    parts = [_project(images[start : start + batch], mean, within) for start in range(0, len(images), batch)]
    return Directions(images, mean, within, torch.cat(parts))


@dataclass(frozen=True)
class LinearDenoiser:
    """The best affine map from corrupted to clean pixels along some directions; off them, the mean of clean images."""

    clean: np.ndarray  # [C, H, W], mean of the clean images
    seen: np.ndarray  # [K], mean of the corrupted ones along the basis, around the clean mean
    weight: np.ndarray  # [K, K]
    basis: np.ndarray  # [K, D]
    penalty: float

    @full_precision()
    def denoise(self, images: Array) -> Tensor:
        """Cleaned images in [0, 1], of the shape that came in."""
        pixels = as_images(images)
        parts = (self.clean, self.seen, self.weight, self.basis)
        clean, seen, weight, basis = (torch.as_tensor(part, device=pixels.device) for part in parts)
        made = (_project(pixels, clean, basis) - seen) @ weight @ basis
        return (made.reshape(pixels.shape) + clean).clamp(0, 1)


@full_precision()
def fit_linear_denoiser(
    train: Directions, validation: Array, corrupt: Corrupt, *, seed: int = 0, batch: int = 5000
) -> LinearDenoiser:
    """Ridge regression from images that are corrupted here, one time each; validation images choose the penalty."""
    if len(validation) == 0:
        raise ValueError("a linear denoiser needs training and validation images")
    generator = torch.Generator(train.mean.device).manual_seed(seed)
    seen, variances, covariances = _moments(train, corrupt, generator, batch)
    held_out = as_images(validation, train.mean.device)
    noisy = _project(corrupt(held_out, generator), train.mean, train.basis) - seen
    own = torch.eye(len(seen), device=seen.device)

    def weight(penalty: float) -> Tensor:
        return torch.cholesky_solve(covariances, torch.linalg.cholesky(variances + penalty * own))

    def error(penalty: float) -> float:
        made = noisy @ weight(penalty) @ train.basis
        return float(((made.reshape(held_out.shape) + train.mean).clamp(0, 1) - held_out).square().mean())

    penalty = min(PENALTIES, key=error)
    clean, offset, inner, basis = (p.cpu().numpy() for p in (train.mean, seen, weight(penalty), train.basis))
    return LinearDenoiser(clean, offset, inner, basis, penalty)


def _project(images: Array, origin: Tensor, basis: Tensor) -> Tensor:
    """Coordinates [N, K], near zero: exact enough in fp32."""
    return (as_images(images, origin.device) - origin).flatten(1) @ basis.T


def _moments(
    train: Directions, corrupt: Corrupt, generator: torch.Generator, batch: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Along the basis, around the clean mean: the corrupted images' mean [K] and covariance [K, K], and their
    covariance with the clean ones; summed in float64."""
    count, size = train.coordinates.shape
    total = torch.zeros(size, dtype=torch.float64, device=train.mean.device)
    variances, covariances = torch.zeros(2, size, size, dtype=torch.float64, device=train.mean.device)
    for start in range(0, count, batch):
        rows = slice(start, start + batch)
        seen = _project(corrupt(as_images(train.images[rows]), generator), train.mean, train.basis)
        total += seen.double().sum(0)
        variances += gram(seen) / count
        covariances += seen.T @ train.coordinates[rows] / count
    offset = total / count
    return offset.float(), (variances - torch.outer(offset, offset)).float(), covariances.float()


# ── Total variation and non-local means ──────────────────────────────────────────────────────────────────────────────

WEIGHTS = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)  # strengths tried; larger is smoother
Similarity = tuple[float, float]  # how far surroundings may differ to count as alike, beyond noise of such deviation
SIMILARITIES: tuple[Similarity, ...] = (
    *((cut, 0.0) for cut in (0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25)),
    *((0.6 * noise, noise) for noise in (0.03, 0.05, 0.075, 0.1, 0.14, 0.2)),  # best while little noise is clipped
)


def total_variation(images: Array, weight: float, jobs: int = 1) -> np.ndarray:
    """Each image by itself through scikit-image's Chambolle denoiser, all channels together."""
    return _each_alone(_total_variation, images, weight, jobs)


def _total_variation(images: np.ndarray, weight: float) -> np.ndarray:
    from skimage.restoration import denoise_tv_chambolle

    smooth = [denoise_tv_chambolle(image, weight=weight, channel_axis=0) for image in images]
    return np.stack(smooth).astype(np.float32) if smooth else images


def non_local_means(images: Array, similarity: Similarity, jobs: int = 1) -> np.ndarray:
    """Each image by itself through scikit-image's non-local means (Buades et al. 2005): a pixel becomes the mean of
    those, up to 6 pixels away, whose 5×5 surroundings look alike."""
    return _each_alone(_non_local_means, images, similarity, jobs)


def _non_local_means(images: np.ndarray, similarity: Similarity) -> np.ndarray:
    from skimage.restoration import denoise_nl_means

    cut, noise = similarity
    settings = {"patch_size": 5, "patch_distance": 6, "fast_mode": True, "channel_axis": 0}
    smooth = [denoise_nl_means(image, h=cut, sigma=noise, **settings) for image in images]
    return np.stack(smooth).astype(np.float32) if smooth else images


def choose_weight(noisy: Array, clean: Array, jobs: int = 1) -> float:
    """The strength of total variation with the least mean squared error on these (validation) images."""
    return _least_error(total_variation, WEIGHTS, noisy, clean, jobs)


def choose_similarity(noisy: Array, clean: Array, jobs: int = 1) -> Similarity:
    """The same for non-local means."""
    return _least_error(non_local_means, SIMILARITIES, noisy, clean, jobs)


Strength = TypeVar("Strength", float, Similarity)


def _each_alone(
    denoise: Callable[[np.ndarray, Strength], np.ndarray], images: Array, strength: Strength, jobs: int
) -> np.ndarray:
    from joblib import Parallel, delayed

    pixels = as_images(images).cpu().numpy()
    chunks = np.array_split(pixels, max(1, min(4 * jobs, len(pixels))))
    return np.concatenate(Parallel(n_jobs=jobs)(delayed(denoise)(chunk, strength) for chunk in chunks))


def _least_error(
    denoise: Callable[[Array, Strength, int], np.ndarray],
    strengths: Sequence[Strength],
    noisy: Array,
    clean: Array,
    jobs: int,
) -> Strength:
    target = as_images(clean).cpu().numpy()
    if len(target) == 0:
        raise ValueError("choosing a strength needs images")
    errors = [float(np.square(denoise(noisy, strength, jobs) - target).mean()) for strength in strengths]
    return strengths[int(np.argmin(errors))]
