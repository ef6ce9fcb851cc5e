"""Noise and masks: their statistics, their seeds, and what they leave alone."""

from __future__ import annotations

import pytest
import torch

from autoencoders import corruption
from autoencoders.specs import Corruption, Gaussian, GaussianUpTo, PatchMask, PixelMask


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def grey() -> torch.Tensor:
    return torch.full((64, 3, 16, 16), 0.5)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.3])
def test_gaussian_noise_has_its_standard_deviation(grey: torch.Tensor, sigma: float) -> None:
    noise = corruption.gaussian(grey, sigma, seeded(), clip=False) - grey
    assert noise.std().item() == pytest.approx(sigma, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.02 * sigma)
    assert noise.unique().numel() > 0.9 * noise.numel()


def test_gaussian_noise_is_clipped_by_default(grey: torch.Tensor) -> None:
    clipped, free = (corruption.gaussian(grey, 1.0, seeded(), clip=clip) for clip in (True, False))
    assert (clipped.min(), clipped.max()) == (0, 1)
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal(clipped, free.clamp(0, 1))


def test_noise_up_to_a_level_has_another_level_in_each_image() -> None:
    """Sigmas are uniform: their mean is half the most, their deviation the most by the root of 12."""
    grey = torch.full((400, 3, 32, 32), 0.5)
    noise = corruption.gaussian_up_to(grey, 0.12, seeded()) - grey
    sigmas = noise.flatten(1).std(1)
    assert sigmas.max() < 0.125
    assert sigmas.mean().item() == pytest.approx(0.06, rel=0.1)
    assert sigmas.std().item() == pytest.approx(0.12 / 12**0.5, rel=0.1)
    loud = corruption.gaussian_up_to(grey, 3.0, seeded())
    assert (loud.min(), loud.max()) == (0, 1)


def test_corruptions_leave_their_input_alone(grey: torch.Tensor) -> None:
    before = grey.clone()
    corruption.gaussian(grey, 0.3, seeded())
    corruption.hide_pixels(grey, 0.3, seeded())
    assert torch.equal(grey, before)


@pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf")])
def test_gaussian_refuses_impossible_sigmas(grey: torch.Tensor, sigma: float) -> None:
    with pytest.raises(ValueError, match="sigma must be a finite number"):
        corruption.gaussian(grey, sigma, seeded())


def test_gaussian_noise_does_not_depend_on_the_memory_layout(grey: torch.Tensor) -> None:
    other = grey.contiguous(memory_format=torch.channels_last)
    assert torch.equal(corruption.gaussian(grey, 0.2, seeded()), corruption.gaussian(other, 0.2, seeded()))


@pytest.mark.parametrize("spec", [Gaussian(0.3), GaussianUpTo(0.5), PixelMask(0.5)])
def test_corruptions_depend_on_the_generator_alone(grey: torch.Tensor, spec: Corruption) -> None:
    torch.manual_seed(1)
    first = corruption.corrupt(grey, spec, seeded(7))
    torch.manual_seed(2)
    assert torch.equal(first, corruption.corrupt(grey, spec, seeded(7)))
    assert not torch.equal(first, corruption.corrupt(grey, spec, seeded(8)))


def test_corrupt_does_what_its_spec_says(grey: torch.Tensor) -> None:
    assert corruption.corrupt(grey, None, seeded()) is grey
    noisy = corruption.corrupt(grey, Gaussian(0.9, clip=False), seeded())
    assert torch.equal(noisy, corruption.gaussian(grey, 0.9, seeded(), clip=False))
    mixed = corruption.corrupt(grey, GaussianUpTo(0.5), seeded())
    assert torch.equal(mixed, corruption.gaussian_up_to(grey, 0.5, seeded()))
    hidden = corruption.corrupt(grey, PixelMask(0.25), seeded())
    assert torch.equal(hidden, corruption.hide_pixels(grey, 0.25, seeded()))


def test_corrupt_refuses_a_mask_over_patches(grey: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="not a corruption"):
        corruption.corrupt(grey, PatchMask(0.5), seeded())  # type: ignore[arg-type]


@pytest.mark.parametrize(("ratio", "hidden"), [(0, 0), (0.1, 26), (0.5, 128), (1, 256)])
def test_hidden_pixels_are_black_in_all_channels_and_as_many_as_asked_for(
    grey: torch.Tensor, ratio: float, hidden: int
) -> None:
    seen = corruption.hide_pixels(grey, ratio, seeded())
    black = (seen == 0).all(dim=1)
    assert (black.sum(dim=(1, 2)) == hidden).all()
    assert torch.equal(seen, grey.masked_fill(black[:, None], 0))


@pytest.mark.parametrize("grid", [(8, 8), (4, 6), (1, 1)])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 0.75, 1.0])
def test_masks_hide_exactly_their_share(grid: tuple[int, int], ratio: float) -> None:
    mask = corruption.random_mask(5, grid, ratio, seeded())
    assert mask.shape == (5, 1, *grid)
    assert mask.dtype == torch.bool
    assert (mask.sum(dim=(1, 2, 3)) == round(ratio * grid[0] * grid[1])).all()


def test_masks_hide_every_place_equally_often() -> None:
    share = corruption.random_mask(4000, (4, 4), 0.25, seeded()).float().mean(dim=0)
    assert share.sub(0.25).abs().max() < 0.04


def test_masks_differ_between_images() -> None:
    masks = corruption.random_mask(50, (8, 8), 0.5, seeded()).flatten(1)
    assert len(masks.unique(dim=0)) == 50


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_masks_refuse_impossible_ratios(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        corruption.random_mask(1, (4, 4), ratio, seeded())


# ── Augmentation ──────────────────────────────────────────────────────────────────────────────────────────────────────

CENTRE = 2 * corruption.REACH * (corruption.REACH + 1)  # of all places, the one where nothing is moved


def pictures(count: int = 40) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(5))


def augmented(images: torch.Tensor, place: int = CENTRE, seed: int = 0) -> torch.Tensor:
    return corruption.augmented(images, torch.Generator().manual_seed(seed), place)


def test_augmentation_mirrors_each_image_or_not() -> None:
    images = pictures()
    mirrored = (augmented(images) == images.flip(3)).flatten(1).all(1)
    same = (augmented(images) == images).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert 10 < mirrored.sum() < 30
    assert torch.equal(augmented(images), augmented(images))
    assert not torch.equal(augmented(images), augmented(images, seed=1))


@pytest.mark.parametrize("place", [0, 3, CENTRE, 24, 25, 10**15])
def test_augmentation_moves_images_and_mirrors_their_edges(place: int) -> None:
    images = pictures(1)
    down, right = (offset - corruption.REACH for offset in divmod(place % 25, 5))
    moved, still = augmented(images, place), augmented(images)
    for y in range(8):
        for x in range(8):
            source = [abs(s) if s < 8 else 14 - s for s in (y + down, x + right)]
            assert torch.equal(moved[0, :, y, x], still[0, :, source[0], source[1]])
