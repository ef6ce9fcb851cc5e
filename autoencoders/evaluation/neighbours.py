"""Nearest neighbours by brute force in batches: exact, and fast enough on whole data sets."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, full_precision

Distance = Literal["euclidean", "cosine"]


@full_precision()
def nearest(
    queries: Array, samples: Array, k: int, *, distance: Distance = "euclidean", batch: int = 2000
) -> tuple[Tensor, Tensor]:
    """The k nearest samples of each query, nearest first: distances [N, k] and indices [N, k].

    Cosine distance is from 0 to 2; a zero vector has no direction and is at distance 1 from everything.
    """
    reference = as_features(samples)
    wanted = as_features(queries, reference.device)
    if not 1 <= k <= len(reference):
        raise ValueError(f"k must be from 1 to the {len(reference)} samples, not {k}")
    centre = reference.mean(0)  # keeps the squares small, where fp32 would lose the differences

    def prepared(features: Tensor) -> Tensor:
        return torch.nn.functional.normalize(features) if distance == "cosine" else features - centre

    reference = prepared(reference)
    found = [_closest(prepared(part), reference, k, distance) for part in wanted.split(batch)]
    return torch.cat([distances for distances, _ in found]), torch.cat([indices for _, indices in found])


def _closest(queries: Tensor, samples: Tensor, k: int, distance: Distance) -> tuple[Tensor, Tensor]:
    products = queries @ samples.T
    if distance == "cosine":
        return (1 - products).topk(k, largest=False)
    squares = queries.square().sum(1, keepdim=True) + samples.square().sum(1) - 2 * products
    values, indices = squares.topk(k, largest=False)
    return values.clamp(min=0).sqrt(), indices


def vote(labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Winner [N] and its share [N] among neighbours' labels [N, k], nearest first; a draw goes to the nearer ones."""
    ranks = torch.arange(labels.shape[1], device=labels.device)
    weights = 1 + 0.5 ** (ranks + 1.0).double()  # what is added sums to less than one vote
    votes = torch.zeros(len(labels), classes, dtype=torch.float64, device=labels.device)
    votes.scatter_add_(1, labels, weights.expand(len(labels), -1).contiguous())
    winner = votes.argmax(1)
    return winner, (labels == winner[:, None]).double().mean(1)
