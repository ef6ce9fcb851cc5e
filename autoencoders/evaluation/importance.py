"""How much each patch of an image tells a masked model about what is hidden, in the situation it was trained for.

A mask is drawn at the ratio of training, one visible patch more is hidden, and the change of the error is measured on
what was hidden before. Hiding a patch of an otherwise whole image would show a model what it never met in training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.corruption import random_mask
from autoencoders.evaluation.arrays import Array, as_images

Reconstruct = Callable[[Tensor, Tensor], Tensor]  # images and masks [N, 1, H, W], true where hidden, to outputs


@dataclass(frozen=True)
class Importance:
    """Changes of the squared error on hidden patches when one visible patch more is hidden, averaged over draws.

    NaN where no draw had a patch visible, or no hidden patch at that distance.
    """

    change: np.ndarray  # [N, h, w]: of all hidden patches, when the patch at that place is hidden too
    by_distance: np.ndarray  # [N, R]: of the hidden patches 1, 2, ... away from the one that is hidden too
    error: np.ndarray  # [N], on the hidden patches before

    @property
    def relative(self) -> np.ndarray:
        """The mean change [N] when one patch more is hidden, as a share of the error before."""
        return np.nanmean(self.change, (1, 2)) / self.error


def patch_importance(
    reconstruct: Reconstruct, images: Array, patch: int, ratio: float, *, draws: int = 3, seed: int = 0
) -> Importance:
    """Try every visible patch of every draw; each image has masks of its own, of equally many patches.

    The distance of two patches is the larger of the distances in rows and in columns (Chebyshev's): neighbours,
    diagonal ones too, are 1 apart, so that a model whose reach is r patches has changes of 0 beyond r.
    """
    clean = as_images(images)
    grid = (clean.shape[2] // patch, clean.shape[3] // patch)
    places = grid[0] * grid[1]
    if (grid[0] * patch, grid[1] * patch) != clean.shape[2:] or not 0 < round(ratio * places) < places:
        raise ValueError(f"patches of {patch} pixels at a ratio of {ratio} don't fit images {list(clean.shape)}")
    distances = _distances(grid).to(clean.device)
    generator = torch.Generator().manual_seed(seed)
    totals = _Totals(len(clean), places, int(distances.max()), clean.device)
    for _ in range(draws):
        hidden = random_mask(len(clean), grid, ratio, generator).flatten(1).to(clean.device)
        before = _patch_errors(reconstruct, clean, hidden, grid)
        totals.add_error((before * hidden).sum(1) / hidden.sum(1))
        for chosen in (~hidden).nonzero()[:, 1].view(len(clean), -1).T:  # a visible patch of each image
            more = hidden.scatter(1, chosen[:, None], True)
            change = _patch_errors(reconstruct, clean, more, grid) - before
            totals.add_change(change, hidden, chosen, distances[chosen])
    return totals.importance(grid)


class _Totals:
    """Sums and counts over draws, for each image by place and by distance."""

    def __init__(self, count: int, places: int, reach: int, device: torch.device):
        def zeros(size: int) -> Tensor:
            return torch.zeros(count, size, dtype=torch.float64, device=device)

        self.by_place, self.draws_of_place = zeros(places), zeros(places)
        self.by_distance, self.patches_at = zeros(reach + 1), zeros(reach + 1)
        self.errors: list[Tensor] = []

    def add_error(self, error: Tensor) -> None:
        self.errors.append(error)

    def add_change(self, change: Tensor, hidden: Tensor, chosen: Tensor, distance: Tensor) -> None:
        on_hidden = (change * hidden).double()
        self.by_place.scatter_add_(1, chosen[:, None], on_hidden.sum(1, keepdim=True) / hidden.sum(1, keepdim=True))
        self.draws_of_place.scatter_add_(1, chosen[:, None], torch.ones_like(self.by_place[:, :1]))
        self.by_distance.scatter_add_(1, distance, on_hidden)
        self.patches_at.scatter_add_(1, distance, hidden.double())

    def importance(self, grid: tuple[int, int]) -> Importance:
        change = (self.by_place / self.draws_of_place).unflatten(1, grid)  # 0 / 0 is NaN: never visible
        by_distance = (self.by_distance / self.patches_at)[:, 1:]
        error = torch.stack(self.errors).double().mean(0)
        return Importance(*(part.cpu().numpy() for part in (change, by_distance, error)))


def _patch_errors(reconstruct: Reconstruct, images: Tensor, hidden: Tensor, grid: tuple[int, int]) -> Tensor:
    """The mean squared error of each patch [N, places]."""
    rows, columns = images.shape[2] // grid[0], images.shape[3] // grid[1]
    mask = hidden.view(-1, 1, *grid).repeat_interleave(rows, 2).repeat_interleave(columns, 3)
    squares = (as_images(reconstruct(images, mask)) - images).square().mean(1, keepdim=True)
    return torch.nn.functional.avg_pool2d(squares, (rows, columns)).flatten(1)


def _distances(grid: tuple[int, int]) -> Tensor:
    """Between all pairs of patches [places, places]."""
    places = torch.cartesian_prod(torch.arange(grid[0]), torch.arange(grid[1]))
    return (places[:, None] - places[None]).abs().amax(2)
