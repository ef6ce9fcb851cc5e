"""What all measurements share: which images, how they are shown, and how a value becomes a row."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from autoencoders.specs import Baseline, Corruption, Disturbance, Input, describe

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset, Split
    from autoencoders.evaluation import baselines, patches, pca
    from autoencoders.evaluation.linear_vae import LinearVAE
    from autoencoders.evaluation.statistics import Estimate

Measured: TypeAlias = "models.Autoencoder | Baseline"


def row(what: Input, metric: str, value: Estimate, region: str = "all", split: str = "test") -> dict[str, Any]:
    head = {"split": split, "input": describe(what), "region": region, "metric": metric}
    return head | value._asdict()


def resampled(what: Input, metric: str, values: np.ndarray) -> dict[str, Any]:
    """A row of the values' mean, with its interval by the bootstrap."""
    from autoencoders.evaluation.statistics import bootstrap

    return row(what, metric, bootstrap(values))


def exactly(value: float, n: int) -> Estimate:
    """A value of the whole sample, for which no interval is computed."""
    from autoencoders.evaluation.statistics import Estimate

    return Estimate(value, float("nan"), float("nan"), n)


def chosen(split: Split, count: int | None) -> tuple[Tensor, Tensor]:
    """So many images and labels in one fixed random order: test sets may come sorted by class."""
    import torch

    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:count]
    return split.images[order], split.labels[order]


def to_unit_range(images: Tensor, device: str) -> Tensor:
    """uint8 images as floats in [0, 1]."""
    return images.to(device).float().contiguous() / 255  # the order in memory decides how sums are rounded


def corrupted(images: Tensor, what: Corruption | Disturbance | None, seed: int) -> Tensor:
    import torch

    from autoencoders import corruption
    from autoencoders.evaluation import disturbances

    generator = torch.Generator(images.device).manual_seed(seed)
    if isinstance(what, Disturbance):
        return disturbances.disturb(images, what, generator)
    return corruption.corrupt(images, what, generator)


def as_bytes(images: Tensor) -> np.ndarray:
    return images.clamp(0, 1).mul(255).round().byte().cpu().numpy()


MOST_FEATURES = 2048  # a linear probe's cost grows with their cube


def features_of(subject: Measured, images: Tensor, features: str, data: Dataset, device: str) -> Tensor:
    """Embeddings [N, D] of uint8 or float images; a larger map is averaged, 2×2 cells into one."""
    from autoencoders import models

    if not isinstance(subject, Baseline):
        if features == "latent":
            return models.embed(subject, images).to(device).flatten(1)
        return _averaged(models.feature_map(subject, images).to(device)).flatten(1)
    scaled = images if images.is_floating_point() else to_unit_range(images, device)
    if subject.method == "pca":
        return fitted_pca(data, device).embed(scaled, subject.size)
    if subject.method == "patches":
        return _fitted_patches(data, device).embed(scaled)
    return scaled.flatten(1)


def _averaged(maps: Tensor) -> Tensor:
    from torch.nn.functional import avg_pool2d

    while maps[0].numel() > MOST_FEATURES and min(maps.shape[2:]) > 1:
        maps = avg_pool2d(maps, 2)
    return maps


@functools.lru_cache(maxsize=1)  # a data set is loaded once in a process, and many measurements ask
def fitted_pca(data: Dataset, device: str) -> pca.PCA:
    """All components that the training images have; each use takes as many of the first as it wants."""
    from autoencoders.evaluation import pca

    return pca.fit_pca(data.train.images.to(device))


def fitted_linear_vae(baseline: Baseline, data: Dataset, device: str) -> LinearVAE:
    """The linear VAE of β = 1, or the calibrated one, which is probabilistic PCA."""
    from autoencoders.evaluation import linear_vae

    components = fitted_pca(data, device)
    if baseline.method == "ppca":
        return linear_vae.fit_probabilistic_pca(components, baseline.size)
    return linear_vae.fit_linear_vae(components, 0.5, baseline.size)


@functools.lru_cache(maxsize=1)
def _fitted_patches(data: Dataset, device: str) -> patches.PatchFeatures:
    from autoencoders.evaluation import patches

    return patches.fit_patches(data.train.images.to(device))


@functools.lru_cache(maxsize=1)
def along_directions(data: Dataset, device: str, most: int) -> baselines.Directions:
    """The training images along so many of their leading directions."""
    from autoencoders.evaluation import baselines

    return baselines.along(data.train.images.to(device), fitted_pca(data, device).components[:most])
