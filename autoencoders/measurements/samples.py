"""How far images that a model makes up are from real ones, in features that owe nothing to any autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.errors import InputError
from autoencoders.measurements.common import (
    Measured,
    as_bytes,
    chosen,
    features_of,
    fitted_linear_vae,
    row,
    to_unit_range,
)
from autoencoders.measurements.generation import JUDGE
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline, Subject
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset
    from autoencoders.evaluation.mixture import Mixture


@dataclass(frozen=True, kw_only=True)
class RealFeatures(Measurement):
    """The features of a set of test images, and how far a second set is from it: no samples can be nearer than that.

    They are the leading components of random-patch features. Distances in them compare with no others: not with those
    in the features of Inception, for one, which most reports give.
    """

    images: int = 5000  # at most, in each set, and as many samples
    components: int = 64
    fitted: int = 10_000  # training images that the components are fitted to

    @property
    def label(self) -> str:
        return f"{self.components} features of real images"

    def measure(self, subject: Baseline, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import pca
        from autoencoders.evaluation.frechet import measure_frechet

        known = features_of(subject, chosen(data.train, self.fitted)[0], "latent", data, device)
        components = pca.fit_leading(known, min(self.components, *known.shape))
        count = len(components.components)
        images = chosen(data.test, 2 * self.images)[0]
        half = (len(images) + 1) // 2  # of one image, both sets are that one
        sets = (images[:half], images[-half:])
        real, second = (components.embed(features_of(subject, part, "latent", data, device), count) for part in sets)
        floor = row(None, "frechet_real", measure_frechet(real, second).estimate())
        arrays = {"features": real.cpu().numpy(), "mean": components.mean, "components": components.components}
        return Artifact(arrays | {"variances": components.variances}, {"rows": [floor]})


@dataclass(frozen=True, kw_only=True)
class Samples(Measurement):
    """The Fréchet distance of samples from real images, drawn from the prior and from a density fitted to the latents.

    A plain autoencoder has no prior, but its latents have a density, too. A linear VAE's are normal as they are.
    """

    real: RealFeatures = RealFeatures()
    fitted: int = 10_000  # training images whose latents the mixture of Gaussians is fitted to
    examples: int = 32
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "samples"

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        return {"real": (JUDGE, self.real)}

    def measure(self, subject: Measured, data: Dataset, device: str, real: Artifact) -> Artifact:
        from autoencoders.evaluation.frechet import measure_frechet
        from autoencoders.evaluation.pca import PCA

        arrays = dict(real.arrays)
        features = arrays.pop("features")
        components = PCA(**arrays)
        pictures, rows = {}, []
        for name, images in self._samples(subject, len(features), data, device):
            known = components.embed(features_of(JUDGE, images, "latent", data, device), features.shape[1])
            rows.append(row(None, f"frechet_{name}", measure_frechet(features, known).estimate()))
            pictures[f"samples/{name}"] = as_bytes(images[: self.examples])
        return Artifact(pictures, {"rows": rows})

    def _samples(self, subject: Measured, count: int, data: Dataset, device: str) -> Iterator[tuple[str, Tensor]]:
        import torch

        from autoencoders import models

        generator = torch.Generator(device).manual_seed(self.seed)
        if isinstance(subject, Baseline):
            coder = fitted_linear_vae(subject, data, device)
            drawn = coder.decode(torch.randn(count, coder.active, generator=generator, device=device))
            yield "prior", drawn.reshape(count, *data.test.images.shape[1:]).clamp(0, 1)
            return
        if isinstance(subject, models.VariationalAutoencoder):
            yield "prior", models.sample(subject, count, generator)
        density = self._density(subject, data, generator)
        yield "mixture", models.decode(subject, density.sample(count, generator))

    def _density(self, subject: models.Autoencoder, data: Dataset, generator: torch.Generator) -> Mixture:
        """A mixture fitted to what the decoder has learned from: of a VAE, samples of the posteriors."""
        import torch

        from autoencoders import models
        from autoencoders.evaluation import mixture

        images = to_unit_range(chosen(data.train, self.fitted)[0], str(generator.device))
        if isinstance(subject, models.VariationalAutoencoder):
            latents, log_variance = models.posterior(subject, images)
            noise = torch.randn(latents.shape, generator=generator, device=generator.device)
            latents = latents + noise * (0.5 * log_variance).exp()
        else:
            latents = models.embed(subject, images)
        if len(latents) < 2:
            raise InputError("a density of latents needs at least two training images")
        return mixture.fit_mixture(latents, min(mixture.COMPONENTS, len(latents) // 2))
