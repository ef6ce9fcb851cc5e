"""Controls in a linear world: what an encoder with random weights keeps, and what training can add, in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from autoencoders.evaluation.latent import effective_dimension, linear_cka
from autoencoders.evaluation.pca import fit_pca
from autoencoders.evaluation.probes import fit_ridge
from autoencoders.evaluation.readers import fit_reader

SIZE, KEPT = 24, 8


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_encoder(seed: int = 5) -> torch.Tensor:
    """Orthonormal rows [KEPT, SIZE] in a random direction."""
    return torch.linalg.qr(normal(SIZE, KEPT, seed=seed))[0].T


def accuracy(distance: float) -> float:
    """Of the best classifier between two spherical Gaussians so far apart."""
    return float(stats.norm.cdf(distance / 2))


@pytest.fixture(scope="module")
def classes() -> tuple[torch.Tensor, np.ndarray, torch.Tensor]:
    """White images whose class moves them by ±0.8 along the first axis; their labels; that axis."""
    axis = torch.eye(SIZE)[0]
    labels = np.arange(12_000) % 2
    return normal(12_000, SIZE) + 0.8 * axis * torch.as_tensor(2 * labels - 1)[:, None], labels, axis


def probed(features: torch.Tensor, labels: np.ndarray) -> float:
    """Ridge on the first third, chosen on the second, accuracy on the third."""
    probe = fit_ridge(features[:4000], labels[:4000], features[4000:8000], labels[4000:8000])
    return float((probe.predict(features[8000:]) == labels[8000:]).mean())


def test_pixels_and_a_trained_direction_are_read_as_well_as_can_be(
    classes: tuple[torch.Tensor, np.ndarray, torch.Tensor],
) -> None:
    images, labels, axis = classes
    assert probed(images, labels) == pytest.approx(accuracy(1.6), abs=0.015)
    assert probed(images @ axis[:, None], labels) == pytest.approx(accuracy(1.6), abs=0.015)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_a_random_encoder_keeps_its_share_of_the_classes_distance(
    classes: tuple[torch.Tensor, np.ndarray, torch.Tensor], seed: int
) -> None:
    images, labels, axis = classes
    encoder = random_encoder(seed)
    kept = float((encoder @ axis).norm())
    assert probed(images @ encoder.T, labels) == pytest.approx(accuracy(1.6 * kept), abs=0.015)


def test_any_invertible_encoder_is_read_like_pixels(
    classes: tuple[torch.Tensor, np.ndarray, torch.Tensor],
) -> None:
    images, labels, _ = classes
    assert probed(images @ normal(SIZE, SIZE, seed=3), labels) == pytest.approx(accuracy(1.6), abs=0.02)


def test_a_rectified_reader_sees_a_difference_that_has_no_direction() -> None:
    """Classes that differ in contrast alone: chance to a linear probe, |x| to a reader that rectifies on both sides.

    |N(0, 1)| against |N(0, 2²)| is best split at t = √(8/3 · ln 2)."""
    labels = np.arange(12_000) % 2
    channel = (normal(12_000, 1) * torch.as_tensor(1 + labels)[:, None]).float()
    threshold = math.sqrt(8 / 3 * math.log(2))
    best = 0.5 * (2 * stats.norm.cdf(threshold) - 1) + 0.5 * 2 * stats.norm.sf(threshold / 2)
    assert probed(channel, labels) == pytest.approx(0.5, abs=0.03)
    read = probed(fit_reader([channel[:4000]]).read([channel]), labels)
    assert best - 0.05 < read <= best + 0.015


def test_reconstruction_from_a_random_encoder_loses_what_it_does_not_see() -> None:
    """White images: the best linear decoder is the transpose, and each of the other directions is lost whole."""
    images, encoder = normal(20_000, SIZE), random_encoder()
    latents = images @ encoder.T
    decoder = torch.linalg.lstsq(latents, images).solution
    assert float((latents @ decoder - images).square().mean()) == pytest.approx(1 - KEPT / SIZE, rel=0.01)
    assert torch.allclose(decoder, encoder, atol=0.05)


def test_the_trained_encoder_of_a_linear_world_is_pca() -> None:
    spectrum = torch.tensor([4.0] * 4 + [0.25] * (SIZE - 4))
    images = normal(20_000, SIZE) * spectrum.sqrt()
    rest = fit_pca(images).variances[4:].sum()
    latents = images @ random_encoder()[:4].T
    decoder = torch.linalg.lstsq(latents, images).solution
    assert rest == pytest.approx(5.0, rel=0.02)
    assert float((latents @ decoder - images).square().sum(1).mean()) > 2 * rest


def test_dimension_and_alignment_of_a_random_encoder() -> None:
    """White latents of K dimensions have K; their CKA with the D pixels that they come from is √(K/D)."""
    images, encoder = normal(20_000, SIZE), random_encoder()
    assert effective_dimension(images @ encoder.T) == pytest.approx(KEPT, rel=0.01)
    assert linear_cka(images, images @ encoder.T) == pytest.approx(math.sqrt(KEPT / SIZE), rel=0.01)
