"""Latents in few bits: what an autoencoder is worth as a codec."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features

RANGES = tuple(0.8 * 1.1**i for i in range(22))  # half-widths tried, in standard deviations: up to 5.9
SAMPLED = 2000  # latents, about, that these are tried on


@dataclass(frozen=True)
class Quantiser:
    """2^bits equal steps for each dimension, around its mean; what lies outside goes to the nearest end."""

    bits: int
    least: Tensor  # [D], the centre of each dimension's lowest step
    step: Tensor  # [D], 0 for a dimension that doesn't vary
    cost: Tensor  # [D, 2^bits], bits that an entropy coder spends on each code: −log2 of its share in training

    def encode(self, latents: Array) -> Tensor:
        """Codes [N, D] from 0 to 2^bits − 1."""
        return _codes(as_features(latents, self.least.device), self.least, self.step, self.bits)

    def decode(self, codes: Tensor, shape: torch.Size) -> Tensor:
        """Latents of the shape that they had."""
        return (self.least + codes * self.step).reshape(shape)

    def quantise(self, latents: Array) -> Tensor:
        """Latents as they are after a code's way there and back."""
        return self.decode(self.encode(latents), torch.as_tensor(latents).shape)

    def code_length(self, latents: Array) -> np.ndarray:
        """Bits for each sample [N] by an ideal entropy coder that codes each dimension by itself and knows how often
        each code occurred in training; at most `bits` a dimension would be spent without it."""
        dimensions = torch.arange(len(self.step), device=self.step.device)
        return self.cost[dimensions, self.encode(latents)].sum(1).cpu().numpy()


def fit_quantiser(latents: Array, bits: int) -> Quantiser:
    """From training latents; how many deviations the steps cover is what loses least there, one choice for all."""
    if not 1 <= bits <= 12:
        raise ValueError(f"a quantiser has from 1 to 12 bits, not {bits}")
    space = as_features(latents)
    mean, deviation = space.mean(0), space.std(0, correction=0)
    deviation = torch.where(deviation > 1e-6 * mean.abs(), deviation, 0.0)

    def steps(width: float) -> tuple[Tensor, Tensor]:
        step = 2 * width * deviation / 2**bits
        return mean - width * deviation + step / 2, step

    some = space[:: max(1, len(space) // SAMPLED), deviation > 0]

    def loss(width: float) -> float:
        """In units of each dimension's variance."""
        least, step = (part[deviation > 0] for part in steps(width))
        error = (least + _codes(some, least, step, bits) * step - some) / deviation[deviation > 0]
        return float(error.square().sum())

    least, step = steps(min(RANGES, key=loss))
    return Quantiser(bits, least, step, _costs(_codes(space, least, step, bits), 2**bits))


def _codes(space: Tensor, least: Tensor, step: Tensor, bits: int) -> Tensor:
    scaled = torch.where(step > 0, (space - least) / step.clamp(min=1e-30), 0.0)
    return scaled.round().clamp(0, 2**bits - 1).long()


def _costs(codes: Tensor, levels: int) -> Tensor:
    """−log2 of each code's share [D, levels]; half an occurrence more for each, so that none is impossible."""
    dimensions = codes.shape[1]
    counts = torch.zeros(dimensions, levels, dtype=torch.float64, device=codes.device)
    counts.scatter_add_(1, codes.T, torch.ones_like(codes.T, dtype=torch.float64))
    counts += 0.5
    return -(counts / counts.sum(1, keepdim=True)).log2()
