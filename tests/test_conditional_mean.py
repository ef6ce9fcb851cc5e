"""Filling holes in a linear world, where no model whatever can do better than the conditional mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoencoders.evaluation.conditional_mean import PixelMoments, fill_linearly, fit_pixel_moments


def gaussian_images(count: int, seed: int = 0) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Images [N, 2, 3, 4] around mid-grey with known mean and covariance."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(24, 24)) * 0.02
    mean = np.linspace(0.4, 0.6, 24)
    images = mean + rng.normal(size=(count, 24)) @ mixing.T
    return torch.as_tensor(images).float().reshape(-1, 2, 3, 4), mean, mixing @ mixing.T


def moments() -> PixelMoments:
    _, mean, covariance = gaussian_images(1)
    return PixelMoments(torch.as_tensor(mean), torch.as_tensor(covariance))


def masks(count: int, hidden: int, seed: int = 0) -> torch.Tensor:
    order = torch.rand(count, 12, generator=torch.Generator().manual_seed(seed)).argsort(1)
    return (order < hidden).reshape(count, 1, 3, 4)


def test_moments_are_those_of_numpy() -> None:
    images, *_ = gaussian_images(500)
    found = fit_pixel_moments(images, batch=120)
    flat = images.double().flatten(1).numpy()
    assert found.mean.numpy() == pytest.approx(flat.mean(0), abs=1e-7)
    assert found.covariance.numpy() == pytest.approx(np.cov(flat.T, bias=True), abs=1e-7)


@pytest.mark.parametrize("hidden", [1, 6, 11])
def test_holes_are_filled_by_the_textbook_formula(hidden: int) -> None:
    images, mean, covariance = gaussian_images(6)
    mask = masks(6, hidden)
    filled = fill_linearly(moments(), images, mask, ridge=1e-9).flatten(1).numpy()
    for image, made, gap in zip(images.flatten(1).numpy(), filled, mask.flatten(1).numpy(), strict=True):
        h = np.tile(gap, 2)
        expected = mean[h] + covariance[np.ix_(h, ~h)] @ np.linalg.solve(
            covariance[np.ix_(~h, ~h)], image[~h] - mean[~h]
        )
        assert made[h] == pytest.approx(expected.clip(0, 1), abs=1e-4)
        assert np.array_equal(made[~h], image[~h])


def test_the_error_is_the_conditional_variance() -> None:
    images, _, covariance = gaussian_images(20_000)
    mask = masks(1, 6)
    h = np.tile(mask.flatten().numpy(), 2)
    rest = covariance[np.ix_(h, h)] - covariance[np.ix_(h, ~h)] @ np.linalg.solve(
        covariance[np.ix_(~h, ~h)], covariance[np.ix_(~h, h)]
    )
    errors = (fill_linearly(moments(), images, mask, ridge=1e-9) - images).flatten(1)[:, h].square()
    assert float(errors.mean()) == pytest.approx(np.diag(rest).mean(), rel=0.03)


def test_a_world_of_one_factor_is_seen_through_one_pixel() -> None:
    """Every pixel is the same number plus noise: the guess shrinks the visible mean by its reliability."""
    strength, noise = 0.04, 0.01
    world = PixelMoments(
        torch.full((12,), 0.5).double(), torch.full((12, 12), strength).double() + noise * torch.eye(12)
    )
    image = torch.full((1, 1, 3, 4), 0.7)
    hidden = torch.ones(1, 1, 3, 4, dtype=torch.bool)
    hidden[..., 0, :3] = False
    filled = fill_linearly(world, image, hidden, ridge=0.0)
    expected = 0.5 + 0.2 * strength / (strength + noise / 3)
    assert filled[hidden].numpy() == pytest.approx(np.full(9, expected), abs=1e-6)


def test_ridge_is_noise_on_the_visible_pixels() -> None:
    images, mean, covariance = gaussian_images(3)
    mask = masks(3, 6)
    noisy = PixelMoments(torch.as_tensor(mean), torch.as_tensor(covariance) + 0.01 * torch.eye(24))
    by_ridge = fill_linearly(moments(), images, mask, ridge=0.01)
    assert torch.allclose(by_ridge, fill_linearly(noisy, images, mask, ridge=0.0), atol=1e-6)
    assert not torch.allclose(by_ridge, fill_linearly(moments(), images, mask, ridge=0.0), atol=1e-3)


def test_one_mask_for_all_is_the_same_mask_for_each() -> None:
    images, *_ = gaussian_images(5)
    mask = masks(1, 4)
    alike = fill_linearly(moments(), images, mask.expand(5, -1, -1, -1))
    assert torch.allclose(fill_linearly(moments(), images, mask), alike, atol=1e-6)


def test_all_hidden_is_the_mean_and_none_hidden_the_image() -> None:
    images, mean, _ = gaussian_images(2)
    everything = fill_linearly(moments(), images, masks(1, 12))
    assert everything.flatten(1).numpy() == pytest.approx(np.tile(mean, (2, 1)), abs=1e-6)
    assert torch.equal(fill_linearly(moments(), images, masks(1, 0)), images)


def test_bytes_are_filled_too_and_stay_within_range() -> None:
    images, *_ = gaussian_images(3)
    filled = fill_linearly(moments(), (images * 255).round().to(torch.uint8), masks(3, 6))
    assert filled.dtype == torch.float32
    extreme = fill_linearly(moments(), torch.where(images > 0.5, 9.0, -9.0), masks(3, 6))
    hidden = masks(3, 6).expand(-1, 2, -1, -1)
    assert extreme[hidden].min() >= 0
    assert extreme[hidden].max() <= 1


def test_masks_that_do_not_fit_and_no_images_are_refused() -> None:
    images, *_ = gaussian_images(3)
    for wrong in (masks(2, 3), masks(3, 3).expand(-1, 2, -1, -1), masks(3, 3)[:, :, :2]):
        with pytest.raises(ValueError, match="don't fit"):
            fill_linearly(moments(), images, wrong)
    with pytest.raises(ValueError, match="no images"):
        fit_pixel_moments(images[:0])
