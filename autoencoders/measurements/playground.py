"""What pages to explore show beside the models that they run: images, classes and a classical denoiser's strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from autoencoders import models
from autoencoders.data import Dataset
from autoencoders.evaluation import baselines
from autoencoders.evaluation.arrays import as_features
from autoencoders.measurements.common import Subject, chosen, corrupted, unit
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Gaussian
from autoencoders.store import Artifact


@dataclass(frozen=True, kw_only=True)
class Gallery(Measurement):
    """Test images to play with, some of each class."""

    function: ClassVar[str] = "autoencoders.measurements.playground:gallery"
    each: int = 3

    @property
    def label(self) -> str:
        return f"gallery of {self.each} a class"


@dataclass(frozen=True, kw_only=True)
class Landmarks(Measurement):
    """Where a gallery's images lie in a latent space, and the mean of each class."""

    function: ClassVar[str] = "autoencoders.measurements.playground:landmarks"
    gallery: Gallery = Gallery()
    images: int = 5000  # of the training images, for the means

    @property
    def label(self) -> str:
        return "landmarks"


@dataclass(frozen=True, kw_only=True)
class Smoothing(Measurement):
    """How strongly total variation should smooth, by the noise level."""

    function: ClassVar[str] = "autoencoders.measurements.playground:smoothing"
    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5)
    images: int = 10  # of the validation images, at each level
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "smoothing"


def gallery(spec: Gallery, subject: Subject, data: Dataset, device: str) -> Artifact:
    images, labels = _exhibits(spec, data)
    return Artifact({"images": images.numpy(), "labels": labels.numpy()}, {"classes": list(data.classes)})


def landmarks(spec: Landmarks, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
    """Classes that no training image shows have no mean, and are left out."""
    shown = models.embed(subject, unit(_exhibits(spec.gallery, data)[0], device))
    images, labels = chosen(data.train, spec.images)
    latents, kinds = as_features(models.embed(subject, unit(images, device))).cpu(), labels.unique()
    means = torch.stack([latents[labels == kind].mean(0) for kind in kinds])
    return Artifact({"images": shown.cpu().numpy(), "means": means.numpy(), "kinds": kinds.numpy()}, {})


def smoothing(spec: Smoothing, subject: Subject, data: Dataset, device: str) -> Artifact:
    clean = unit(chosen(data.validation, spec.images)[0], device)
    noisy = [corrupted(clean, Gaussian(sigma), spec.seed + 1) for sigma in spec.sigmas]  # not the test's noise
    weights = np.array([baselines.choose_weight(images, clean) for images in noisy])
    return Artifact({"sigmas": np.array(spec.sigmas), "weights": weights}, {})


def _exhibits(spec: Gallery, data: Dataset) -> tuple[Tensor, Tensor]:
    """Sorted by class; within a class, in the fixed order of all measurements."""
    images, labels = chosen(data.test, None)
    places = [torch.nonzero(labels == kind)[: spec.each, 0] for kind in labels.unique()]
    return images[torch.cat(places)], labels[torch.cat(places)]
