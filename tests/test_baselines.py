"""Baselines against closed forms and scikit-learn; PCA against its known figures on CIFAR-10."""

from __future__ import annotations

import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn import decomposition, linear_model
from sklearn.datasets import load_digits

from autoencoders.evaluation import baselines
from autoencoders.evaluation.baselines import (
    Directions,
    along,
    choose_similarity,
    choose_weight,
    fit_linear_denoiser,
    mean_image,
    non_local_means,
    total_variation,
)
from autoencoders.evaluation.metrics import compare, summarise
from autoencoders.evaluation.pca import fit_leading, fit_pca


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    """1,797 digits as uint8 [N, 1, 8, 8]."""
    return torch.as_tensor(load_digits().images / 16 * 255).round().to(torch.uint8)[:, None]


def noise(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return images + 0.2 * torch.randn(images.shape, generator=generator)


# ── Mean image ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_mean_image_equals_the_mean(digits: torch.Tensor) -> None:
    expected = (digits.double() / 255).mean(0).numpy()
    assert mean_image(digits, batch=100) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match="no images"):
        mean_image(digits[:0])


# ── PCA ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pca_equals_scikit_learn(digits: torch.Tensor) -> None:
    ours = fit_pca(digits, batch=500)
    flat = (digits.flatten(1).double() / 255).numpy()
    theirs = decomposition.PCA(svd_solver="full").fit(flat)
    share = (len(flat) - 1) / len(flat)  # scikit-learn divides by n - 1
    assert ours.variances == pytest.approx(theirs.explained_variance_ * share, abs=1e-6)
    k = 10
    embedded = theirs.transform(flat)[:, :k]
    assert np.abs(ours.embed(digits, k).numpy()) == pytest.approx(np.abs(embedded), abs=1e-4)
    rebuilt = np.clip(embedded @ theirs.components_[:k] + theirs.mean_, 0, 1)
    assert ours.reconstruct(digits, k).flatten(1).numpy() == pytest.approx(rebuilt, abs=1e-5)


def test_leading_pca_finds_the_exact_components(digits: np.ndarray) -> None:
    exact, leading = fit_pca(digits, 8), fit_leading(digits, 8)
    np.testing.assert_allclose(leading.variances, exact.variances, rtol=1e-3)
    np.testing.assert_allclose(np.abs((leading.components * exact.components).sum(1)), 1, atol=1e-3)
    assert (fit_leading(digits, 8).components == leading.components).all()


def test_pca_of_fewer_samples_than_dimensions_and_of_constant_ones(digits: torch.Tensor) -> None:
    few = fit_pca(digits[:10])
    theirs = decomposition.PCA(svd_solver="full").fit(digits[:10].flatten(1).double().numpy() / 255)
    assert few.variances[:9] == pytest.approx(theirs.explained_variance_[:9] * 9 / 10, rel=1e-4)
    assert few.components @ few.components.T == pytest.approx(np.eye(64), abs=1e-5)  # those without variance, too
    assert torch.allclose(few.reconstruct(digits[:10], 9), digits[:10] / 255, atol=1e-5)
    assert few.variances[9:] == pytest.approx(0, abs=1e-6)
    assert (few.variances >= 0).all()
    alike = fit_pca(digits[:1].repeat(5, 1, 1, 1))
    assert alike.variances == pytest.approx(0, abs=1e-9)
    assert torch.isfinite(alike.embed(digits, 3)).all()


@pytest.fixture(scope="module")
def cifar(cifar_root: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """All 50,000 training and 10,000 test images, uint8."""

    def images(*names: str) -> torch.Tensor:
        parts = [pickle.loads((cifar_root / "cifar-10-batches-py" / n).read_bytes(), encoding="bytes") for n in names]
        return torch.as_tensor(np.concatenate([part[b"data"] for part in parts])).reshape(-1, 3, 32, 32)

    return images(*(f"data_batch_{i}" for i in range(1, 6))), images("test_batch")


def test_pca_128_reproduces_its_known_figures_on_cifar10(cifar: tuple[torch.Tensor, torch.Tensor]) -> None:
    train, test = cifar
    summary = summarise(compare(test, fit_pca(train, 128).reconstruct(test, 128)))
    assert summary["psnr_mean"].value == pytest.approx(23.65, abs=0.005)
    assert summary["psnr_pooled"].value == pytest.approx(22.99, abs=0.005)
    assert summary["mse"].value == pytest.approx(0.00502, abs=5e-6)
    assert summary["mae"].value == pytest.approx(0.0502, abs=5e-5)


# ── Linear denoiser ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def one_penalty(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(baselines, "PENALTIES", (0.01,))
    return 0.01


def every(images: torch.Tensor) -> Directions:
    """In pixels: nothing is left out."""
    return along(images, np.eye(images.shape[1:].numel(), dtype=np.float32), batch=100)


def test_linear_denoiser_is_ridge_regression(digits: torch.Tensor, one_penalty: float) -> None:
    train, test = digits[:1000], digits[1000:]
    fitted = fit_linear_denoiser(every(train), test, noise, seed=3, batch=1000)
    seen = noise(train / 255, torch.Generator().manual_seed(3)).flatten(1).double().numpy()
    ridge = linear_model.Ridge(alpha=one_penalty * len(train)).fit(seen, (train / 255).flatten(1).double().numpy())
    noisy = noise(test / 255, torch.Generator().manual_seed(4))
    expected = np.clip(ridge.predict(noisy.flatten(1).numpy()), 0, 1)
    assert fitted.denoise(noisy).flatten(1).numpy() == pytest.approx(expected, abs=1e-4)


def test_linear_denoiser_keeps_within_its_directions(digits: torch.Tensor, one_penalty: float) -> None:
    train, test = digits[:1000], digits[1000:]
    axes = fit_pca(train).components
    noisy = noise(test / 255, torch.Generator().manual_seed(4))
    within = (every(train), along(train, axes), along(train, axes[:20]))
    free, turned, few = (fit_linear_denoiser(directions, test, noise, seed=3) for directions in within)
    assert turned.denoise(noisy).numpy() == pytest.approx(free.denoise(noisy).numpy(), abs=1e-3)
    made = few.denoise(noisy).flatten(1).numpy()
    mean, inwards = torch.as_tensor(few.clean.flatten()), torch.as_tensor(axes[:20].T.copy())
    seen = (noise(train / 255, torch.Generator().manual_seed(3)).flatten(1) - mean) @ inwards
    target = ((train / 255).flatten(1) - mean) @ inwards
    ridge = linear_model.Ridge(alpha=one_penalty * len(train)).fit(seen.double().numpy(), target.double().numpy())
    inner = ridge.predict(((noisy.flatten(1) - mean) @ inwards).double().numpy())
    assert made == pytest.approx(np.clip(inner @ axes[:20] + mean.numpy(), 0, 1), abs=1e-3)


def test_linear_denoiser_removes_noise_and_undoes_what_is_linear(digits: torch.Tensor) -> None:
    train, validation, test = every(digits[:1000]), digits[1000:1200], digits[1200:]
    fitted = fit_linear_denoiser(train, validation, noise)
    noisy = noise(test / 255, torch.Generator().manual_seed(9))
    before, after = (
        np.square(made - (test / 255).numpy()).mean() for made in (noisy.numpy(), fitted.denoise(noisy).numpy())
    )
    assert after < 0.6 * before
    negative = fit_linear_denoiser(train, validation, lambda images, _: 1 - images)
    assert (negative.denoise(1 - test / 255) - test / 255).square().mean() < 1e-4
    assert negative.penalty == min(baselines.PENALTIES)


def test_linear_denoiser_chooses_its_penalty_on_validation_images(
    digits: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, validation = every(digits[:80]), digits[1000:]
    errors = {}
    for penalty in baselines.PENALTIES:
        monkeypatch.setattr(baselines, "PENALTIES", (penalty,))
        fitted = fit_linear_denoiser(train, validation, noise)
        generator = torch.Generator().manual_seed(0)
        noise(digits[:80] / 255, generator)
        made = fitted.denoise(noise(validation / 255, generator))
        errors[penalty] = float((made - validation / 255).square().mean())
    monkeypatch.undo()
    assert fit_linear_denoiser(train, validation, noise).penalty == min(errors, key=errors.__getitem__)


def test_linear_denoiser_refuses_nothing_and_what_is_no_number(digits: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="training and validation"):
        every(digits[:0])
    with pytest.raises(ValueError, match="training and validation"):
        fit_linear_denoiser(every(digits), digits[:0], noise)
    with pytest.raises(ValueError, match="NaN"):
        fit_linear_denoiser(every(digits[:9]), digits[:9], lambda images, _: images * torch.nan)


# ── Total variation ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    from skimage import data

    return torch.as_tensor(np.stack([data.astronaut()[y : y + 32, 100:132] for y in range(0, 300, 30)])).permute(
        0, 3, 1, 2
    )


def test_total_variation_equals_scikit_image(photos: torch.Tensor) -> None:
    from skimage.restoration import denoise_tv_chambolle

    ours = total_variation(photos, 0.1)
    assert ours.shape == (10, 3, 32, 32)
    for image, made in zip((photos / 255).numpy(), ours, strict=True):
        assert made == pytest.approx(denoise_tv_chambolle(image, weight=0.1, channel_axis=0), abs=1e-6)


def noisy(photos: torch.Tensor, sigma: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return (photos / 255 + sigma * torch.randn(photos.shape, generator=generator)).clamp(0, 1)


def test_non_local_means_are_scikit_image_s_image_by_image(photos: torch.Tensor) -> None:
    from skimage.restoration import denoise_nl_means

    ours = non_local_means(photos, (0.08, 0.05))
    assert ours.shape == (10, 3, 32, 32)
    for image, made in zip((photos / 255).permute(0, 2, 3, 1).numpy(), ours, strict=True):
        theirs = denoise_nl_means(image, patch_size=5, patch_distance=6, h=0.08, sigma=0.05, channel_axis=2)
        assert made.transpose(1, 2, 0) == pytest.approx(theirs, abs=1e-5)


def test_jobs_change_nothing_but_the_time(photos: torch.Tensor) -> None:
    with joblib.parallel_config(backend="threading"):
        assert np.array_equal(total_variation(photos, 0.2, jobs=2), total_variation(photos, 0.2))
        assert total_variation(photos[:1], 0.2, jobs=2).shape == (1, 3, 32, 32)
        assert np.array_equal(non_local_means(photos, (0.1, 0.0), jobs=2), non_local_means(photos, (0.1, 0.0)))
    assert total_variation(photos[:0], 0.2).shape == (0, 3, 32, 32)
    assert non_local_means(photos[:0], (0.1, 0.0)).shape == (0, 3, 32, 32)


def test_more_noise_asks_for_more_smoothing(photos: torch.Tensor) -> None:
    assert choose_weight(photos, photos) == min(baselines.WEIGHTS)
    assert choose_weight(noisy(photos, 0.05), photos) < choose_weight(noisy(photos, 0.4), photos)
    few = noisy(photos, 0.2)
    errors = [np.square(total_variation(few, w) - (photos / 255).numpy()).mean() for w in baselines.WEIGHTS]
    assert choose_weight(few, photos) == baselines.WEIGHTS[int(np.argmin(errors))]
    with pytest.raises(ValueError, match="needs images"):
        choose_weight(photos[:0], photos[:0])


def test_more_noise_asks_for_less_alike_surroundings(photos: torch.Tensor) -> None:
    few = photos[:5]
    assert choose_similarity(few, few) == baselines.SIMILARITIES[0]
    chosen = choose_similarity(noisy(few, 0.2), few)
    assert sum(choose_similarity(noisy(few, 0.05), few)) < sum(chosen)
    errors = [
        np.square(non_local_means(noisy(few, 0.2), s) - (few / 255).numpy()).mean() for s in baselines.SIMILARITIES
    ]
    assert chosen == baselines.SIMILARITIES[int(np.argmin(errors))]
    assert min(errors) < 0.6 * float((noisy(few, 0.2) - few / 255).square().mean())
