"""One way to read any encoder, trained or not: all its layers, standardised, rectified on both sides and pooled alike.

What a probe finds then doesn't depend on how a model happens to scale, sign or size its maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from autoencoders.evaluation.arrays import Array


@dataclass(frozen=True)
class Reader:
    """Each layer's channel means and scales in training, and the grid that maps are averaged to."""

    means: tuple[Tensor, ...]  # each [C]
    scales: tuple[Tensor, ...]
    grid: int

    def read(self, maps: Sequence[Array]) -> Tensor:
        """Features [N, Σ 2·C·cells] of images from their maps, one array [N, C, h, w] or [N, C] a layer."""
        if len(maps) != len(self.means):
            raise ValueError(f"the reader was fitted to {len(self.means)} layers, not {len(maps)}")
        return torch.cat([self._layer(*parts) for parts in zip(maps, self.means, self.scales, strict=True)], dim=1)

    def _layer(self, values: Array, mean: Tensor, scale: Tensor) -> Tensor:
        maps = _as_maps(values, mean.device)
        if maps.shape[1] != len(mean):
            raise ValueError(f"a layer of {len(mean)} channels was fitted, not of {maps.shape[1]}")
        standard = torch.addcmul((-mean / scale)[:, None, None], maps, (1 / scale)[:, None, None])
        cells = (min(self.grid, maps.shape[2]), min(self.grid, maps.shape[3]))  # to enlarge a map would only repeat it
        both = F.adaptive_avg_pool2d(standard, cells)
        positive = F.adaptive_avg_pool2d(standard.clamp_(min=0), cells)
        return torch.cat([positive, positive - both], 1).flatten(1)  # what is left is the negative part


def fit_reader(maps: Sequence[Array], grid: int = 2) -> Reader:
    """From training images' maps, some thousand images will do: one array [N, C, h, w] or [N, C] a layer."""
    if not maps or grid < 1:
        raise ValueError("a reader needs at least one layer and a grid of at least 1")
    means, scales = [], []
    for values in maps:
        variance, mean = torch.var_mean(_as_maps(values).double(), (0, 2, 3), correction=0)
        scale = variance.sqrt()
        means.append(mean.float())
        scales.append(
            torch.where(scale > 1e-6 * mean.abs().clamp(min=1e-6), scale, 1.0).float()
        )  # constant: stays at 0
    return Reader(tuple(means), tuple(scales), grid)


def _as_maps(values: Array, device: torch.device | None = None) -> Tensor:
    maps = torch.as_tensor(values, device=device).float()
    if maps.ndim not in (2, 4) or len(maps) == 0:
        raise ValueError(f"a layer is [N, C, h, w] or [N, C] with N > 0, not {list(maps.shape)}")
    if not torch.isfinite(maps).all():
        raise ValueError("maps hold NaN or infinite values")
    return maps if maps.ndim == 4 else maps[:, :, None, None]
