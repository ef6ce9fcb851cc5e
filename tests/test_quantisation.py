"""Quantised latents against the distortion and the entropy that theory gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoencoders.evaluation.quantisation import fit_quantiser


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(count: int, dims: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, dims, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("bits", "distortion"), [(1, 0.3634), (2, 0.1188), (3, 0.03744), (4, 0.01154)])
def test_a_gaussian_loses_what_max_s_table_says(bits: int, distortion: float) -> None:
    """Max (1960), uniform steps; the widths tried come within a few percent of the best."""
    latents = normal(20_000, 4) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 5
    quantiser = fit_quantiser(latents, bits)
    other = normal(20_000, 4, seed=1) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 5
    lost = (quantiser.quantise(other) - other).var(0) / other.var(0)
    assert lost.numpy() == pytest.approx(np.full(4, distortion), rel=0.06)


def test_one_bit_more_quarters_the_error_of_even_latents() -> None:
    latents = uniform(20_000)
    errors = [float((fit_quantiser(latents, bits).quantise(latents) - latents).square().mean()) for bits in (4, 5, 6)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def test_code_length_is_the_entropy() -> None:
    codes = torch.multinomial(torch.tensor([0.5, 0.25, 0.125, 0.125]), 40_000, replacement=True).float()
    latents = torch.stack([codes, codes.flip(0)], 1)
    found = fit_quantiser(latents, 8).code_length(latents)
    assert found.mean() == pytest.approx(2 * 1.75, abs=0.03)
    assert found.shape == (40_000,)


def test_code_length_of_a_fine_gaussian_is_its_differential_entropy_less_the_step() -> None:
    latents = normal(40_000, 1)
    quantiser = fit_quantiser(latents, 5)
    expected = 0.5 * np.log2(2 * np.pi * np.e) - np.log2(float(quantiser.step))
    assert quantiser.code_length(normal(40_000, 1, seed=1)).mean() == pytest.approx(expected, abs=0.03)


def test_codes_are_within_range_and_decode_to_the_nearest_step() -> None:
    quantiser = fit_quantiser(normal(1000, 2), 3)
    extreme = torch.tensor([[-100.0, 100.0]])
    assert quantiser.encode(extreme).tolist() == [[0, 7]]
    assert np.isfinite(quantiser.code_length(extreme)).all(), "codes that training never met cost much, not infinitely"
    twice = quantiser.quantise(quantiser.quantise(normal(50, 2)))
    assert torch.allclose(twice, quantiser.quantise(normal(50, 2)))


def test_maps_keep_their_shape() -> None:
    maps = normal(30, 4, 2, 2)
    assert fit_quantiser(maps, 8).quantise(maps).shape == maps.shape
    assert torch.allclose(fit_quantiser(maps, 12).quantise(maps), maps, atol=0.01)


def test_dimensions_that_do_not_vary_cost_nothing() -> None:
    latents = torch.cat([normal(500, 1), torch.full((500, 1), 7.0)], 1)
    quantiser = fit_quantiser(latents, 4)
    assert torch.equal(quantiser.quantise(latents)[:, 1], latents[:, 1])
    alone = fit_quantiser(latents[:, :1], 4)
    assert quantiser.code_length(latents).mean() == pytest.approx(alone.code_length(latents[:, :1]).mean(), abs=0.05)


@pytest.mark.parametrize("bits", [0, 13])
def test_other_numbers_of_bits_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="1 to 12 bits"):
        fit_quantiser(normal(9, 2), bits)
