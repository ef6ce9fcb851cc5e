"""The best linear guess at hidden pixels given the visible ones: a reference for every model that fills holes.

For pixels with mean μ and covariance Σ it is μ_h + Σ_hv Σ_vv⁻¹ (x_v − μ_v), solved anew for each mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, as_images, full_precision, gram

RIDGE = 1e-3  # added to each visible pixel's variance: noise of σ = .03, against covariances known from a sample alone


@dataclass(frozen=True)
class PixelMoments:
    """Mean [D] and covariance [D, D] of pixels in [0, 1], in float64: they are solved with."""

    mean: Tensor
    covariance: Tensor


@full_precision()
def fit_pixel_moments(images: Array, batch: int = 5000) -> PixelMoments:
    """From training images."""
    if len(images) == 0:
        raise ValueError("there are no images to take the covariance of")
    parts = [slice(start, start + batch) for start in range(0, len(images), batch)]
    mean = torch.stack([as_features(images[rows]).double().sum(0) for rows in parts]).sum(0) / len(images)
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=mean.device)
    for rows in parts:
        covariance += gram(as_features(images[rows]) - mean.float()).double() / len(images)
    return PixelMoments(mean, covariance)


@full_precision()
def fill_linearly(moments: PixelMoments, images: Array, hidden: Array, ridge: float = RIDGE) -> Tensor:
    """Images in [0, 1] whose hidden pixels are their linear conditional means; visible ones stay as they are.

    `hidden` [N, 1, H, W] is true where pixels are hidden, or [1, 1, H, W] for all images alike. The cost is one
    factorisation for each distinct mask: with a mask of its own for every image, take fewer images.
    """
    pixels = as_images(images, moments.mean.device)
    masks = torch.as_tensor(hidden, device=pixels.device).bool()
    if len(masks) not in (1, len(pixels)) or masks.shape[1:] != (1, *pixels.shape[2:]):
        raise ValueError(f"masks {list(masks.shape)} don't fit images {list(pixels.shape)}")
    distinct, owner = masks.flatten(1).unique(dim=0, return_inverse=True)
    owner = owner.expand(len(pixels))
    centred = pixels.flatten(1).double() - moments.mean
    weights = torch.zeros_like(centred)  # [N, D]: zero where hidden, so that one product with Σ serves all masks
    for index, mask in enumerate(distinct):
        members = (owner == index).nonzero()[:, 0]
        visible = (~mask).repeat(pixels.shape[1]).nonzero()[:, 0]
        weights[members[:, None], visible] = _solve(moments.covariance, visible, centred[members][:, visible], ridge)
    filled = (weights @ moments.covariance + moments.mean).float().reshape(pixels.shape).clamp(0, 1)
    return torch.where(masks, filled, pixels)


def _solve(covariance: Tensor, visible: Tensor, values: Tensor, ridge: float) -> Tensor:
    """Σ_vv⁻¹ of each row of values [n, V]."""
    block = covariance[visible[:, None], visible]
    block.diagonal().add_(ridge)
    return torch.cholesky_solve(values.T, torch.linalg.cholesky(block)).T
