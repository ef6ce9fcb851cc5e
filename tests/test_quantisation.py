"""Quantised latents against the distortion and the entropy that theory gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoencoders.evaluation.quantisation import MOST, fit_quantiser, influences


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_fine_steps_cost_the_differential_entropy_and_lose_a_twelfth_of_their_square() -> None:
    scale, step = torch.tensor([1.0, 10.0]), torch.tensor([0.2, 0.5])
    quantiser = fit_quantiser(normal(40_000, 2) * scale + 5, step)
    latents = normal(40_000, 2, seed=1) * scale + 5
    codes = quantiser.encode(latents)
    entropy = (0.5 * np.log2(2 * np.pi * np.e) + (scale / step).log2()).sum()
    assert quantiser.code_length(codes).mean() == pytest.approx(float(entropy), abs=0.05)
    assert (quantiser.decode(codes) - latents).var(0).numpy() == pytest.approx((step**2 / 12).numpy(), rel=0.05)


def test_code_length_is_the_entropy() -> None:
    codes = torch.multinomial(torch.tensor([0.5, 0.25, 0.125, 0.125]), 40_000, replacement=True).float()
    latents = torch.stack([codes, codes.flip(0)], 1)
    quantiser = fit_quantiser(latents, torch.full((2,), 0.3))
    found = quantiser.code_length(quantiser.encode(latents))
    assert found.mean() == pytest.approx(2 * 1.75, abs=0.03)
    assert found.shape == (40_000,)


def test_what_training_never_met_goes_to_the_nearest_end_and_costs_much() -> None:
    quantiser = fit_quantiser(normal(1000, 2), torch.full((2,), 0.5))
    codes = quantiser.encode(torch.tensor([[-100.0, 100.0]]))
    assert codes.tolist() == [[0, quantiser.cost.shape[1] - 1]]
    assert 8 < quantiser.code_length(codes)[0] < np.inf
    tiny = fit_quantiser(normal(50, 1), torch.full((1,), 1e-9))
    assert tiny.cost.shape[1] <= 2 * MOST + 1, "memory has an end"


def test_numbers_without_influence_cost_nothing_and_are_their_mean() -> None:
    latents = normal(500, 2) + 7
    quantiser = fit_quantiser(latents, torch.tensor([0.5, torch.inf]))
    codes = quantiser.encode(latents)
    made = quantiser.decode(codes)
    assert torch.equal(made[:, 1], latents.mean(0)[1].expand(500))
    alone = fit_quantiser(latents[:, :1], torch.tensor([0.5]))
    assert quantiser.code_length(codes).mean() == pytest.approx(
        alone.code_length(alone.encode(latents[:, :1])).mean(), abs=0.2
    )


def test_influence_in_a_linear_decoder_is_the_length_of_its_columns() -> None:
    matrix = normal(3, 20) * torch.tensor([[1.0], [5.0], [0.0]])
    found = influences(lambda latents: latents @ matrix, normal(8, 3), torch.tensor([1.0, 0.2, 3.0]))
    assert found.numpy() == pytest.approx(matrix.norm(dim=1).numpy(), rel=1e-4)
    assert influences(lambda latents: latents @ matrix, normal(8, 3), torch.zeros(3)).tolist() == [0, 0, 0]
