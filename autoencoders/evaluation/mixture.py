"""A density fitted to latents afterwards, to sample from: a prior for models that have none, or a better one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features

COMPONENTS = 10


@dataclass(frozen=True)
class Mixture:
    """Gaussians with full covariances, as plain arrays: `Mixture(**arrays)` brings a stored one back."""

    weights: np.ndarray  # [K]
    means: np.ndarray  # [K, D]
    factors: np.ndarray  # [K, D, D], lower triangular: covariance = factor · factorᵀ

    def sample(self, count: int, generator: torch.Generator, *, temperature: float = 1.0) -> Tensor:
        """Latents [count, D] on the generator's device; the temperature multiplies each Gaussian's covariance."""
        if temperature < 0:
            raise ValueError(f"a temperature is at least 0, not {temperature}")
        device = generator.device
        weights, means, factors = (
            torch.as_tensor(part, dtype=torch.float32, device=device)
            for part in (self.weights, self.means, self.factors)
        )
        chosen = torch.multinomial(weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, means.shape[1], generator=generator, device=device) * temperature**0.5
        samples = means[chosen]
        for index, factor in enumerate(factors):  # a factor for each sample would fill the memory
            members = chosen == index
            samples[members] += noise[members] @ factor.T
        return samples


def fit_mixture(latents: Array, components: int = COMPONENTS, seed: int = 0) -> Mixture:
    """By expectation maximisation from scikit-learn; latents are standardised first, so that its constant for the
    covariances' diagonal means the same for all. Some ten thousand latents do for 128 dimensions."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    space = as_features(latents).double().cpu().numpy()
    if len(space) < components:
        raise ValueError(f"{components} components need at least as many latents, not {len(space)}")
    mean, scale = space.mean(0), space.std(0)
    scale[scale <= 1e-6 * np.abs(mean)] = 1.0
    fit = GaussianMixture(components, reg_covar=1e-4, random_state=seed, max_iter=15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a density nearly the best is as good to sample from
        fit.fit((space - mean) / scale)
    factors = np.linalg.cholesky(fit.covariances_) * scale[:, None]
    return Mixture(fit.weights_, fit.means_ * scale + mean, factors)
