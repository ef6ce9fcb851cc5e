"""Bits per dimension against the normal distribution of SciPy, far into its tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from autoencoders.evaluation.likelihood import (
    bits_per_dimension,
    calibrated_variance,
    log_density,
    log_mass,
    posterior_kl,
)


def levels(count: int, side: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, 3, side, side), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def normal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def all_levels() -> torch.Tensor:
    return (torch.arange(256).double() / 255).reshape(256, 1, 1, 1)


@pytest.mark.parametrize("variance", [1e-6, 0.005, 0.5, 30.0])
@pytest.mark.parametrize("centre", [-0.4, 0.0, 0.3, 1.0, 2.5])
def test_masses_of_all_levels_sum_to_one(centre: float, variance: float) -> None:
    logs = log_mass(all_levels(), torch.full((256, 1, 1, 1), centre, dtype=torch.float64), variance)
    assert float(logs.exp().sum()) == pytest.approx(1, abs=1e-9)


def test_mass_of_a_bin_is_a_difference_of_distribution_functions() -> None:
    centre, scale = 0.3, 0.1
    logs = log_mass(all_levels(), torch.full((256, 1, 1, 1), centre, dtype=torch.float64), scale**2)
    edges = np.r_[-np.inf, (np.arange(255) + 0.5) / 255, np.inf]
    expected = np.diff(stats.norm.cdf(edges, centre, scale))
    assert logs.exp().numpy() == pytest.approx(expected, abs=1e-14)


def test_mass_keeps_its_digits_on_both_tails() -> None:
    """White under a decoder sure of black, and the reverse; a difference of distribution functions is 0 there."""
    pixels = torch.tensor([254.0, 1.0]).double().reshape(2, 1, 1, 1) / 255
    logs = log_mass(pixels, torch.tensor([0.0, 1.0]).double().reshape(2, 1, 1, 1), 1e-4)
    near, far = stats.norm.logsf([253.5 / 2.55, 254.5 / 2.55])
    assert logs.tolist() == pytest.approx([near + math.log1p(-math.exp(far - near))] * 2, rel=1e-12)
    assert logs[0] < -4000


def test_mass_nears_the_density_where_bins_are_small() -> None:
    images = levels(4).clamp(20, 235).double() / 255
    outputs = images + 0.3 * normal(*images.shape)
    mass, density = log_mass(images, outputs, 0.09), log_density(images, outputs, 0.09)
    size = images[0].numel()
    assert mass.numpy() == pytest.approx((density - size * math.log(255)).numpy(), abs=1e-3)


def test_density_equals_scipy() -> None:
    images, outputs = normal(3, 1, 4, 4).double(), normal(3, 1, 4, 4, seed=2).double()
    expected = stats.norm.logpdf(images.numpy(), outputs.numpy(), math.sqrt(0.2)).sum((1, 2, 3))
    assert log_density(images, outputs, 0.2).numpy() == pytest.approx(expected)


def test_bits_of_a_wide_decoder_count_its_width() -> None:
    """A Gaussian far wider than [0, 1] is flat inside; mass and density differ by bins of 1/255, not 1/256."""
    images = levels(5).clamp(1, 254)
    found = bits_per_dimension(images, torch.full(images.shape, 0.5), np.zeros(5), 1e4)
    assert found.density == pytest.approx(np.full(5, 8 + math.log2(100 * math.sqrt(2 * math.pi))), abs=1e-4)
    assert found.mass - found.density == pytest.approx(np.full(5, math.log2(255 / 256)), abs=1e-4)


def test_bits_of_a_perfect_decoder_are_the_kl_alone() -> None:
    images = levels(3)
    found = bits_per_dimension(images, images.float() / 255, np.array([0.0, 10.0, 20.0]), 1e-8)
    assert found.mass == pytest.approx(np.array([0.0, 10.0, 20.0]) / (192 * math.log(2)), abs=1e-6)


def test_bits_do_not_depend_on_batches_or_on_bytes_or_floats() -> None:
    images, kl = levels(7), np.arange(7.0)
    outputs = images.float() / 255 + 0.1 * normal(*images.shape)
    whole = bits_per_dimension(images, outputs, kl, 0.01)
    parts = bits_per_dimension(images.float() / 255, outputs, kl, 0.01, batch=3)
    assert parts.mass == pytest.approx(whole.mass, abs=1e-9)
    assert parts.density == pytest.approx(whole.density, abs=1e-5)


def test_calibrated_variance_is_the_likeliest_one() -> None:
    images = levels(40)
    outputs = images.float() / 255 + 0.2 * normal(*images.shape)
    best = calibrated_variance(images, outputs, batch=7)
    assert best == pytest.approx(0.04, rel=0.05)
    bits = [
        bits_per_dimension(images, outputs, np.zeros(40), factor * best).density.mean() for factor in (1, 0.97, 1.03)
    ]
    assert bits[0] < min(bits[1:])


def test_posterior_kl_equals_torch() -> None:
    mu, logvar = normal(20, 5), normal(20, 5, seed=3)
    posterior = torch.distributions.Normal(mu.double(), (logvar.double() / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1)
    assert posterior_kl(mu, logvar) == pytest.approx(expected.numpy(), rel=1e-5)


def test_what_has_no_bits_is_refused() -> None:
    images = levels(2)
    same = images.float() / 255
    with pytest.raises(ValueError, match="variance must be positive"):
        bits_per_dimension(images, same, np.zeros(2), 0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        bits_per_dimension(images, same, np.zeros(3), 0.1)
    with pytest.raises(ValueError, match="differ in shape"):
        bits_per_dimension(images, same[:1], np.zeros(2), 0.1)
    with pytest.raises(ValueError, match="no images"):
        bits_per_dimension(images[:0], same[:0], np.zeros(0), 0.1)
    with pytest.raises(ValueError, match="256 levels"):
        bits_per_dimension(same + 0.001, same, np.zeros(2), 0.1)
    with pytest.raises(ValueError, match="must be alike"):
        calibrated_variance(images, same[:1])
