"""What pages to explore show beside the models that they run: images, classes and a classical denoiser's strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.measurements.common import Measured, chosen, corrupted, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Gaussian
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Gallery(Measurement):
    """Test images to play with, some of each class."""

    each: int = 3

    @property
    def label(self) -> str:
        return f"gallery of {self.each} a class"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        images, labels = self.exhibits(data)
        return Artifact({"images": images.numpy(), "labels": labels.numpy()}, {"classes": list(data.classes)})

    def exhibits(self, data: Dataset) -> tuple[Tensor, Tensor]:
        """Images and labels, sorted by class; within a class, in the fixed order of all measurements."""
        import torch

        images, labels = chosen(data.test, None)
        places = torch.cat([torch.nonzero(labels == kind)[: self.each, 0] for kind in labels.unique()])
        return images[places], labels[places]


@dataclass(frozen=True, kw_only=True)
class Landmarks(Measurement):
    """Where a gallery's images lie in a latent space, and the mean of each class that training images show."""

    gallery: Gallery = Gallery()
    images: int = 5000  # of the training images, for the means

    @property
    def label(self) -> str:
        return "landmarks"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import torch

        from autoencoders import models
        from autoencoders.evaluation.arrays import as_features

        shown = models.embed(subject, to_unit_range(self.gallery.exhibits(data)[0], device))
        images, labels = chosen(data.train, self.images)
        latents, kinds = as_features(models.embed(subject, to_unit_range(images, device))).cpu(), labels.unique()
        means = torch.stack([latents[labels == kind].mean(0) for kind in kinds])
        return Artifact({"images": shown.cpu().numpy(), "means": means.numpy(), "kinds": kinds.numpy()}, {})


@dataclass(frozen=True, kw_only=True)
class Smoothing(Measurement):
    """How strongly total variation should smooth, by the noise level."""

    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5)
    images: int = 10  # of the validation images, at each level
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "smoothing"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import baselines

        clean = to_unit_range(chosen(data.validation, self.images)[0], device)
        noisy = [corrupted(clean, Gaussian(sigma), self.seed + 1) for sigma in self.sigmas]  # not the test's noise
        weights = np.array([baselines.choose_weight(images, clean) for images in noisy])
        return Artifact({"sigmas": np.array(self.sigmas), "weights": weights}, {})
