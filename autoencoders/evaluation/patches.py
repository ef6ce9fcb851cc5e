"""Single-layer features in the manner of Coates and Ng (2011): whitened random patches as filters, no descent.

A reference for the probes, and a judge of generated images that owes nothing to any autoencoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from autoencoders.evaluation.arrays import Array, as_images, full_precision

SIDE, STRIDE, FILTERS, SAMPLED = 6, 2, 200, 50_000
THRESHOLD = 0.25  # weaker activations count as none


@dataclass(frozen=True)
class PatchFeatures:
    """What one set of training images makes of any image."""

    filters: Tensor  # [FILTERS, C, SIDE, SIDE]; whitening is part of them, since it is linear
    offset: Tensor  # [FILTERS]

    @full_precision()
    def embed(self, images: Array, batch: int = 100) -> Tensor:
        """Each filter's activations of either sign, averaged over each quarter of the image: [N, 8·FILTERS]."""
        return torch.cat([self._quarters(as_images(images[i : i + batch])) for i in range(0, len(images), batch)])

    def _quarters(self, images: Tensor) -> Tensor:
        mean, scale = _brightness_and_contrast(images)
        sums = self.filters.sum((1, 2, 3))[:, None, None]
        response = F.conv2d(images, self.filters, stride=STRIDE).sub_(mean * sums).div_(scale)
        response -= self.offset[:, None, None]
        parts = [F.adaptive_avg_pool2d((sign * response - THRESHOLD).relu_(), 2).flatten(1) for sign in (1, -1)]
        return torch.cat(parts, dim=1)


def _brightness_and_contrast(images: Tensor) -> tuple[Tensor, Tensor]:
    """Each patch's mean and deviation [N, 1, h, w]; the constant keeps flat patches from becoming noise."""
    mean, square = (F.avg_pool2d(m.mean(1, keepdim=True), SIDE, STRIDE) for m in (images, images.square()))
    return mean, ((square - mean.square()).clamp(min=0) + 10 / 255**2).sqrt()


@full_precision()
def fit_patches(images: Array, seed: int = 0) -> PatchFeatures:
    """From random patches of training images."""
    generator = torch.Generator().manual_seed(seed)
    chosen = as_images(images[torch.randint(len(images), (SAMPLED // 25,), generator=generator)])
    every = F.unfold(chosen, SIDE).transpose(1, 2)
    places = torch.randint(every.shape[1], (len(every), 25), generator=generator).to(every.device)
    patches = every.gather(1, places[:, :, None].expand(-1, -1, every.shape[2])).flatten(0, 1)
    centred = patches - patches.mean(1, keepdim=True)
    normal = centred / (centred.square().mean(1, keepdim=True) + 10 / 255**2).sqrt()
    mean = normal.mean(0)
    values, vectors = torch.linalg.eigh((normal - mean).T @ (normal - mean) / len(normal))
    whitening = vectors @ torch.diag((values.clamp(min=0) + 0.1).rsqrt()) @ vectors.T
    order = torch.randperm(len(normal), generator=generator)[:FILTERS].to(normal.device)
    directions = F.normalize((normal[order] - mean) @ whitening, dim=1) @ whitening
    return PatchFeatures(directions.unflatten(1, (images.shape[1], SIDE, SIDE)), directions @ mean)
