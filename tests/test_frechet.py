"""Fréchet distance against closed forms and SciPy's matrix square root."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import linalg

from autoencoders.evaluation.frechet import frechet_distance, measure_frechet


def with_moments(mean: list[float], covariance: np.ndarray, count: int = 300, seed: int = 0) -> torch.Tensor:
    """Samples whose mean and covariance are exactly these."""
    white = np.random.default_rng(seed).normal(size=(count, len(mean)))
    white -= white.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(white.T @ white / count)).T
    return torch.as_tensor(white @ np.linalg.cholesky(covariance).T + mean)


def test_distance_of_samples_with_equal_moments_is_zero() -> None:
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    a, b = (with_moments([1.0, 2.0], covariance, seed=seed) for seed in (0, 1))
    assert frechet_distance(a, b) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_distance_of_shifted_samples_is_the_square_of_the_shift() -> None:
    a = with_moments([0.0, 0.0], np.eye(2))
    assert frechet_distance(a, a + torch.tensor([3.0, 4.0])) == pytest.approx(25, rel=1e-5)


def test_distance_of_aligned_gaussians_compares_their_deviations() -> None:
    a, b = with_moments([0.0] * 3, np.diag([1.0, 4.0, 9.0])), with_moments([0.0] * 3, np.diag([4.0, 4.0, 1.0]), seed=1)
    assert frechet_distance(a, b) == pytest.approx((2 - 1) ** 2 + 0 + (3 - 1) ** 2, rel=1e-5)


def test_distance_equals_the_one_by_scipy_and_is_symmetric() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(150, 6)) @ rng.normal(size=(6, 6)) + 1
    s, t = np.cov(a.T, bias=True), np.cov(b.T, bias=True)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(s + t - 2 * linalg.sqrtm(s @ t).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-4)


def test_features_that_do_not_vary_have_a_distance() -> None:
    a = with_moments([0.0, 0.0], np.diag([4.0, 1.0]))
    flat = torch.cat([a[:, :1], torch.zeros(300, 1)], 1)
    assert frechet_distance(a, flat) == pytest.approx(1.0, rel=1e-5)
    assert frechet_distance(torch.ones(5, 2), torch.zeros(4, 2)) == pytest.approx(2.0)


def test_more_samples_bring_two_draws_of_one_distribution_closer() -> None:
    def distance(count: int) -> float:
        a, b = torch.randn(2, count, 8, generator=torch.Generator().manual_seed(0))
        return frechet_distance(a, b)

    assert distance(4000) < distance(400) / 5


def test_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match="same features"):
        frechet_distance(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="NaN"):
        frechet_distance(torch.full((3, 2), torch.nan), torch.zeros(3, 2))


def test_standard_error_is_the_spread_over_samples() -> None:
    """Of distances between fresh samples of the same two Gaussians, a unit apart."""

    def samples(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        a, b = torch.randn(2, 500, 3, generator=torch.Generator().manual_seed(seed))
        return a, b * torch.tensor([1.0, 2.0, 1.0]) + torch.tensor([1.0, 0.0, 0.0])

    found = [measure_frechet(*samples(seed)) for seed in range(40)]
    spread = np.std([each.value for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.3)
    assert found[0].value == frechet_distance(*samples(0))
    assert found[0].n == 500


def test_few_samples_have_no_interval() -> None:
    found = measure_frechet(torch.randn(19, 2), torch.randn(500, 2))
    assert np.isnan(found.error)
    assert found.estimate().lo == -np.inf
