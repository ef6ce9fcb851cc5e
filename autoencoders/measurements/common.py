"""What all measurements share: which images, how they are shown, and how a figure becomes a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoencoders import config, corruption, models
from autoencoders.data import Dataset, Split
from autoencoders.evaluation import patches, pca
from autoencoders.evaluation.statistics import Estimate

Subject = models.Autoencoder | config.Baseline


def row(what: config.Input, metric: str, figure: Estimate, region: str = "all", split: str = "test") -> dict[str, Any]:
    head = {"split": split, "input": config.describe(what), "region": region, "metric": metric}
    return head | figure._asdict()


def exactly(value: float, n: int) -> Estimate:
    """A figure of the whole sample, for which no interval is computed."""
    return Estimate(value, float("nan"), float("nan"), n)


def chosen(split: Split, count: int | None) -> tuple[Tensor, Tensor]:
    """So many images and labels in one fixed random order: test sets may come sorted by class."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:count]
    return split.images[order], split.labels[order]


def unit(images: Tensor, device: str) -> Tensor:
    return images.to(device).float() / 255


def corrupted(images: Tensor, what: config.Corruption | None, seed: int) -> Tensor:
    return corruption.corrupt(images, what, torch.Generator(images.device).manual_seed(seed))


def as_bytes(images: Tensor) -> np.ndarray:
    return images.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()


def features_of(subject: Subject, images: Tensor, features: str, data: Dataset, device: str) -> Tensor:
    """Embeddings [N, …] of uint8 or float images."""
    if not isinstance(subject, config.Baseline):
        embed = models.embed if features == "latent" else models.feature_map
        return embed(subject, images).to(device)
    scaled = unit(images, device) if images.dtype == torch.uint8 else images
    if subject.method == "pca":
        return pca.fit_pca(data.train.images.to(device), subject.size).embed(scaled, subject.size)
    if subject.method == "patches":
        return patches.fit_patches(data.train.images.to(device)).embed(scaled)
    return scaled.flatten(1)
