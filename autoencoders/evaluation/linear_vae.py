"""The best linear VAE in closed form: what a VAE must beat before its convolutions can be said to matter.

With a linear decoder, a Gaussian likelihood of variance s and a standard normal prior, the evidence lower bound is
tight and probabilistic PCA attains its maximum (Tipping and Bishop 1999; Lucas et al. 2019). Each principal direction
whose variance λ exceeds s becomes an active unit with a KL divergence of ½ ln(λ / s) nats on average; the others stay
at the prior. Training on summed squared error + β·KL is the likelihood of variance s = β/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, full_precision
from autoencoders.evaluation.likelihood import LEAST_VARIANCE, LEVELS
from autoencoders.evaluation.pca import PCA


@dataclass(frozen=True)
class LinearVAE:
    """The optimum for one decoder variance, as plain arrays; latents are in the order of the principal components."""

    mean: np.ndarray  # [D]
    basis: np.ndarray  # [K, D], orthonormal rows: the active units' directions
    variances: np.ndarray  # [K], the training images' variance along each
    variance: float  # the decoder's

    @property
    def active(self) -> int:
        """How many units are active."""
        return len(self.variances)

    @property
    def logvar(self) -> np.ndarray:
        """The posterior's log-variance [K], which is the same for all images."""
        return np.log(self.variance / self.variances)

    @property
    def nats(self) -> float:
        """The KL divergence of the posteriors from the prior, averaged over the training images."""
        return float(-0.5 * self.logvar.sum())

    @full_precision()
    def encode(self, images: Array) -> Tensor:
        """The posterior means [N, K]."""
        pixels = as_features(images)
        return (pixels - self._like(self.mean, pixels)) @ self._like(self._encoder, pixels).T

    def posterior(self, images: Array) -> tuple[Tensor, Tensor]:
        """Means and log-variances [N, K]."""
        means = self.encode(images)
        return means, self._like(self.logvar, means).expand(means.shape)

    @full_precision()
    def decode(self, latents: Tensor) -> Tensor:
        """Unclipped pixels [N, D] from latents [N, K]."""
        return latents @ self._like(self._decoder, latents) + self._like(self.mean, latents)

    def reconstruct(self, images: Array) -> Tensor:
        """Unclipped images, of the shape that came in, decoded from the posterior means."""
        return self.decode(self.encode(images)).reshape(images.shape)

    def kl(self, images: Array) -> np.ndarray:
        """Each image's KL divergence [N] from the prior in nats."""
        squares = self.encode(images).double().square().sum(1).cpu().numpy()
        return 0.5 * (squares + (np.exp(self.logvar) - self.logvar - 1).sum())

    @full_precision()
    def bits_per_dimension(self, images: Array) -> np.ndarray:
        """Each image's bits per dimension [N] from its exact density, plus 8 for the 256 levels of a pixel."""
        pixels = as_features(images)
        centred = pixels - self._like(self.mean, pixels)
        along = (centred @ self._like(self.basis, pixels).T).double().square()
        rest = centred.double().square().sum(1) - along.sum(1)
        size = centred.shape[1]
        distance = (along / self._like(self.variances, along)).sum(1) + rest / self.variance
        volume = float(np.log(self.variances).sum()) + (size - self.active) * math.log(self.variance)
        nats = 0.5 * (distance + volume + size * math.log(2 * math.pi))
        return (nats / (size * math.log(2)) + math.log2(LEVELS)).cpu().numpy()

    @property
    def _encoder(self) -> np.ndarray:
        return self.basis * (np.sqrt(self.variances - self.variance) / self.variances)[:, None]

    @property
    def _decoder(self) -> np.ndarray:
        return self.basis * np.sqrt(self.variances - self.variance)[:, None]

    def _like(self, values: np.ndarray, tensor: Tensor) -> Tensor:
        return torch.as_tensor(values, dtype=tensor.dtype, device=tensor.device)


def fit_linear_vae(pca: PCA, variance: float, latent: int = 128) -> LinearVAE:
    """The optimum with at most so many latents for a decoder's variance: β/2 for squared error + β·KL."""
    if not 0 < variance < math.inf:
        raise ValueError(f"the variance must be positive and finite, not {variance}")
    active = int((pca.variances[:latent] > variance).sum())
    return LinearVAE(pca.mean, pca.components[:active], pca.variances[:active].astype(np.float64), variance)


def fit_probabilistic_pca(pca: PCA, latent: int = 128) -> LinearVAE:
    """The linear VAE whose variance is calibrated too: the mean of the variances that it leaves out."""
    if len(pca.variances) != len(pca.mean):
        raise ValueError("probabilistic PCA needs the variance of every principal component")
    if latent >= len(pca.variances):
        raise ValueError(f"{latent} latents leave no variance of {len(pca.variances)} dimensions to the decoder")
    left_out = float(pca.variances[latent:].mean(dtype=np.float64))
    return fit_linear_vae(pca, max(LEAST_VARIANCE, left_out), latent)
