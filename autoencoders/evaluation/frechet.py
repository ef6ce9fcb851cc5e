"""How far two sets of images are apart in features: the Fréchet distance of two Gaussians (Heusel et al. 2017).

Its value depends on the features; those of this project aren't Inception's, so it compares with nothing elsewhere.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features
from autoencoders.evaluation.statistics import Measured

GROUPS = 10  # that a set is cut into, each left out once, for the standard error


def measure_frechet(a: Array, b: Array) -> Measured:
    """The distance with its standard error by the jackknife, both sets being samples; few of them have none."""
    first, second = as_features(a), as_features(b)
    count = min(len(first), len(second))
    variance = math.nan
    if count >= 2 * GROUPS:
        variance = _jackknifed([frechet_distance(part, second) for part in _without_each(first)])
        variance += _jackknifed([frechet_distance(first, part) for part in _without_each(second)])
    return Measured(frechet_distance(first, second), math.sqrt(variance), GROUPS - 1, count, 1)


def _without_each(samples: Tensor) -> list[Tensor]:
    parts = samples.tensor_split(GROUPS)
    return [torch.cat([*parts[:index], *parts[index + 1 :]]) for index in range(GROUPS)]


def _jackknifed(values: list[float]) -> float:
    """The variance of what was computed without each group in turn."""
    mean = sum(values) / len(values)
    return (len(values) - 1) / len(values) * sum((value - mean) ** 2 for value in values)


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
