"""What a model must beat: the mean image, a linear denoiser and total variation (PCA has its own module)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
class LinearDenoiser:
    """The best affine map from corrupted to clean pixels; plain arrays, `LinearDenoiser(**arrays)` brings it back."""

    seen: np.ndarray  # [D], mean of the corrupted images
    clean: np.ndarray  # [D], mean of the clean ones
    weight: np.ndarray  # [D, D]
    penalty: float

    @full_precision()
    def denoise(self, images: Array) -> Tensor:
        """Cleaned images in [0, 1], of the shape that came in."""
        pixels = as_images(images)
        seen, clean, weight = (torch.as_tensor(a, device=pixels.device) for a in (self.seen, self.clean, self.weight))
        return ((pixels.flatten(1) - seen) @ weight + clean).clamp(0, 1).reshape(pixels.shape)


@full_precision()
def fit_linear_denoiser(
    train: Array,
    validation: Array,
    corrupt: Corrupt,
    *,
    basis: np.ndarray | None = None,
    seed: int = 0,
    batch: int = 5000,
) -> LinearDenoiser:
    """Ridge regression from clean images, corrupted here one time each; the penalty is chosen on validation images.

    `basis` [K, D] are orthonormal directions to which the map is confined: those along which clean images hardly vary
    are best answered by their mean, and without them the fit costs a fraction.
    """
    if len(train) == 0 or len(validation) == 0:
        raise ValueError("a linear denoiser needs training and validation images")
    device = torch.as_tensor(train[:1]).device
    generator = torch.Generator(device).manual_seed(seed)
    clean = torch.as_tensor(mean_image(train), device=device)
    within = torch.eye(clean.numel(), device=device) if basis is None else torch.as_tensor(basis, device=device)
    offset, variances, covariances = _moments(train, clean, corrupt, within, generator, batch)
    seen = (offset.float() @ within + clean.flatten()).cpu().numpy()
    held_out = as_images(validation, device)
    noisy = _along(within, corrupt(held_out, generator), clean) - offset.float()

    def inner(penalty: float) -> Tensor:
        ridge = (variances + penalty * torch.eye(len(variances), device=device)).float()  # noise conditions it well
        return torch.cholesky_solve(covariances, torch.linalg.cholesky(ridge))

    def error(penalty: float) -> float:
        cleaned = (noisy @ inner(penalty) @ within + clean.flatten()).clamp(0, 1)
        return float((cleaned - held_out.flatten(1)).square().mean())

    penalty = min(PENALTIES, key=error)
    weight = within.T @ inner(penalty) @ within
    return LinearDenoiser(seen, clean.flatten().cpu().numpy(), weight.cpu().numpy(), penalty)


def _along(basis: Tensor, images: Tensor, origin: Tensor) -> Tensor:
    """Coordinates [N, K], near zero: exact enough in fp32."""
    return (as_images(images) - origin).flatten(1) @ basis.T


def _moments(
    images: Array, clean: Tensor, corrupt: Corrupt, basis: Tensor, generator: torch.Generator, batch: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Along the basis, around the clean mean: the corrupted images' mean [K] and covariance [K, K], in float64, and
    their covariance with the clean ones."""
    size = len(basis)
    total = torch.zeros(size, dtype=torch.float64, device=clean.device)
    variances, covariances = torch.zeros(2, size, size, dtype=torch.float64, device=clean.device)
    for start in range(0, len(images), batch):
        target = as_images(images[start : start + batch])
        seen = _along(basis, corrupt(target, generator), clean)
        total += seen.double().sum(0)
        variances += gram(seen) / len(images)
        covariances += seen.T @ _along(basis, target, clean) / len(images)
    offset = total / len(images)
    return offset, variances - torch.outer(offset, offset), covariances.float()


# ── Total variation ──────────────────────────────────────────────────────────────────────────────────────────────────

WEIGHTS = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)  # strengths tried; larger is smoother


def total_variation(images: Array, weight: float, jobs: int = 1) -> np.ndarray:
    """Each image by itself through scikit-image's Chambolle denoiser, all channels together."""
    from joblib import Parallel, delayed

    pixels = as_images(images).cpu().numpy()
    chunks = np.array_split(pixels, max(1, min(4 * jobs, len(pixels))))
    return np.concatenate(Parallel(n_jobs=jobs)(delayed(_total_variation)(chunk, weight) for chunk in chunks))


def _total_variation(images: np.ndarray, weight: float) -> np.ndarray:
    from skimage.restoration import denoise_tv_chambolle

    smooth = [denoise_tv_chambolle(image, weight=weight, channel_axis=0) for image in images]
    return np.stack(smooth).astype(np.float32) if smooth else images


def choose_weight(noisy: Array, clean: Array, jobs: int = 1) -> float:
    """The strength with the least mean squared error on these (validation) images."""
    target = as_images(clean).cpu().numpy()
    if len(target) == 0:
        raise ValueError("choosing a weight needs images")
    errors = [float(np.square(total_variation(noisy, weight, jobs) - target).mean()) for weight in WEIGHTS]
    return WEIGHTS[int(np.argmin(errors))]
