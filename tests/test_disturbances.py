"""Disturbances of images: what they do, how much, and that they are seeded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage

from autoencoders.evaluation.disturbances import blur, disturb, lower_contrast, occlude, salt_and_pepper
from autoencoders.specs import Disturbance


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def textures(count: int = 40, height: int = 12, width: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=generator(9)) * 0.8 + 0.1


SPECS = [
    Disturbance("blur", 1.0),
    Disturbance("salt and pepper", 0.2),
    Disturbance("occlusion", 5),
    Disturbance("low contrast", 0.5),
]


@pytest.mark.parametrize("what", SPECS)
def test_disturbed_images_are_images_and_the_originals_stay(what: Disturbance) -> None:
    images = textures()
    before = images.clone()
    made = disturb(images, what, generator())
    assert (made.shape, made.dtype) == (images.shape, images.dtype)
    assert made.min() >= 0
    assert made.max() <= 1
    assert not torch.equal(made, images)
    assert torch.equal(images, before)
    assert torch.equal(made, disturb(images, what, generator()))


def test_a_spec_is_the_disturbance_that_it_names() -> None:
    images = textures()
    expected = [
        blur(images, 1.0),
        salt_and_pepper(images, 0.2, generator()),
        occlude(images, 5, generator()),
        lower_contrast(images, 0.5),
    ]
    for what, known in zip(SPECS, expected, strict=True):
        assert torch.equal(disturb(images, what, generator()), known)


@pytest.mark.parametrize("sigma", [0.7, 1.5, 2.0])
def test_blur_equals_scipy(sigma: float) -> None:
    images = textures(2, 32, 32)
    expected = ndimage.gaussian_filter(
        images.double().numpy(), (0, 0, sigma, sigma), mode="mirror", radius=(0, 0, *[round(3 * sigma)] * 2)
    )
    assert blur(images, sigma).numpy() == pytest.approx(expected, abs=1e-5)


def test_blur_of_nothing_and_of_uniform_images() -> None:
    images = textures()
    assert torch.allclose(blur(images, 0.0), images)
    assert torch.allclose(blur(torch.full((1, 3, 8, 8), 0.3), 5.0), torch.tensor(0.3))


def test_salt_and_pepper_hit_the_share_asked_for_in_all_channels() -> None:
    images = textures(200)
    made = salt_and_pepper(images, 0.3, generator())
    hit = made != images
    assert torch.equal(hit[:, :1].expand_as(hit), hit)
    assert float(hit.float().mean()) == pytest.approx(0.3, abs=0.01)
    assert set(made[hit].unique().tolist()) == {0.0, 1.0}
    assert float(made[hit].mean()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(salt_and_pepper(images, 0.0, generator()), images)


def test_occlusion_hides_one_square_somewhere_in_each_image() -> None:
    made = occlude(textures(300), 5, generator())
    hidden = (made == 0.5).all(1)
    assert hidden.sum((1, 2)).tolist() == [25] * 300
    assert hidden.any(2).sum(1).tolist() == [5] * 300
    assert hidden.any(1).sum(1).tolist() == [5] * 300
    reached = hidden.float().mean(0)
    assert (reached > 0).all(), "corners too"
    assert len(hidden.flatten(1).unique(dim=0)) > 60, "of the 96 places"


def test_occlusion_of_everything_and_of_nothing() -> None:
    images = textures(2, 6, 6)
    assert torch.equal(occlude(images, 0, generator()), images)
    assert (occlude(images, 6, generator()) == 0.5).all()


def test_lower_contrast_keeps_brightness_and_scales_deviations() -> None:
    images = textures()
    made = lower_contrast(images, 0.25)
    assert torch.allclose(made.mean((1, 2, 3)), images.mean((1, 2, 3)), atol=1e-6)
    assert (made.std((1, 2, 3)) / images.std((1, 2, 3))).numpy() == pytest.approx(np.full(40, 0.25), rel=1e-4)
    assert torch.equal(lower_contrast(images, 1.0), images)
    assert lower_contrast(images, 0.0).std((1, 2, 3)).max() < 1e-6


def test_drawn_disturbances_differ_by_seed() -> None:
    images = textures()
    assert not torch.equal(salt_and_pepper(images, 0.2, generator()), salt_and_pepper(images, 0.2, generator(1)))
    assert not torch.equal(occlude(images, 5, generator()), occlude(images, 5, generator(1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: blur(images, -1.0), "a blur has"),
        (lambda images: salt_and_pepper(images, 1.5, generator()), "share of pixels"),
        (lambda images: occlude(images, 13, generator()), "doesn't fit"),
        (lambda images: lower_contrast(images, 2.0), "contrast is lowered"),
    ],
)
def test_impossible_strengths_are_refused(change: Callable[[torch.Tensor], torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(textures(2))
