"""Latent measures against scikit-learn and closed forms, and for latents without any structure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn import decomposition, manifold, metrics, neighbors
from sklearn.datasets import load_digits

from autoencoders.evaluation import latent

Pair = tuple[torch.Tensor, torch.Tensor]

CONSTANT = torch.full((20, 3), 1.5)
HALVES = torch.arange(20) % 2


@pytest.fixture(scope="module")
def digits() -> Pair:
    bunch = load_digits()
    return torch.as_tensor(bunch.data[:300]).float(), torch.as_tensor(bunch.target[:300])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def purity(latents: torch.Tensor, labels: torch.Tensor, k: int = 15) -> float:
    return float(latent.purities(latents, labels, k).mean())


# ── Classes and neighbourhoods ───────────────────────────────────────────────────────────────────────────────────────


def test_trustworthiness_equals_scikit_learn(digits: Pair) -> None:
    x, _ = digits
    plane = decomposition.PCA(2).fit_transform(x)
    assert latent.trustworthiness(x, plane, k=5) == pytest.approx(manifold.trustworthiness(x, plane, n_neighbors=5))
    assert latent.trustworthiness(x, x) == pytest.approx(1.0, abs=1e-4), "but for equal distances"
    assert latent.trustworthiness(x, normal(300, 2)) == pytest.approx(0.5, abs=0.1)


def test_trustworthiness_of_degenerate_latents() -> None:
    assert latent.trustworthiness(CONSTANT, normal(20, 2)) == 1.0
    assert latent.trustworthiness(normal(2, 3), normal(2, 2)) == 1.0
    assert np.isfinite(latent.trustworthiness(normal(20, 3), CONSTANT))
    assert 0 <= latent.trustworthiness(normal(5, 3), normal(5, 2), k=15) <= 1


def test_purity_equals_a_count_by_scikit_learn(digits: Pair) -> None:
    x, y = digits
    search = neighbors.NearestNeighbors(n_neighbors=10, algorithm="brute").fit(x)
    others = search.kneighbors(return_distance=False)  # without the query itself
    assert purity(x, y, k=10) == pytest.approx(float((y[others] == y[:, None]).double().mean()), abs=1e-3)


def test_purity_lies_between_chance_and_one(digits: Pair) -> None:
    _, y = digits
    assert purity(torch.nn.functional.one_hot(y, 10) + 0.01 * normal(300, 10), y) == 1.0
    assert purity(normal(300, 5), y) == pytest.approx(latent.chance_purity(y), abs=0.03)
    assert latent.chance_purity(torch.tensor([0, 0, 1])) == pytest.approx(1 / 3)


def test_purity_of_degenerate_latents() -> None:
    assert purity(CONSTANT, HALVES) == pytest.approx(latent.chance_purity(HALVES)) == pytest.approx(9 / 19)
    assert purity(normal(20, 3), torch.zeros(20)) == 1.0
    assert purity(normal(1, 3), torch.zeros(1)) == 1.0
    assert purity(normal(5, 3), torch.arange(5), k=15) == 0.0


def test_purity_never_counts_a_sample_as_its_own_neighbour() -> None:
    twins = torch.cat([torch.zeros(30, 2), torch.ones(30, 2)])
    assert purity(twins, torch.arange(60), k=5) == 0.0
    assert purity(twins, torch.arange(60) // 30, k=5) == 1.0


def test_silhouette_equals_scikit_learn_and_samples_are_seeded(digits: Pair) -> None:
    x, y = digits
    assert latent.silhouette(x, y) == pytest.approx(metrics.silhouette_score(x, y), abs=1e-6)
    assert latent.silhouette(x, y, samples=100) == latent.silhouette(x, y, samples=100)
    assert latent.silhouette(x, y, samples=100) != latent.silhouette(x, y, samples=100, seed=1)


# ── Clean against noisy ──────────────────────────────────────────────────────────────────────────────────────────────


def test_cka_equals_its_definition_by_kernels() -> None:
    a, b = normal(50, 6), normal(50, 4, seed=1)
    centring = torch.eye(50, dtype=torch.float64) - 1 / 50
    ka, kb = (centring @ (x.double() @ x.double().T) @ centring for x in (a, b))
    assert latent.linear_cka(a, b) == pytest.approx(float((ka * kb).sum() / (ka.norm() * kb.norm())))


def test_cka_ignores_rotation_scale_and_offset_but_not_content() -> None:
    a = normal(200, 8)
    rotation = torch.linalg.qr(normal(8, 8, seed=1))[0]
    assert latent.linear_cka(a, 3 * a @ rotation + 5) == pytest.approx(1.0, abs=1e-6)
    assert latent.linear_cka(a, normal(200, 8, seed=2)) < 0.2
    assert latent.linear_cka(a, a + normal(200, 8, seed=3)) == pytest.approx(
        latent.linear_cka(a + normal(200, 8, seed=3), a)
    )


def test_shift_is_in_units_of_spread() -> None:
    clean = normal(5000, 4)
    moved = latent.shift(clean, clean + torch.tensor([2.0, 0, 0, 0]))
    assert moved.mean == pytest.approx(1.0, abs=0.03), "a spread of √4, moved by 2"
    assert moved.sample == pytest.approx(moved.mean)
    scattered = latent.shift(clean, clean + normal(5000, 4, seed=1))
    assert scattered.mean < 0.05
    assert scattered.sample > 0.8


def test_ways_have_the_lengths_that_they_have_in_all_dimensions() -> None:
    clean, noise = normal(300, 16), normal(300, 16, seed=1)
    found = latent.ways(clean, clean + noise)
    centred = (clean - clean.mean(0)).double()
    spread = float(centred.square().sum(1).mean().sqrt())
    np.testing.assert_allclose(found.away, centred.norm(dim=1) / spread, rtol=1e-6)
    np.testing.assert_allclose(
        np.hypot(found.outwards - found.away, found.aside), noise.norm(dim=1) / spread, rtol=1e-5
    )
    np.testing.assert_allclose(np.hypot(found.outwards, found.aside), (centred + noise).norm(dim=1) / spread, rtol=1e-5)


def test_ways_of_latents_that_shrink_lead_inwards_alone() -> None:
    clean = normal(50, 4) - normal(50, 4).mean(0)
    found = latent.ways(clean, clean / 2)
    np.testing.assert_allclose(found.outwards, found.away / 2, rtol=1e-5)
    np.testing.assert_allclose(found.aside, 0, atol=1e-6)


def test_ways_of_latents_without_spread_are_measured_as_they_are() -> None:
    found = latent.ways(CONSTANT, CONSTANT + 1)
    np.testing.assert_allclose(found.away, 0)
    np.testing.assert_allclose(found.aside, np.sqrt(3))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda: latent.silhouette(CONSTANT, HALVES), 0.0),
        (lambda: latent.silhouette(normal(20, 3), torch.zeros(20)), 0.0),
        (lambda: latent.silhouette(normal(20, 3), torch.arange(20)), 0.0),
        (lambda: latent.linear_cka(CONSTANT, normal(20, 3)), 0.0),
        (lambda: latent.linear_cka(CONSTANT, CONSTANT), 0.0),
        (lambda: latent.shift(CONSTANT, CONSTANT), latent.Shift(0.0, 0.0)),
        (lambda: latent.shift(CONSTANT, CONSTANT + 1), latent.Shift(np.inf, np.inf)),
        (lambda: latent.smoothness(torch.ones(4, 2)), latent.Smoothness(1.0, 1.0)),
        (lambda: latent.smoothness(torch.tensor([[0.0], [1.0], [0.0]])).detour, np.inf),
    ],
)
def test_measures_of_degenerate_latents_are_defined(value: Callable[[], object], expected: object) -> None:
    assert value() == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda: latent.linear_cka(normal(3, 2), normal(4, 2)), "same samples"),
        (lambda: latent.shift(CONSTANT, CONSTANT[:5]), "same samples"),
        (lambda: latent.smoothness(torch.ones(1, 2)), "two points"),
    ],
)
def test_measures_refuse_what_does_not_pair(value: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value()


# ── Posterior ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_active_units_are_those_whose_mean_varies() -> None:
    mu = normal(2000, 3) * torch.tensor([1.0, 0.12, 0.08]) + torch.tensor([0.0, 0.0, 9.0])
    assert latent.active_units(mu).tolist() == [True, True, False]
    assert latent.active_units(torch.zeros(4, 2)).tolist() == [False, False]


def test_kl_per_dimension_equals_torch() -> None:
    mu, logvar = normal(100, 5), normal(100, 5, seed=1)
    posterior = torch.distributions.Normal(mu.double(), (logvar.double() / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).mean(0)
    assert latent.kl_per_dimension(mu, logvar) == pytest.approx(expected.numpy(), rel=1e-5)
    assert latent.kl_per_dimension(torch.zeros(3, 2), torch.zeros(3, 2)).tolist() == [0.0, 0.0]


def test_units_that_carry_a_share_are_the_fewest() -> None:
    kl = np.array([1.0, 6.0, 0.0, 3.0])
    assert [latent.units_that_carry(kl, share) for share in (0.5, 0.6, 0.61, 0.9, 0.91, 1.0)] == [1, 1, 2, 2, 3, 3]
    assert latent.units_that_carry(np.zeros(4), 0.9) == 0
    assert latent.units_that_carry(np.zeros(0), 0.9) == 0


# ── Dimension ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [200, 12])  # more samples than dimensions, and fewer
def test_effective_dimension_is_the_participation_ratio_of_the_covariance(count: int) -> None:
    x = normal(count, 20) * torch.linspace(0.1, 3, 20)
    spectrum = np.linalg.eigvalsh(np.cov(x.double().numpy().T)).clip(0)
    assert latent.effective_dimension(x) == pytest.approx(spectrum.sum() ** 2 / np.square(spectrum).sum(), rel=1e-6)
    assert latent.effective_dimension(3 * x + 2) == pytest.approx(latent.effective_dimension(x), rel=1e-5)
    assert latent.effective_dimension(CONSTANT) == 0.0
    assert latent.effective_dimension(torch.eye(2)[[0, 1]]) == pytest.approx(1), "all on one line"


# ── Paths and arithmetic ─────────────────────────────────────────────────────────────────────────────────────────────


def test_smoothness_of_known_paths() -> None:
    fade = torch.linspace(0, 1, 6)[:, None, None, None].expand(6, 3, 4, 4)
    assert dataclasses.astuple(latent.smoothness(fade)) == pytest.approx((1.0, 1.0))
    corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert latent.smoothness(corner).detour == pytest.approx(np.sqrt(2))
    leap = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
    assert dataclasses.astuple(latent.smoothness(leap)) == pytest.approx((1.0, 3.0))


def test_arithmetic_takes_class_means() -> None:
    latents = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0], [10.0, 10.0]])
    labels = torch.tensor([0, 0, 1, 2])
    assert latent.arithmetic(latents, labels, 0, 1, 2).tolist() == [12.0, 5.0]
    assert latent.arithmetic(latents, labels, 0, 1, 1).tolist() == [2.0, 0.0]
    with pytest.raises(ValueError, match="no latents of class 7"):
        latent.arithmetic(latents, labels, 0, 7, 1)


def test_nearest_class_is_that_of_most_neighbours(digits: Pair) -> None:
    x, y = digits
    label, share = latent.nearest_class(x, y, x[y == 4].mean(0), k=10)
    assert label == 4
    assert share > 0.7
    assert latent.nearest_class(x[:3], torch.tensor([6, 6, 2]), x[0], k=15) == (6, pytest.approx(2 / 3))


# ── Coordinates ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pca_coordinates_of_missing_dimensions_are_zero() -> None:
    flat = latent.project_pca(normal(20, 1), 3)
    assert flat.coordinates.shape == (20, 3)
    assert not flat.coordinates[:, 1:].any()
    assert flat.explained.tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    nothing = latent.project_pca(CONSTANT, 2)
    assert not nothing.coordinates.any()
    assert not nothing.explained.any()


def test_project_along_uses_the_same_axes(digits: Pair) -> None:
    x, _ = digits
    known = latent.project_pca(x[:200], 3).coordinates
    assert latent.project_along(x[:200], x[:50], 3) == pytest.approx(known[:50], abs=1e-4)
    assert latent.project_along(x[:200], x[200:250], 3).std() > 0
    assert latent.project_along(normal(1, 1), normal(1, 1), 3)[:, 1:].tolist() == [[0, 0]]
    assert np.isfinite(latent.project_along(CONSTANT, CONSTANT, 2)).all()


def test_tsne_is_seeded_and_keeps_neighbourhoods(digits: Pair) -> None:
    x, _ = digits
    picture = latent.project_tsne(x[:150], seed=3)
    assert picture.shape == (150, 2)
    assert np.array_equal(picture, latent.project_tsne(x[:150], seed=3))
    assert latent.trustworthiness(x[:150], picture, k=5) > 0.95
    coarse = latent.project_tsne(x[:150], 3, coarse=True)
    assert latent.trustworthiness(x[:150], coarse, k=5) > 0.93


def test_tsne_of_few_or_constant_latents() -> None:
    assert latent.project_tsne(normal(5, 2), 3).shape == (5, 3)
    assert np.isfinite(latent.project_tsne(normal(6, 1))).all()
    assert not latent.project_tsne(CONSTANT).any()
    assert latent.project_tsne(normal(2, 4)).shape == (2, 2)
