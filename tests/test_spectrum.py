"""Error by spatial frequency of waves whose frequency is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoencoders.evaluation.spectrum import error_by_frequency, lost_detail


def waves(cycles: int, count: int = 6, side: int = 16) -> torch.Tensor:
    """Horizontal waves [N, 3, side, side], each with a phase of its own, around mid-grey."""
    phase = torch.arange(count)[:, None] * 2 * np.pi / count
    row = 0.5 + 0.25 * torch.sin(2 * np.pi * cycles * torch.arange(side) / side + phase)
    return row[:, None, None, :].expand(count, 3, side, side).float()


def noise(count: int = 200, side: int = 16) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("cycles", [1, 3, 7])
def test_a_wave_s_power_lies_at_its_frequency(cycles: int) -> None:
    images = waves(cycles)
    found = error_by_frequency(images, torch.full_like(images, 0.5))
    place = int(found.signal.argmax())
    assert place == found.error.argmax() == cycles
    assert (found.signal * found.count).sum() == pytest.approx(0.25**2 / 2, rel=1e-4)
    assert found.ratio[place] == pytest.approx(1)
    assert np.delete(found.signal, place) == pytest.approx(0, abs=1e-10)


def test_all_frequencies_together_are_the_mean_square() -> None:
    target, output = noise(), 0.7 * noise()
    found = error_by_frequency(target, output, batch=64)
    assert (found.error * found.count).sum() == pytest.approx(float((output - target).square().mean()), rel=1e-5)
    assert (found.signal * found.count).sum() == pytest.approx(
        float((target - target.mean(0)).square().mean()), rel=1e-5
    )
    assert found.count.sum() == 16 * 16
    assert found.ratio == pytest.approx(np.full(len(found.ratio), 0.09), rel=0.05)


def test_white_noise_is_white() -> None:
    found = error_by_frequency(torch.zeros(200, 3, 16, 16), noise())
    assert found.error == pytest.approx(np.full(len(found.error), 1 / 256), rel=0.15)
    assert np.isnan(found.ratio).all()


def test_a_blur_loses_the_fine_and_keeps_the_coarse() -> None:
    images = noise()
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    ratio = error_by_frequency(images, blurred).ratio
    assert ratio[1] < 0.1
    assert ratio[8] > 0.7


def test_detail_is_lost_where_only_what_is_fine_is_missing() -> None:
    coarse, fine = waves(2), waves(6) - 0.5  # of a side of 16: 0.125 and 0.375 cycles a pixel
    images = coarse + fine
    assert lost_detail(images, coarse) == pytest.approx(np.ones(6), rel=1e-4)
    assert lost_detail(images, images - coarse) == pytest.approx(np.zeros(6), abs=1e-6)
    assert lost_detail(images, coarse + 0.5 * fine) == pytest.approx(np.full(6, 0.25), rel=1e-4)
    assert lost_detail(torch.full((2, 3, 16, 16), 0.5), torch.zeros(2, 3, 16, 16)).tolist() == [0, 0], "there was none"


def test_the_mean_image_costs_nothing_and_misses_everything_else() -> None:
    images = noise() + 3
    found = error_by_frequency(images, images.mean(0).expand(images.shape))
    assert found.ratio == pytest.approx(np.ones(len(found.ratio)), rel=1e-4)


def test_images_need_not_be_square() -> None:
    found = error_by_frequency(noise()[:, :, :8], torch.zeros(200, 3, 8, 16))
    assert found.count.sum() == 8 * 16
    assert found.frequency[0] == 0
    assert (np.diff(found.frequency) > 0).all()
    assert 0.6 < found.frequency[-1] <= np.hypot(0.5, 0.5)


def test_images_that_differ_in_shape_are_refused() -> None:
    for a, b in ((noise(2), noise(3)), (noise(0), noise(0))):
        with pytest.raises(ValueError, match="must be alike"):
            error_by_frequency(a, b)
