"""Image metrics against scikit-image on real photographs, and what they say of degenerate images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage import metrics as reference

from autoencoders.evaluation.arrays import full_precision
from autoencoders.evaluation.metrics import by_class, compare, summarise


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    """Twelve 32×40 crops of two photographs, uint8 [12, 3, 32, 40]."""
    astronaut, coffee = data.astronaut(), data.coffee()
    crops = [photo[y : y + 32, 80:120] for photo in (astronaut, coffee) for y in range(20, 320, 50)]
    return torch.as_tensor(np.stack(crops)).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="module")
def noisy(photos: torch.Tensor) -> torch.Tensor:
    noise = torch.randn(photos.shape, generator=torch.Generator().manual_seed(0))
    return (photos / 255 + 0.1 * noise).clamp(0, 1)


def skimage_ssim(target: np.ndarray, output: np.ndarray) -> float:
    return reference.structural_similarity(
        target,
        output,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
        channel_axis=0,
    )


# ── Against the reference ────────────────────────────────────────────────────────────────────────────────────────────


def test_metrics_equal_scikit_image_on_each_image(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    ours = compare(photos, noisy, batch=5)
    for i, (target, output) in enumerate(zip((photos / 255).numpy(), noisy.numpy(), strict=True)):
        mse = reference.mean_squared_error(target, output)
        assert ours["mse"][i] == pytest.approx(mse, rel=1e-5)
        assert ours["mae"][i] == pytest.approx(np.abs(target - output).mean(), rel=1e-5)
        assert ours["psnr"][i] == pytest.approx(
            reference.peak_signal_noise_ratio(target, output, data_range=1), abs=1e-4
        )
        assert ours["snr"][i] == pytest.approx(10 * np.log10(np.square(target).mean() / mse), abs=1e-4)
        assert ours["ssim"][i] == pytest.approx(skimage_ssim(target, output), abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 11, 11), (1, 28, 28), (3, 64, 64), (2, 12, 33)])
def test_ssim_equals_scikit_image_at_every_size(shape: tuple[int, ...]) -> None:
    images = torch.rand(2, *shape, generator=torch.Generator().manual_seed(1))
    made = (images + 0.3 * torch.rand(2, *shape, generator=torch.Generator().manual_seed(2))).clamp(0, 1)
    ours = compare(images, made)["ssim"]
    assert ours == pytest.approx(
        [skimage_ssim(a.numpy(), b.numpy()) for a, b in zip(images, made, strict=True)], abs=1e-5
    )


def test_ssim_stays_exact_where_images_are_flat_and_bright() -> None:
    """Variances are small differences of large squares there: what low precision loses first."""
    bright = 0.98 + 0.01 * torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    made = bright + 0.005 * torch.rand(bright.shape, generator=torch.Generator().manual_seed(1))
    ours = compare(bright, made)["ssim"]
    expected = [skimage_ssim(a.double().numpy(), b.double().numpy()) for a, b in zip(bright, made, strict=True)]
    assert ours == pytest.approx(expected, abs=1e-4)


def test_full_precision_holds_whatever_the_training_chose(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "tf32"
        with full_precision():
            assert matmul.fp32_precision == "ieee"
        assert matmul.fp32_precision == "tf32"
        with pytest.raises(ValueError, match="shapes differ"):
            compare(photos, noisy[:1])
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before


def test_compare_ignores_batches_types_and_containers(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    whole = compare(photos, noisy)
    for other in (
        compare(photos, noisy, batch=1),
        compare(photos / 255, noisy),
        compare(photos.numpy(), noisy.numpy()),
        compare(photos.contiguous(memory_format=torch.channels_last), noisy),
    ):
        for name, values in whole.items():
            assert other[name] == pytest.approx(values, abs=2e-5), name


# ── Masked region ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_mask_restricts_errors_to_its_region(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    mask = torch.zeros(len(photos), 1, 32, 40, dtype=torch.bool)
    mask[:, :, 4:12, 8:20] = True
    ours = compare(photos, noisy, mask, batch=5)
    inside = compare(photos[:, :, 4:12, 8:20].repeat(1, 1, 2, 1), noisy[:, :, 4:12, 8:20].repeat(1, 1, 2, 1))
    assert set(ours) == {"mse", "mae", "psnr"}
    for name, values in ours.items():
        assert values == pytest.approx(inside[name], rel=1e-5)
    made = photos / 255
    made[~mask.expand(photos.shape)] = 0.5
    assert compare(photos, made, mask)["psnr"].min() == np.inf, "errors outside don't count"


def test_mask_may_not_be_empty(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    mask = torch.ones(len(photos), 1, 32, 40)
    mask[3] = 0
    with pytest.raises(ValueError, match="empty for 1 image"):
        compare(photos, noisy, mask)


# ── Degenerate images ────────────────────────────────────────────────────────────────────────────────────────────────


def test_metrics_of_a_perfect_reconstruction_are_infinite(photos: torch.Tensor) -> None:
    perfect = compare(photos, photos)
    assert (perfect["psnr"] == np.inf).all()
    assert (perfect["snr"] == np.inf).all()
    assert perfect["ssim"] == pytest.approx(1.0, abs=1e-6)
    summary = summarise(perfect)
    assert summary["psnr_mean"].value == summary["psnr_pooled"].value == np.inf
    assert not any(np.isnan([*estimate]).any() for estimate in summary.values())


def test_snr_leaves_out_images_without_signal(noisy: torch.Tensor) -> None:
    target = noisy.clone()
    target[:2] = 0
    per_image = compare(target, (target + 0.1).clamp(0, 1))
    assert (per_image["snr"][:2] == -np.inf).all()
    summary = summarise(per_image)
    assert summary["snr"].n == len(noisy) - 2
    assert summary["snr"].value == pytest.approx(per_image["snr"][2:].mean(), rel=1e-5)
    assert summary["mse"].n == len(noisy)


def test_snr_of_black_images_is_no_nan() -> None:
    black = torch.zeros(4, 1, 16, 16)
    some = black + torch.tensor([0.0, 0.0, 0.1, 0.1]).view(4, 1, 1, 1)
    assert summarise(compare(black, some))["snr"][::3] == (np.inf, 2), "the perfect ones alone have one"
    assert summarise(compare(black, black))["snr"].value == np.inf
    assert summarise(compare(black, black + 0.1))["snr"].value == -np.inf


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_compare_refuses_values_that_are_no_numbers(photos: torch.Tensor, noisy: torch.Tensor, bad: float) -> None:
    broken = noisy.clone()
    broken[7, 0, 3, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        compare(photos, broken, batch=4)
    with pytest.raises(ValueError, match="NaN or infinite"):
        compare(broken, noisy)


def test_compare_refuses_shapes_that_do_not_fit(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        compare(photos, noisy[:, :1])
    with pytest.raises(ValueError, match="shapes differ"):
        compare(photos, noisy, torch.ones(len(photos), 3, 32, 40))
    with pytest.raises(ValueError, match="no images"):
        compare(photos[:0], noisy[:0])
    with pytest.raises(ValueError, match=r"\[N, C, H, W\]"):
        compare(photos[0], noisy[0])
    with pytest.raises(ValueError, match="at least 11×11"):
        compare(photos[..., :10], noisy[..., :10])


# ── Summary ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_summary_tells_mean_from_pooled_psnr(photos: torch.Tensor, noisy: torch.Tensor) -> None:
    per_image = compare(photos, noisy)
    summary = summarise(per_image)
    assert set(summary) == {"mse", "mae", "psnr_mean", "psnr_pooled", "ssim", "snr"}
    assert summary["psnr_mean"].value == pytest.approx(per_image["psnr"].mean(), rel=1e-5)
    assert summary["psnr_pooled"].value == pytest.approx(-10 * np.log10(per_image["mse"].mean()), rel=1e-5)
    assert summary["psnr_pooled"].value < summary["psnr_mean"].value, "Jensen"
    for estimate in summary.values():
        assert estimate.lo < estimate.value < estimate.hi
        assert estimate.n == len(photos)


def test_classes_have_their_own_means_and_intervals() -> None:
    values, labels = np.array([1.0, 5.0, 3.0, 7.0, 9.0]), torch.tensor([4, 2, 4, 2, 7])
    found = by_class(values, labels)
    assert [(label, estimate.value, estimate.n) for label, estimate in found.items()] == [
        (2, 6, 2),
        (4, 2, 2),
        (7, 9, 1),
    ]
    assert found[2].lo <= 6 <= found[2].hi
    with pytest.raises(ValueError, match="as many labels"):
        by_class(values, labels[:3])
