"""A VAE by its likelihood: what a code for an image costs, which latent units carry it, and what it buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from autoencoders.measurements.common import (
    chosen,
    exactly,
    fitted_linear_vae,
    fitted_pca,
    resampled,
    row,
    to_unit_range,
)
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset
    from autoencoders.evaluation.linear_vae import LinearVAE

Coder: TypeAlias = "models.VariationalAutoencoder | LinearVAE"
TRAINING_IMAGES = 10_000  # that a linear VAE's variance is set by
SHARE = 0.9  # of the KL divergence, which few units may carry


@dataclass(frozen=True, kw_only=True)
class Likelihood(Measurement):
    """Bits per dimension of each image, its KL divergence from the prior, and what each latent unit carries of it.

    Latents are drawn once from each posterior. The decoder's variance is the one that training images have set.
    """

    split: Literal["validation", "test"] = "test"
    images: int | None = None
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "likelihood" if self.split == "test" else f"likelihood of {self.split} images"

    def measure(self, subject: models.VariationalAutoencoder | Baseline, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import latent, likelihood

        images, _ = chosen(data.test if self.split == "test" else data.validation, self.images)
        clean = to_unit_range(images, device)
        coder = fitted_linear_vae(subject, data, device) if isinstance(subject, Baseline) else subject
        variance = self._variance(coder, data, device)
        mean, log_variance = _posterior(coder, clean)
        output = _decoded_sample(coder, mean, log_variance, self.seed, clean)
        kl = likelihood.posterior_kl(mean, log_variance)
        bits = likelihood.bits_per_dimension(clean, output, kl, variance)
        arrays = {"bits_per_dim": bits.mass, "bits_per_dim_density": bits.density, "kl": kl}
        arrays["bits_per_dim_as_trained"] = _density_as_trained(coder, clean, output, kl, bits.density)
        units = latent.kl_per_dimension(mean, log_variance)
        active = latent.active_units(mean)
        rows = [resampled(None, metric, values) | {"split": self.split} for metric, values in arrays.items()]
        counted = {
            "active_units": active.sum(),
            "active_kl": units[active].sum(),
            "carrying_units": latent.units_that_carry(units, SHARE),
            "decoder_variance": variance,
        }
        for metric, value in counted.items():
            rows.append(row(None, metric, exactly(float(value), len(clean)), split=self.split))
        return Artifact(arrays | {"unit_kl": units, "active": active}, {"rows": rows})

    def _variance(self, coder: Coder, data: Dataset, device: str) -> float:
        from autoencoders import models
        from autoencoders.evaluation import likelihood

        if isinstance(coder, models.VariationalAutoencoder):
            return max(float(coder.variance), likelihood.LEAST_VARIANCE)
        clean = to_unit_range(chosen(data.train, TRAINING_IMAGES)[0], device)
        output = _decoded_sample(coder, *coder.posterior(clean), self.seed + 1, clean)
        return likelihood.calibrated_variance(clean, output)


def _posterior(coder: Coder, images: Tensor) -> tuple[Tensor, Tensor]:
    from autoencoders import models

    if isinstance(coder, models.VariationalAutoencoder):
        return models.posterior(coder, images)
    return coder.posterior(images)


def _decoded_sample(coder: Coder, mean: Tensor, log_variance: Tensor, seed: int, images: Tensor) -> Tensor:
    """Unclipped images, each decoded from one sample of its posterior."""
    import torch

    from autoencoders import models

    noise = torch.randn(mean.shape, generator=torch.Generator(mean.device).manual_seed(seed), device=mean.device)
    latents = mean + noise * (0.5 * log_variance).exp()
    if isinstance(coder, models.VariationalAutoencoder):
        return models.decode(coder, latents, clipped=False)
    return coder.decode(latents).reshape(images.shape)


def _density_as_trained(
    coder: Coder, images: Tensor, output: Tensor, kl: np.ndarray, set_now: np.ndarray
) -> np.ndarray:
    """Bits by the density with the variance that a fixed β stands for, β / 2; calibrated, it is the one set now.

    A linear VAE's bound is tight: its density is known, and nothing has to be sampled.
    """
    from autoencoders import models
    from autoencoders.evaluation import likelihood

    if not isinstance(coder, models.VariationalAutoencoder):
        return coder.bits_per_dimension(images)
    return likelihood.bits_per_dimension(images, output, kl, coder.beta / 2).density if coder.beta else set_now


@dataclass(frozen=True, kw_only=True)
class RateDistortion(Measurement):
    """How well the closed-form linear VAE reconstructs test images, and at what KL divergence, by β."""

    betas: tuple[float, ...] = (4.0, 2.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
    images: int | None = None

    @property
    def label(self) -> str:
        return "rate and distortion by β"

    def measure(self, subject: Baseline, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        from autoencoders.evaluation import metrics
        from autoencoders.evaluation.linear_vae import fit_linear_vae

        clean = to_unit_range(chosen(data.test, self.images)[0], device)
        components, whole = fitted_pca(data, device), torch.ones_like(clean[:, :1], dtype=torch.bool)
        curve: dict[str, list[float]] = {"kl": [], "psnr_pooled": []}
        rows = []
        for beta in self.betas:
            coder = fit_linear_vae(components, beta / 2, subject.size)
            errors = metrics.compare(clean, coder.reconstruct(clean).clamp(0, 1), whole)  # without their SSIM
            found = metrics.summarise(errors | {"kl": coder.kl(clean)})
            for name, values in curve.items():
                values.append(found[name].value)
            rows += [row(None, f"{name}:{beta:g}", found[name]) for name in ("psnr_mean", *curve)]
            rows.append(row(None, f"active_units:{beta:g}", exactly(coder.active, len(clean))))
        arrays = {name: np.array(values) for name, values in curve.items()}
        return Artifact(arrays | {"beta": np.array(self.betas)}, {"rows": rows})
