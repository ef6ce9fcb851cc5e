"""First weights from training images: before its first step, a model is the best linear one of its form."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders import models
from autoencoders.evaluation.patches import fit_patches
from autoencoders.models import start
from autoencoders.models.base import Shape
from autoencoders.models.blocks import CELL, WINDOW
from autoencoders.models.conv import ConvAutoencoder
from autoencoders.models.masked import MaskedAutoencoder
from autoencoders.specs import MCAE, ConvAE
from autoencoders.studies.transfer.models import SweepAutoencoder
from autoencoders.studies.transfer.plan import SweepAE

GREY: Shape = (1, 16, 16)
COUNT = 400


def smooth(shape: Shape = GREY, count: int = COUNT) -> Tensor:
    """Images whose pixels vary together, as natural ones do."""
    noise = torch.randn(count, shape[0], shape[1] // 4, shape[2] // 4, generator=torch.Generator().manual_seed(0))
    fine = torch.rand(count, *shape, generator=torch.Generator().manual_seed(1))
    return (0.5 + 0.15 * F.interpolate(noise, scale_factor=4, mode="bilinear") + 0.1 * (fine - 0.5)).clamp(0, 1)


def noisy(clean: Tensor, sigma: float = 0.2) -> Tensor:
    return clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(2))


def started(model_class: Any, spec: Any, clean: Tensor, seen: Tensor, seed: int = 0) -> Any:
    _, channels, height, width = clean.shape
    model = models.build(model_class, spec, (channels, height, width), seed)
    torch.manual_seed(0)
    model.start(clean, seen)
    return model.eval()


def error(made: Tensor, clean: Tensor) -> float:
    return (made - clean).square().mean().item()


@torch.no_grad()
def model_error(model: Any, clean: Tensor, seen: Tensor) -> float:
    return error(model(seen), clean)


def pca_error(clean: Tensor, size: int) -> float:
    centred = 2 * clean.flatten(1) - 1
    directions = torch.linalg.svd(centred, full_matrices=False)[2][:size]
    return error(centred @ directions.T @ directions, centred) / 4


@pytest.mark.parametrize("size", [4, 20])
@pytest.mark.parametrize(("model_class", "spec"), [(ConvAutoencoder, ConvAE()), (SweepAutoencoder, SweepAE())])
def test_model_of_clean_images_starts_as_pca(model_class: Any, spec: Any, size: int) -> None:
    clean = smooth()
    of_size = ConvAE(latent=size) if isinstance(spec, ConvAE) else SweepAE(bottleneck=size)
    assert model_error(started(model_class, of_size, clean, clean), clean, clean) == pytest.approx(
        pca_error(clean, size), rel=1e-3
    )


@pytest.mark.parametrize("size", [(28, 28), (8, 12), (30, 26)])
def test_sweep_starts_as_pca_of_images_that_halve_unevenly_too(size: tuple[int, int]) -> None:
    clean = smooth((1, 32, 32))[:, :, : size[0], : size[1]]
    model = started(SweepAutoencoder, SweepAE(bottleneck=16), clean, clean)
    assert model_error(model, clean, clean) == pytest.approx(pca_error(clean, 16), rel=1e-3)


def test_spatial_denoiser_starts_as_ridge_regression_on_windows() -> None:
    clean = smooth()
    seen = noisy(clean)
    model = started(ConvAutoencoder, ConvAE(bottleneck="spatial", latent=CELL**2), clean, seen)
    padding = (WINDOW - CELL) // 2
    windows = F.unfold(2 * seen - 1, WINDOW, padding=padding, stride=CELL).transpose(1, 2).flatten(0, 1)
    patches = F.unfold(2 * clean - 1, CELL, stride=CELL).transpose(1, 2).flatten(0, 1)
    best = windows @ torch.linalg.lstsq(windows, patches).solution
    assert model_error(model, clean, seen) == pytest.approx(error(best, patches) / 4, rel=1e-3)
    assert model_error(model, clean, seen) < 0.5 * error(seen, clean)


def test_vector_denoiser_starts_better_than_pca_of_noisy_images() -> None:
    clean = smooth()
    seen = noisy(clean, 0.4)
    as_denoiser, as_pca = (started(ConvAutoencoder, ConvAE(latent=30), clean, shown) for shown in (seen, clean))
    assert model_error(as_denoiser, clean, seen) < 0.8 * model_error(as_pca, clean, seen)


def test_start_does_not_depend_on_the_seed_where_it_is_best() -> None:
    clean = smooth()
    outputs = [started(ConvAutoencoder, ConvAE(latent=8), clean, clean, seed)(clean[:4]) for seed in (0, 1)]
    torch.testing.assert_close(*outputs)


@pytest.mark.parametrize("activation", [nn.GELU(), nn.ReLU()])
def test_paired_channels_pass_an_activation_unchanged(activation: nn.Module) -> None:
    first, second = nn.Conv2d(3, 10, 3, padding=1), nn.Conv2d(10, 6, 3, padding=1)
    kernels = [torch.randn(*size, 3, 3, generator=torch.Generator().manual_seed(3)) for size in ((4, 3), (6, 4))]
    start.place(first, kernels[0], paired=(True, False))
    start.place(second, kernels[1], paired=(False, True))
    images = smooth((3, 8, 8), 2)
    straight = F.conv2d(F.conv2d(images, kernels[0], padding=1), kernels[1], padding=1)
    torch.testing.assert_close(second(activation(first(images))), straight, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("bottleneck", ["vector", "spatial"])
def test_every_weight_of_a_started_model_learns(bottleneck: Any) -> None:
    clean = smooth((3, 16, 16), 64)
    model = started(ConvAutoencoder, ConvAE(bottleneck=bottleneck, latent=8), clean, noisy(clean)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for _ in range(3):  # a branch's last layer starts at zero, so what comes before it learns from the second step on
        optimizer.zero_grad()
        model.losses(clean, noisy(clean), torch.Generator())["loss"].backward()
        optimizer.step()
    after = dict(model.named_parameters())
    assert [name for name in before if torch.equal(before[name], after[name])] == []


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize(
    ("model_class", "spec"),
    [(ConvAutoencoder, ConvAE()), (SweepAutoencoder, SweepAE()), (MaskedAutoencoder, MCAE(width=8))],
)
def test_flat_images_make_a_start_too(model_class: Any, spec: Any, count: int, level: float) -> None:
    clean = torch.full((count, 3, 16, 16), level)
    model = started(model_class, spec, clean, clean)
    assert torch.isfinite(model(clean)).all()
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_masked_autoencoder_starts_with_whitened_patches_for_filters() -> None:
    clean = smooth((3, 16, 16))
    model = started(MaskedAutoencoder, MCAE(width=8), clean, clean)
    torch.manual_seed(0)
    filters = fit_patches(clean).filters[: model.filters.out_channels]
    seen = F.conv2d(2 * clean - 1, filters, stride=2)
    maps = model.filters(model.stem(2 * clean - 1))[:, :, 1:-1, 1:-1]  # inside, where no window reaches the border
    torch.testing.assert_close(maps, seen / seen.std((0, 2, 3), keepdim=True), rtol=1e-2, atol=1e-2)


def test_directions_are_found_where_eigenvalues_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(200, 12, generator=torch.Generator().manual_seed(3)) * torch.arange(12, 0, -1)
    usual = start.principal(rows, 4)

    def diverge(moments: Tensor) -> None:
        raise torch.linalg.LinAlgError("the algorithm failed to converge")

    monkeypatch.setattr(torch.linalg, "eigh", diverge)
    assert torch.allclose((start.principal(rows, 4).T @ usual).abs(), torch.eye(4), atol=1e-4)
