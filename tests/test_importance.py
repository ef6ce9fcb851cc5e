"""Importance of patches for models whose reach and whose use of each patch are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from autoencoders.evaluation.importance import Importance, patch_importance

PATCH = 2


def patchwork(count: int = 6, side: int = 8, seed: int = 0) -> torch.Tensor:
    """Images of patches with one colour each; nothing about one can be told from another."""
    colours = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return colours.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)


def neighbours_mean(reach: int):  # type: ignore[no-untyped-def]
    """A model that fills a patch with the mean of the visible patches within its reach, and with 0 if there is none."""

    def reconstruct(images: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        seen = F.avg_pool2d(images * ~hidden, PATCH)
        visible = F.avg_pool2d((~hidden).float(), PATCH)
        kernel = torch.ones(1, 1, 2 * reach + 1, 2 * reach + 1)
        total = F.conv2d(seen.flatten(0, 1)[:, None], kernel, padding=reach)[:, 0].unflatten(0, images.shape[:2])
        number = F.conv2d(visible, kernel, padding=reach)
        guess = (total / number.clamp(min=1)).repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
        return torch.where(hidden, guess, images)

    return reconstruct


@pytest.mark.parametrize("reach", [1, 2])
def test_nothing_beyond_the_reach_matters(reach: int) -> None:
    found = patch_importance(neighbours_mean(reach), patchwork(), PATCH, 0.75)
    assert found.by_distance.shape == (6, 7)
    assert np.abs(found.by_distance[:, reach:]).max() < 1e-7
    assert (np.abs(found.by_distance[:, :reach]).max(0) > 1e-4).all()


def test_a_model_that_ignores_what_it_sees_has_no_important_patch() -> None:
    found = patch_importance(lambda images, hidden: torch.zeros_like(images), patchwork(), PATCH, 0.5)
    assert np.nanmax(np.abs(found.change)) == 0
    assert found.relative == pytest.approx(np.zeros(6))


def test_a_patch_that_all_others_repeat_is_important_until_it_is_known_twice() -> None:
    """One colour an image: with two patches visible, hiding one changes nothing; with one visible, everything."""
    flat = torch.rand(4, 3, 1, 1, generator=torch.Generator().manual_seed(1)).expand(4, 3, 8, 8)
    two = patch_importance(neighbours_mean(8), flat, PATCH, 14 / 16)
    assert np.nanmax(np.abs(two.change)) < 1e-10
    one = patch_importance(neighbours_mean(8), flat, PATCH, 15 / 16)
    brightness = flat[:, :, 0, 0].square().mean(1).numpy()
    assert one.error == pytest.approx(np.zeros(4), abs=1e-10)
    assert np.nanmax(one.change, (1, 2)) == pytest.approx(brightness, rel=1e-5)
    assert one.by_distance[:, 0] == pytest.approx(brightness, rel=1e-5), "at whatever distance there are hidden patches"


def test_only_what_was_hidden_before_counts() -> None:
    """A model that is wrong about every hidden patch by 1: the newly hidden one is wrong, too, and isn't counted."""
    found = patch_importance(lambda images, hidden: images + hidden.float(), patchwork(), PATCH, 0.5)
    assert found.error == pytest.approx(np.ones(6), rel=1e-5)
    assert np.nanmax(np.abs(found.change)) < 1e-5


def test_the_change_is_of_the_mean_over_hidden_patches() -> None:
    """A model that is wrong by 1 at the first patch as soon as the last one is hidden."""

    def reconstruct(images: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        output = images.clone()
        output[:, :, :PATCH, :PATCH] += hidden[:, :, -1:, -1:].float()
        return output

    found = patch_importance(reconstruct, patchwork(side=4, count=40), PATCH, 0.5, draws=30)
    last = found.change[:, -1, -1]
    assert last[np.isfinite(last)].mean() == pytest.approx(8 / 15 / 8, rel=0.1), "hidden in 8 of 15 draws, one of 8"
    others = np.delete(found.change.reshape(40, -1), 15, axis=1)
    assert np.nanmax(np.abs(others)) < 1e-6
    assert np.abs(found.by_distance[:, :2]).max() < 1e-6
    assert (found.by_distance[:, 2] > 0).all(), "the corners of a 4×4 grid are 3 apart"


def test_places_that_no_draw_had_visible_are_unknown() -> None:
    found = patch_importance(neighbours_mean(1), patchwork(), PATCH, 0.75, draws=1)
    assert np.isfinite(found.change).sum((1, 2)).tolist() == [16] * 6
    many = patch_importance(neighbours_mean(1), patchwork(), PATCH, 0.75, draws=40)
    assert np.isfinite(many.change).all()


def test_draws_are_seeded() -> None:
    def measured(seed: int) -> Importance:
        return patch_importance(neighbours_mean(1), patchwork(), PATCH, 0.75, draws=2, seed=seed)

    assert np.array_equal(measured(0).by_distance, measured(0).by_distance)
    assert not np.array_equal(measured(0).by_distance, measured(1).by_distance)


def test_bytes_are_images_too() -> None:
    images = (patchwork() * 255).round().to(torch.uint8)
    found = patch_importance(neighbours_mean(1), images, PATCH, 0.75)
    assert np.array_equal(found.change, patch_importance(neighbours_mean(1), images / 255, PATCH, 0.75).change, True)


@pytest.mark.parametrize(("patch", "ratio"), [(3, 0.5), (2, 0.0), (2, 1.0)])
def test_patches_that_do_not_fit_are_refused(patch: int, ratio: float) -> None:
    with pytest.raises(ValueError, match="don't fit"):
        patch_importance(neighbours_mean(1), patchwork(), patch, ratio)
