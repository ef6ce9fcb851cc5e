"""What pages to explore show that no table does: images to learn from, components, a density, outputs of all sizes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from autoencoders.measurements.common import Measured, as_bytes, chosen, fitted_pca, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.samples import Samples
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from autoencoders import models
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Lessons(Measurement):
    """Training images for a model that learns in a browser, and validation images to ask it about."""

    train: int = 256
    held_out: int = 24

    @property
    def label(self) -> str:
        return f"{self.train} images to learn from"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        train, held_out = chosen(data.train, self.train)[0], chosen(data.validation, self.held_out)[0]
        return Artifact({"train": train.numpy(), "held_out": held_out.numpy()}, {})


@dataclass(frozen=True, kw_only=True)
class Components(Measurement):
    """The leading principal components of training images, in half precision."""

    most: int = 384

    @property
    def label(self) -> str:
        return "leading components"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np

        fitted = fitted_pca(data, device)
        arrays = {"mean": fitted.mean, "components": fitted.components[: self.most]}
        return Artifact({name: array.astype(np.float16) for name, array in arrays.items()}, {})


@dataclass(frozen=True, kw_only=True)
class Rebuilt(Measurement):
    """A gallery's images as a model reconstructs them."""

    gallery: Gallery = field(default_factory=Gallery)

    @property
    def label(self) -> str:
        return "gallery, reconstructed"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        from autoencoders import models
        from autoencoders.evaluation.arrays import as_images

        images = to_unit_range(self.gallery.exhibits(data)[0], device)
        return Artifact({"images": as_bytes(as_images(models.reconstruct(subject, images)))}, {})


@dataclass(frozen=True, kw_only=True)
class Density(Measurement):
    """The mixture of Gaussians that samples are drawn from, to be drawn from again, in half precision."""

    samples: Samples = field(default_factory=Samples)

    @property
    def label(self) -> str:
        return "density of latents"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        generator = torch.Generator(device).manual_seed(self.samples.seed)
        mixture = self.samples._density(subject, data, generator)
        return Artifact({name: np.asarray(part, np.float16) for name, part in asdict(mixture).items()}, {})
