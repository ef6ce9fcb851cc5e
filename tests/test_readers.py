"""Features read from any encoder's layers: what they are, what they ignore, what they keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoencoders.evaluation.readers import Reader, fit_reader


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_features_by_hand() -> None:
    """One channel from −1 to 1, mean 0 and deviation 1: each cell's mean of positive and of negative parts."""
    maps = torch.tensor([[[[1.0, 1.0], [-1.0, -1.0]]], [[[1.0, -1.0], [1.0, -1.0]]]])
    assert fit_reader([maps], grid=1).read([maps]).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert fit_reader([maps], grid=2).read([maps])[0].tolist() == [1, 1, 0, 0, 0, 0, 1, 1]


def test_training_features_are_standardised_before_they_are_rectified() -> None:
    maps = normal(500, 4, 6, 6) * torch.tensor([1.0, 10.0, 0.1, 3.0])[:, None, None] + 7
    found = fit_reader([maps], grid=6).read([maps]).unflatten(1, (2, 4, 36))
    signed = found[:, 0] - found[:, 1]
    assert signed.mean((0, 2)).numpy() == pytest.approx(np.zeros(4), abs=1e-3)
    assert signed.std((0, 2)).numpy() == pytest.approx(np.ones(4), rel=1e-3)
    assert (found >= 0).all()
    assert not (found[:, 0] * found[:, 1]).any(), "a value has one sign"


def test_scale_and_offset_of_channels_do_not_matter() -> None:
    maps = normal(50, 3, 8, 8)
    other = maps * torch.tensor([5.0, 0.01, 1.0])[:, None, None] - 3
    assert torch.allclose(fit_reader([maps]).read([maps]), fit_reader([other]).read([other]), atol=1e-4)


def test_a_channel_s_sign_only_swaps_its_two_features() -> None:
    maps = normal(50, 1, 8, 8)
    found, flipped = (fit_reader([m]).read([m]).unflatten(1, (2, 4)) for m in (maps, -maps))
    assert torch.allclose(found, flipped.flip(1), atol=1e-6)


def test_layers_of_any_size_are_read_together() -> None:
    layers = [normal(20, 3, 16, 16), normal(20, 8, 4, 4, seed=1), normal(20, 5, seed=2)]
    reader = fit_reader(layers, grid=4)
    assert reader.read(layers).shape == (20, 2 * (3 * 16 + 8 * 16 + 5))
    assert torch.allclose(reader.read([layer[3:6] for layer in layers]), reader.read(layers)[3:6], atol=1e-6)


def test_test_images_are_read_with_the_moments_of_training() -> None:
    train, test = normal(200, 2, 4, 4), normal(10, 2, 4, 4, seed=1) + 5
    found = fit_reader([train]).read([test])
    assert found.unflatten(1, (2, 2, 4))[:, 0].min() > 2
    assert found.unflatten(1, (2, 2, 4))[:, 1].max() < 0.1


def test_constant_channels_are_read_as_zero() -> None:
    maps = torch.cat([normal(30, 1, 4, 4), torch.full((30, 1, 4, 4), 9.0)], 1)
    found = fit_reader([maps]).read([maps]).unflatten(1, (2, 2, 4))
    assert found[:, :, 1].abs().max() < 1e-5
    assert torch.isfinite(found).all()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "at least one layer"),
        ([normal(3, 2, 4)], r"\[N, C, h, w\]"),
        ([normal(0, 2, 4, 4)], "N > 0"),
        ([torch.full((2, 1, 2, 2), torch.nan)], "NaN"),
    ],
)
def test_what_is_no_layer_is_refused(layers: list[torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_reader(layers)


def test_layers_other_than_those_fitted_are_refused() -> None:
    reader: Reader = fit_reader([normal(9, 2, 4, 4)])
    with pytest.raises(ValueError, match="fitted to 1 layers"):
        reader.read([normal(9, 2, 4, 4)] * 2)
    with pytest.raises(ValueError, match="2 channels was fitted"):
        reader.read([normal(9, 3, 4, 4)])
