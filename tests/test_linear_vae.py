"""The linear VAE in a linear world, where its bound, its posteriors and its latents are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from autoencoders.evaluation.likelihood import log_density, posterior_kl
from autoencoders.evaluation.linear_vae import LinearVAE, fit_linear_vae, fit_probabilistic_pca
from autoencoders.evaluation.pca import PCA, fit_pca

SPECTRUM = np.array([4.0, 2.0, 1.0, 0.1, 0.1, 0.1])
SIDES = (1, 2, 3)  # six pixels


@pytest.fixture(scope="module")
def world() -> torch.Tensor:
    """Images [N, 1, 2, 3] whose covariance has exactly this spectrum."""
    rng = np.random.default_rng(0)
    white = rng.normal(size=(4000, 6))
    white -= white.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(white.T @ white / 4000)).T
    directions = stats.ortho_group.rvs(6, random_state=1)
    return torch.as_tensor(white * np.sqrt(SPECTRUM) @ directions + 3).float().reshape(-1, *SIDES)


@pytest.fixture(scope="module")
def pca(world: torch.Tensor) -> PCA:
    return fit_pca(world)


def bound(model: LinearVAE, images: torch.Tensor, draws: int = 400) -> float:
    """The evidence lower bound in nats, with latents that are drawn."""
    generator = torch.Generator().manual_seed(0)
    mean, deviation = model.encode(images), torch.as_tensor(np.exp(model.logvar / 2)).float()
    logs = torch.zeros(len(images), dtype=torch.float64)
    for _ in range(draws):
        made = model.decode(mean + deviation * torch.randn(mean.shape, generator=generator))
        logs += log_density(images, made.reshape(images.shape), model.variance).double() / draws
    return float((logs - torch.as_tensor(model.kl(images))).mean())


@pytest.mark.parametrize(("variance", "active"), [(5.0, 0), (3.0, 1), (1.5, 2), (0.5, 3), (0.05, 6)])
def test_units_are_active_where_the_variance_exceeds_the_decoder_s(pca: PCA, variance: float, active: int) -> None:
    model = fit_linear_vae(pca, variance)
    assert model.active == active
    assert model.nats == pytest.approx(0.5 * np.log(SPECTRUM[:active] / variance).sum(), abs=1e-4)


def test_latents_beyond_those_allowed_stay_off(pca: PCA) -> None:
    assert fit_linear_vae(pca, 0.5, latent=2).active == 2


def test_kl_is_that_of_the_posteriors_and_averages_to_the_closed_form(pca: PCA, world: torch.Tensor) -> None:
    model = fit_linear_vae(pca, 0.5)
    mean = model.encode(world)
    logvar = torch.as_tensor(model.logvar).expand(mean.shape)
    assert model.kl(world) == pytest.approx(posterior_kl(mean, logvar), rel=1e-4)
    assert model.kl(world).mean() == pytest.approx(model.nats, rel=1e-4)


def test_reconstructions_shrink_each_direction_by_its_noise(pca: PCA, world: torch.Tensor) -> None:
    model = fit_linear_vae(pca, 0.5)
    error = float((model.reconstruct(world) - world).square().sum((1, 2, 3)).mean())
    kept, lost = SPECTRUM[:3], SPECTRUM[3:]
    assert error == pytest.approx((0.5**2 / kept).sum() + lost.sum(), rel=1e-4)


def test_bits_equal_the_density_of_a_multivariate_normal(pca: PCA, world: torch.Tensor) -> None:
    model = fit_linear_vae(pca, 0.5)
    spectrum = np.where(SPECTRUM > 0.5, SPECTRUM, 0.5)
    covariance = pca.components.T @ np.diag(spectrum) @ pca.components
    logs = stats.multivariate_normal(pca.mean, covariance).logpdf(world[:50].flatten(1).numpy())
    assert model.bits_per_dimension(world[:50]) == pytest.approx(-logs / (6 * math.log(2)) + 8, abs=1e-4)


def test_the_bound_is_tight(pca: PCA, world: torch.Tensor) -> None:
    model = fit_linear_vae(pca, 0.5)
    bits = -bound(model, world) / (6 * math.log(2)) + 8
    assert bits == pytest.approx(model.bits_per_dimension(world).mean(), abs=2e-3)


def test_no_other_linear_vae_has_a_higher_bound(pca: PCA, world: torch.Tensor) -> None:
    """Gradient descent on the bound, from another start, ends where the closed form says."""
    torch.manual_seed(1)
    model = fit_linear_vae(pca, 0.5)
    centred = (world.flatten(1) - torch.as_tensor(pca.mean)).double()
    covariance = centred.T @ centred / len(centred)
    decoder, encoder = (torch.randn(6, 6).double().mul(0.3).requires_grad_() for _ in range(2))
    logvar = torch.zeros(6).double().requires_grad_()
    solver = torch.optim.LBFGS([decoder, encoder, logvar], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        """The negative bound in closed form for x → N(encoder x, exp logvar) → decoder z, but for its constant."""
        solver.zero_grad()
        rest = torch.eye(6).double() - decoder @ encoder
        squares = (rest @ covariance @ rest.T).trace() + (decoder.square() * logvar.exp()).sum()
        latents = (encoder @ covariance @ encoder.T).trace() + (logvar.exp() - logvar - 1).sum()
        value = 0.5 * (squares / 0.5 + latents)
        value.backward()
        return value

    for _ in range(5):
        solver.step(loss)
    constant = 3 * math.log(2 * math.pi * 0.5)
    best = (float(loss().detach()) + constant) / (6 * math.log(2)) + 8
    assert best == pytest.approx(model.bits_per_dimension(world).mean(), abs=1e-3)


def test_probabilistic_pca_equals_scikit_learn(pca: PCA, world: torch.Tensor) -> None:
    from sklearn.decomposition import PCA as Reference  # noqa: N811

    flat = world.flatten(1).double().numpy()
    model = fit_probabilistic_pca(pca, latent=2)
    assert model.variance == pytest.approx(SPECTRUM[2:].mean(), rel=1e-4)
    logs = Reference(2).fit(flat).score_samples(flat[:50])
    assert model.bits_per_dimension(world[:50]) == pytest.approx(-logs / (6 * math.log(2)) + 8, abs=1e-3)
    others = [fit_linear_vae(pca, factor * model.variance, 2) for factor in (0.8, 1.25)]
    assert all(model.bits_per_dimension(world).mean() < o.bits_per_dimension(world).mean() for o in others)


def test_a_collapsed_linear_vae_puts_out_the_mean(pca: PCA, world: torch.Tensor) -> None:
    model = fit_linear_vae(pca, 5.0)
    assert model.kl(world[:3]).tolist() == [0, 0, 0]
    assert model.reconstruct(world[:1]).flatten().numpy() == pytest.approx(pca.mean)


def test_impossible_variances_and_sizes_are_refused(pca: PCA) -> None:
    with pytest.raises(ValueError, match="variance must be positive"):
        fit_linear_vae(pca, 0.0)
    with pytest.raises(ValueError, match="leave no variance"):
        fit_probabilistic_pca(pca, latent=6)
    with pytest.raises(ValueError, match="every principal component"):
        fit_probabilistic_pca(PCA(pca.mean, pca.components[:3], pca.variances[:3]), latent=2)
