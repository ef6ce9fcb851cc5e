"""Nearest neighbours by brute force in batches: exact, and on the device where the samples are."""

from __future__ import annotations

import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, full_precision


@full_precision()
def nearest(queries: Array, samples: Array, k: int, *, batch: int = 2000) -> tuple[Tensor, Tensor]:
    """The k nearest samples of each query, nearest first: Euclidean distances [N, k] and indices [N, k]."""
    reference = as_features(samples)
    wanted = as_features(queries, reference.device)
    if not 1 <= k <= len(reference):
        raise ValueError(f"k must be from 1 to the {len(reference)} samples, not {k}")
    centre = reference.mean(0)  # keeps the squares small, where fp32 would lose the differences
    reference = reference - centre
    found = [_closest(part - centre, reference, k) for part in wanted.split(batch)]
    return torch.cat([distances for distances, _ in found]), torch.cat([indices for _, indices in found])


def _closest(queries: Tensor, samples: Tensor, k: int) -> tuple[Tensor, Tensor]:
    squares = queries.square().sum(1, keepdim=True) + samples.square().sum(1) - 2 * queries @ samples.T
    values, indices = squares.topk(k, largest=False)
    return values.clamp(min=0).sqrt(), indices
