"""Random-patch features against a plain computation of them, and ranking against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from autoencoders.evaluation.patches import FILTERS, SIDE, STRIDE, THRESHOLD, PatchFeatures, fit_patches
from autoencoders.evaluation.ranking import auroc


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
def test_auroc_equals_scikit_learn(decimals: int) -> None:
    rng = np.random.default_rng(0)
    higher, lower = rng.normal(0.5, 1, 70).round(decimals), rng.normal(0, 1, 50).round(decimals)
    found = auroc(higher, lower)
    truth = np.r_[np.ones(70), np.zeros(50)]
    assert found.value == pytest.approx(roc_auc_score(truth, np.r_[higher, lower]))
    assert found.lo < found.value < found.hi
    assert found.n == 120
    assert auroc(lower, higher).value == pytest.approx(1 - found.value)


def test_auroc_of_a_group_of_one_has_the_widest_interval() -> None:
    assert auroc(np.array([1.0]), np.arange(5) / 10)[:3] == (1.0, 0.0, 1.0)


def test_auroc_interval_covers_the_truth_as_often_as_it_says() -> None:
    truth = 0.6381631950841185  # of two normals half a deviation apart
    rng = np.random.default_rng(1)
    found = [auroc(rng.normal(0.5, 1, 60), rng.normal(0, 1, 60), seed=n) for n in range(60)]
    assert 0.85 <= np.mean([e.lo <= truth <= e.hi for e in found]) <= 1


@pytest.mark.parametrize(("higher", "lower"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0]), ([1.0], [np.inf])])
def test_auroc_refuses_missing_and_infinite_scores(higher: list[float], lower: list[float]) -> None:
    with pytest.raises(ValueError, match="finite scores"):
        auroc(np.array(higher), np.array(lower))
