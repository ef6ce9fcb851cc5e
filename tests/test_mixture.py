"""A mixture of Gaussians that recovers what its latents were drawn from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from autoencoders.evaluation.mixture import Mixture, fit_mixture


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def two_clouds(count: int = 4000) -> torch.Tensor:
    """A quarter near (100, 0), the rest near (0, 1); the first coordinate is a hundred times the other's scale."""
    noise = torch.randn(count, 2, generator=generator()) * torch.tensor([10.0, 0.1])
    first = torch.rand(count, generator=generator(1)) < 0.25
    return noise + torch.where(first[:, None], torch.tensor([100.0, 0.0]), torch.tensor([0.0, 1.0]))


def correlated(count: int = 5000) -> torch.Tensor:
    return torch.randn(count, 2, generator=generator()) @ torch.tensor([[1.0, 0.8], [0.0, 0.6]]) + 3


def test_clouds_are_found_with_their_shares() -> None:
    found = fit_mixture(two_clouds(), components=2)
    order = np.argsort(found.weights)
    assert found.weights[order] == pytest.approx([0.25, 0.75], abs=0.02)
    assert found.means[order] == pytest.approx(np.array([[100, 0], [0, 1]]), abs=1)
    covariances = found.factors @ found.factors.transpose(0, 2, 1)
    assert np.sqrt(covariances[:, 0, 0]) == pytest.approx([10, 10], rel=0.05)
    assert np.sqrt(covariances[:, 1, 1]) == pytest.approx([0.1, 0.1], rel=0.05)


def test_samples_have_the_moments_of_the_latents() -> None:
    latents = correlated()
    samples = fit_mixture(latents, components=3).sample(20_000, generator())
    assert samples.mean(0).numpy() == pytest.approx(latents.mean(0).numpy(), abs=0.05)
    assert torch.cov(samples.T).numpy() == pytest.approx(torch.cov(latents.T).numpy(), abs=0.05)


@pytest.mark.parametrize("temperature", [0.0, 0.25, 4.0])
def test_temperature_scales_the_covariance_about_each_mean(temperature: float) -> None:
    samples = fit_mixture(correlated(), components=1).sample(20_000, generator(), temperature=temperature)
    assert torch.cov(samples.T).numpy() == pytest.approx(temperature * torch.cov(correlated().T).numpy(), rel=0.05)
    assert samples.mean(0).numpy() == pytest.approx([3, 3], abs=0.1)


def test_fits_and_samples_are_seeded_and_survive_storage() -> None:
    found = fit_mixture(two_clouds(500), components=3)
    again = Mixture(**dataclasses.asdict(fit_mixture(two_clouds(500), components=3)))
    assert torch.equal(found.sample(9, generator()), again.sample(9, generator()))
    assert not torch.equal(found.sample(9, generator()), found.sample(9, generator(1)))


def test_dimensions_that_do_not_vary_stay_where_they_are() -> None:
    latents = torch.cat([correlated(500), torch.full((500, 1), 7.0)], 1)
    samples = fit_mixture(latents, components=2).sample(100, generator())
    assert samples[:, 2].numpy() == pytest.approx(np.full(100, 7.0), abs=0.1)


def test_too_few_latents_and_negative_temperatures_are_refused() -> None:
    with pytest.raises(ValueError, match="at least as many"):
        fit_mixture(correlated(3), components=4)
    with pytest.raises(ValueError, match="temperature"):
        fit_mixture(correlated(50), components=1).sample(1, generator(), temperature=-1.0)
