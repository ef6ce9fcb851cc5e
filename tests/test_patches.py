"""Random-patch features against a plain computation of them, and ranking against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from autoencoders.evaluation.patches import FILTERS, SIDE, STRIDE, THRESHOLD, PatchFeatures, fit_patches
from autoencoders.evaluation.ranking import area, measure_auroc, measure_auroc_difference


def textures(count: int, channels: int = 3, side: int = 16, seed: int = 0) -> torch.Tensor:
    """uint8 images of smooth noise."""
    noise = torch.rand(count, channels, side // 2, side // 2, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(noise, side, mode="bilinear").mul(255).to(torch.uint8)


@pytest.fixture(scope="module")
def fitted() -> PatchFeatures:
    return fit_patches(textures(40))


# ── Features ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def plainly(features: PatchFeatures, image: torch.Tensor) -> torch.Tensor:
    """Patch by patch, as Coates and Ng describe it."""
    places = range(0, image.shape[1] - SIDE + 1, STRIDE)
    maps = torch.zeros(2 * FILTERS, len(places), len(places))
    for i, top in enumerate(places):
        for j, left in enumerate(places):
            patch = image[:, top : top + SIDE, left : left + SIDE]
            normal = (patch - patch.mean()) / (patch.var(correction=0) + 10 / 255**2).sqrt()
            response = (features.filters * normal).sum((1, 2, 3)) - features.offset
            maps[:, i, j] = torch.cat([(response - THRESHOLD).relu(), (-response - THRESHOLD).relu()])
    half = len(places) / 2
    cuts = [(0, int(np.ceil(half))), (int(np.floor(half)), len(places))]
    quarters = [maps[:, a:b, c:d].mean((1, 2)) for a, b in cuts for c, d in cuts]
    return torch.stack(quarters, 1).flatten()


@pytest.mark.parametrize("side", [16, 17, 32])
def test_features_equal_those_made_patch_by_patch(fitted: PatchFeatures, side: int) -> None:
    images = textures(3, side=side // 2 * 2, seed=1)[:, :, :side, :side].float() / 255
    found = fitted.embed(images)
    assert found.shape == (3, 8 * FILTERS)
    torch.testing.assert_close(found, torch.stack([plainly(fitted, image) for image in images]), atol=2e-4, rtol=1e-3)


def test_features_of_an_image_depend_on_no_other(fitted: PatchFeatures) -> None:
    images = textures(7)
    torch.testing.assert_close(fitted.embed(images, batch=3), fitted.embed(images), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(fitted.embed(images)[4:5], fitted.embed(images[4:5]), atol=1e-5, rtol=1e-4)


def test_features_ignore_brightness(fitted: PatchFeatures) -> None:
    images = textures(4).float() / 255 * 0.5
    torch.testing.assert_close(fitted.embed(images), fitted.embed(images + 0.4), atol=2e-3, rtol=1e-2)


def test_features_of_flat_images_are_finite_and_alike(fitted: PatchFeatures) -> None:
    found = fitted.embed(torch.stack([torch.full((3, 16, 16), value) for value in (0.0, 0.5, 1.0)]))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[0], found[2], atol=1e-2, rtol=1e-2)


def test_filters_are_seeded(fitted: PatchFeatures) -> None:
    again, other = fit_patches(textures(40)), fit_patches(textures(40), seed=1)
    assert torch.equal(again.filters, fitted.filters)
    assert torch.equal(again.offset, fitted.offset)
    assert not torch.equal(other.filters, fitted.filters)


# ── Ranking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("decimals", [0, 1, 6])  # many ties, some, none
def test_area_equals_scikit_learn(decimals: int) -> None:
    rng = np.random.default_rng(0)
    higher, lower = rng.normal(0.5, 1, 70).round(decimals), rng.normal(0, 1, 50).round(decimals)
    truth = np.r_[np.ones(70), np.zeros(50)]
    assert area(higher, lower) == pytest.approx(roc_auc_score(truth, np.r_[higher, lower]))
    assert area(lower, higher) == pytest.approx(1 - area(higher, lower))


def test_measured_auroc_is_scikit_learn_s_with_the_error_of_resampling() -> None:
    rng = np.random.default_rng(0)
    higher, lower = rng.normal(0.5, 1, 70).round(1), rng.normal(0, 1, 50).round(1)
    found = measure_auroc((higher, lower), paired=False)
    assert found.value == pytest.approx(roc_auc_score(np.r_[np.ones(70), np.zeros(50)], np.r_[higher, lower]))
    resampled = [area(rng.choice(higher, 70), rng.choice(lower, 50)) for _ in range(1000)]
    assert found.error == pytest.approx(np.std(resampled), rel=0.1)
    assert (found.n, found.seeds) == (120, 1)


def test_pairing_removes_what_both_groups_have_in_common() -> None:
    rng = np.random.default_rng(1)
    images = rng.normal(0, 2, 300)
    groups = images + rng.normal(0.5, 1, 300), images + rng.normal(0, 1, 300)
    paired, apart = (measure_auroc(groups, paired=p) for p in (True, False))
    assert paired.value == apart.value
    assert paired.error < 0.6 * apart.error
    assert (paired.n, apart.n) == (300, 600)


@pytest.mark.parametrize("paired", [True, False])
def test_measured_auroc_covers_the_truth(paired: bool) -> None:
    """Of two normals half a deviation apart whose scores correlate by a half, where they are paired."""
    truth = 0.6381631950841185
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(150):
        shared = (
            rng.normal(0, np.sqrt(0.5), (2, 60)) if not paired else np.tile(rng.normal(0, np.sqrt(0.5), 60), (2, 1))
        )
        higher, lower = shared + rng.normal(0, np.sqrt(0.5), (2, 60)) + np.array([[0.5], [0.0]])
        lo, hi = measure_auroc((higher, lower), paired=paired).interval()
        hits.append(lo <= truth <= hi)
    assert 0.9 <= np.mean(hits) <= 0.99


def test_a_difference_of_aurocs_is_of_the_same_images() -> None:
    rng = np.random.default_rng(3)
    higher, lower = rng.normal(1, 1, 200), rng.normal(0, 1, 200)
    blurred = higher + rng.normal(0, 0.1, 200), lower + rng.normal(0, 0.1, 200)
    found = measure_auroc_difference((higher, lower), blurred, paired=False)
    assert found.value == pytest.approx(area(higher, lower) - area(*blurred))
    assert found.error < 0.3 * measure_auroc(blurred, paired=False).error
    assert measure_auroc_difference((higher, lower), (higher, lower), paired=True).interval() == (0.0, 0.0)


def test_seeds_of_aurocs_add_their_variance() -> None:
    rng = np.random.default_rng(4)
    higher, lower = rng.normal(np.array([[0.5], [1.0], [1.5]]), 1, (3, 100)), rng.normal(0, 1, (3, 100))
    found = measure_auroc((higher, lower), paired=False)
    by_seed = np.array([area(h, low) for h, low in zip(higher, lower, strict=True)])
    assert found.value == pytest.approx(by_seed.mean())
    assert (found.freedom, found.seeds) == (2, 3)
    assert found.error > by_seed.std(ddof=1) / np.sqrt(3)
    against_one = measure_auroc_difference((higher, lower), (higher[0], lower[0]), paired=False)
    assert against_one.value == pytest.approx(by_seed.mean() - by_seed[0])


def test_scores_of_other_images_are_refused_and_one_alone_has_no_error() -> None:
    pair = np.arange(4.0), np.arange(4.0)
    with pytest.raises(ValueError, match="same images"):
        measure_auroc((np.arange(4.0), np.arange(5.0)), paired=True)
    with pytest.raises(ValueError, match="same images"):
        measure_auroc_difference(pair, (np.arange(3.0), np.arange(4.0)), paired=False)
    with pytest.raises(ValueError, match="finite scores"):
        measure_auroc((np.array([np.nan, 1.0]), np.arange(2.0)), paired=True)
    assert measure_auroc((np.array([1.0]), np.arange(5.0)), paired=False).interval() == (-np.inf, np.inf)
