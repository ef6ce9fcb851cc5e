"""How far two sets of images are apart in features: the Fréchet distance of two Gaussians (Heusel et al. 2017).

Its value depends on the features; those of this project aren't Inception's, so it compares with nothing elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features


def frechet_distance(a: Array, b: Array) -> float:
    """|μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a^½ Σ_b Σ_a^½)^½) of features [N, D]; 0 for equal moments.

    Both sets need many more samples than features, which `probes.reduce` can see to, and comparisons equal numbers of
    them: the distance of two samples of one distribution is positive and falls with their size.
    """
    first, second = as_features(a).double(), as_features(b).double()
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"both sets need the same features: {list(first.shape)} and {list(second.shape)}")
    (mean, covariance), (other_mean, other_covariance) = _moments(first), _moments(second.to(first.device))
    root = _square_root(covariance)
    shared = torch.linalg.eigvalsh(root @ other_covariance @ root).clamp(min=0).sqrt().sum()
    distance = (mean - other_mean).square().sum() + covariance.trace() + other_covariance.trace() - 2 * shared
    return max(0.0, float(distance))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / len(features)


def _square_root(covariance: Tensor) -> Tensor:
    """By eigenvalues, of which rounding may have made some negative."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
