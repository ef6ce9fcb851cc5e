"""Principal component analysis by the exact covariance: one fit serves every number of components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, full_precision, gram


@dataclass(frozen=True)
class PCA:
    """Plain arrays, strongest component first: `PCA(**arrays)` brings a stored one back."""

    mean: np.ndarray  # [D]
    components: np.ndarray  # [K, D], orthonormal rows
    variances: np.ndarray  # [K]

    @full_precision()
    def embed(self, samples: Array, k: int) -> Tensor:
        """The first k coordinates [N, k] of images or features."""
        features = as_features(samples)
        return (features - self._mean(features)) @ self._basis(features, k).T

    @full_precision()
    def reconstruct(self, images: Array, k: int) -> Tensor:
        """Images, clipped to [0, 1], as seen through their first k coordinates; k = 0 gives the mean image."""
        return self.decode(self.embed(images, k)).clamp(0, 1).reshape(images.shape)

    @full_precision()
    def decode(self, coordinates: Tensor) -> Tensor:
        """Samples [N, D] from their first coordinates."""
        return coordinates @ self._basis(coordinates, coordinates.shape[1]) + self._mean(coordinates)

    def _mean(self, like: Tensor) -> Tensor:
        return torch.as_tensor(self.mean, device=like.device)

    def _basis(self, like: Tensor, k: int) -> Tensor:
        if not 0 <= k <= len(self.components):
            raise ValueError(f"k must be from 0 to the {len(self.components)} components fitted, not {k}")
        return torch.as_tensor(self.components[:k], device=like.device)


@full_precision()
def fit_leading(samples: Array, size: int, seed: int = 0) -> PCA:
    """The leading components alone, by randomised subspace iteration: a fraction of the exact fit's cost."""
    features = as_features(samples)
    mean = features.mean(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, spread, vectors = torch.svd_lowrank(features - mean, q=min(size + 32, *features.shape), niter=2)
    variances = spread[:size].square() / len(features)
    return PCA(mean.cpu().numpy(), vectors[:, :size].T.contiguous().cpu().numpy(), variances.cpu().numpy())


@full_precision()
def fit_pca(samples: Array, size: int | None = None, batch: int = 5000) -> PCA:
    """Fit on images or features [N, ...], keeping `size` components (None: as many as there are dimensions)."""
    dimensions = as_features(samples[:1]).shape[1]
    parts = [slice(start, start + batch) for start in range(0, len(samples), batch)]
    mean = torch.stack([as_features(samples[rows]).double().sum(0) for rows in parts]).sum(0).div(len(samples)).float()
    if len(samples) < dimensions:  # in a fraction of the time; directions in which nothing varies come last
        _, spread, components = torch.linalg.svd(as_features(samples) - mean, full_matrices=True)
        variances = torch.zeros_like(mean)
        variances[: len(spread)] = spread.square() / len(samples)
    else:
        covariance = torch.zeros(dimensions, dimensions, device=mean.device)
        for rows in parts:
            covariance += gram(as_features(samples[rows]) - mean) / len(samples)
        ascending, vectors = torch.linalg.eigh(covariance)
        variances, components = ascending.flip(0).clamp(min=0), vectors.flip(1).T
    return PCA(
        mean=mean.cpu().numpy(),
        components=components[:size].contiguous().cpu().numpy(),
        variances=variances[:size].cpu().numpy(),
    )
